#include "worker/session/first_contact.h"

#include "common/base/backoff.h"
#include "common/base/status.h"
#include "common/obs/log.h"

namespace forebay::worker {

namespace {

bool NotAnswered(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

}  // namespace

absl::Status UntilAnswered(Registration& registration, Random& random, const std::string& address,
                           const std::function<absl::Status()>& call) {
  Backoff backoff = RetryPauses(random);
  bool said = false;
  while (registration.ending() == Ending::kNone && !registration.ended()) {
    const absl::Status status = call();
    if (!NotAnswered(status)) return status;
    if (!std::exchange(said, true)) {
      spdlog::warn("the server at {} cannot be reached ({}); trying again", address,
                   MessageOf(status));
    }
    registration.Sleep(backoff.Next());
  }
  return absl::CancelledError("asked to end before the server was reached");
}

absl::StatusOr<std::string> PoolType(ServerApi& api, UuidSource& ids,
                                     v1::RegisterWorkerRequest request) {
  // No pool has the empty type: the refusal names the one it has.
  request.clear_type();
  request.set_instance_id(ids.Next().ToString());
  const auto response = api.Register(request);
  if (response.ok()) return response->pool().type();
  const auto detail = DetailOf(response.status());
  if (!detail.has_value() || detail->reason != "POOL_TYPE_MISMATCH") return response.status();
  const auto allowed = detail->metadata.find("allowed");
  if (allowed == detail->metadata.end()) return response.status();
  return allowed->second;
}

}  // namespace forebay::worker
