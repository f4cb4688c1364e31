#include "worker/session/pool_type.h"

#include "common/base/backoff.h"
#include "common/base/status.h"
#include "common/obs/log.h"

namespace forebay::worker {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
constexpr absl::Duration kLongestPause = absl::Seconds(5);

std::string AllowedType(const absl::Status& error) {
  const auto detail = DetailOf(error);
  if (!detail.has_value() || detail->reason != "POOL_TYPE_MISMATCH") return "";
  const auto allowed = detail->metadata.find("allowed");
  return allowed == detail->metadata.end() ? "" : allowed->second;
}

bool MayPass(const absl::Status& error) {
  return VerdictOn(error) == Verdict::kRetry && !absl::IsInvalidArgument(error) &&
         !absl::IsFailedPrecondition(error);
}

}  // namespace

absl::StatusOr<std::string> AskPoolType(ServerApi& api, v1::RegisterWorkerRequest request,
                                        Registration& registration, Random& random) {
  Backoff backoff(kFirstPause, kLongestPause, random);
  request.clear_type();
  bool told = false;
  while (registration.ending() == Ending::kNone) {
    const auto response = api.Register(request);
    if (response.ok()) return response->pool().type();
    if (const std::string type = AllowedType(response.status()); !type.empty()) return type;
    if (!MayPass(response.status())) return response.status();
    if (!told) {
      spdlog::warn("the server cannot be reached ({}); trying again", MessageOf(response.status()));
    }
    told = true;
    registration.Sleep(backoff.Next());
  }
  return absl::CancelledError("asked to end before the server was reached");
}

}  // namespace forebay::worker
