#include "server/first_key.h"

#include "common/base/status.h"
#include "common/obs/log.h"
#include "common/os/files.h"
#include "server/auth/credentials.h"
#include "server/db/queries.h"

namespace forebay::server {
namespace {

// The rows that the first migration makes.
constexpr char kDefaultTeam[] = "00000000-0000-7000-8000-000000000001";
constexpr char kAdminUser[] = "00000000-0000-7000-8000-000000000002";

}  // namespace

absl::Status EnsureFirstKey(Session& session, UuidSource& ids, Random& random,
                            const std::string& data_dir) {
  std::string secret;
  const std::string path = data_dir + "/admin.key";
  RETURN_IF_ERROR(InTransaction(session, [&]() -> absl::Status {
    secret.clear();
    RETURN_IF_ERROR(session.RunText("LOCK TABLE credentials IN EXCLUSIVE MODE").status());
    ASSIGN_OR_RETURN(Rows keys, session.Run(queries::kCountAdminKeys, {}));
    if (keys.Int(0, 0) > 0) return absl::OkStatus();
    NewCredential admin;
    admin.description = "first key";
    admin.role = "admin";
    admin.user = *Uuid::Parse(kAdminUser);
    admin.team = *Uuid::Parse(kDefaultTeam);
    ASSIGN_OR_RETURN(const IssuedCredential issued, IssueCredential(session, ids, random, admin));
    secret = issued.secret;
    // Inside the transaction: a key that nobody could read must not exist.
    RETURN_IF_ERROR(MakeDirectories(data_dir));
    return WriteFileAtomically(path, secret + "\n", {.mode = 0600, .durable = true});
  }));
  if (!secret.empty()) spdlog::info("made the first admin key: {}", path);
  return absl::OkStatus();
}

}  // namespace forebay::server
