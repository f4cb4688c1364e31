#include "server/auth/caller.h"

#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::server {
namespace {

bool Reaches(const Caller& caller, v1::Access access) {
  switch (access) {
    case v1::ACCESS_PUBLIC:
      return true;
    case v1::ACCESS_VIEWER:
    case v1::ACCESS_RUNNER:
    case v1::ACCESS_DEPLOYER:
    case v1::ACCESS_OPERATOR:
    case v1::ACCESS_ADMIN:
      return caller.kind == CallerKind::kUser && caller.level >= access;
    case v1::ACCESS_WORKER:
      return caller.kind == CallerKind::kWorker;
    case v1::ACCESS_RUN:
      return caller.kind == CallerKind::kRun;
    default:
      return false;
  }
}

std::string NeededKey(v1::Access access) {
  if (access == v1::ACCESS_WORKER) return "the key of a worker";
  if (access == v1::ACCESS_RUN) return "the ticket or token of a run";
  const std::string role = ToLower(v1::Access_Name(access).substr(sizeof("ACCESS_") - 1));
  return fmt::format("a key of role {}{}", role, access == v1::ACCESS_ADMIN ? "" : " or higher");
}

}  // namespace

absl::Status CheckAccess(const Caller& caller, v1::Access access) {
  if (Reaches(caller, access)) return absl::OkStatus();
  if (caller.kind == CallerKind::kAnonymous) {
    return Error(absl::StatusCode::kUnauthenticated, "CREDENTIAL_MISSING")
        .Next("forebay config show")
        .Says("this call needs a key: set FOREBAY_API_KEY, or a context with an API key");
  }
  return Error(absl::StatusCode::kPermissionDenied, "ACCESS_DENIED")
      .With("needs", v1::Access_Name(access))
      .Says("this key may not do that; it needs {}", NeededKey(access));
}

}  // namespace forebay::server
