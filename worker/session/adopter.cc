#include "worker/session/adopter.h"

#include <algorithm>

#include "common/base/status.h"
#include "worker/report/timestamp.h"

namespace forebay::worker {
namespace {

constexpr size_t kMostSightings = 1000;
constexpr absl::Duration kQuiet = absl::Seconds(10);
constexpr absl::Duration kSoonest = absl::Milliseconds(200);
constexpr absl::Duration kLatest = absl::Seconds(5);

}  // namespace

absl::StatusOr<absl::Duration> Adopter::Round(const std::string& worker_id) {
  std::vector<std::string> names = launcher_.Find();
  std::erase_if(names, [this](const std::string& name) { return supervisor_.Knows(name); });
  absl::Duration again = kQuiet;
  for (size_t start = 0; start < names.size(); start += kMostSightings) {
    const auto from = names.begin() + static_cast<ptrdiff_t>(start);
    const auto count = static_cast<ptrdiff_t>(std::min(kMostSightings, names.size() - start));
    RETURN_IF_ERROR(Ask(worker_id, {from, from + count}, again));
  }
  return again;
}

absl::Status Adopter::Ask(const std::string& worker_id, const std::vector<std::string>& names,
                          absl::Duration& again) {
  v1::AdoptAttemptsRequest request;
  request.set_worker_id(worker_id);
  for (const std::string& name : names) {
    const RunAttempt run = ParseInfrastructureName(name).value_or(RunAttempt());
    v1::Sighting& sighting = *request.add_sightings();
    sighting.set_run_id(run.run_id);
    sighting.set_attempt(run.attempt);
    sighting.set_infrastructure_name(name);
    const auto seen = launcher_.Observe(name);
    if (seen.ok()) sighting.set_infrastructure_id(seen->infrastructure_id);
  }
  ASSIGN_OR_RETURN(const v1::AdoptAttemptsResponse response, api_.Adopt(request));
  const size_t count = std::min(names.size(), static_cast<size_t>(response.adoptions_size()));
  for (size_t i = 0; i < count; ++i) {
    Heed(names[i], response.adoptions(static_cast<int>(i)), again);
  }
  return absl::OkStatus();
}

void Adopter::Heed(const std::string& name, const v1::Adoption& adoption, absl::Duration& again) {
  switch (adoption.verdict()) {
    case v1::ADOPT_VERDICT_ADOPTED:
      return supervisor_.Adopt(adoption);
    case v1::ADOPT_VERDICT_STALE:
      return supervisor_.Discard(name);
    default:
      again = std::min(again, std::clamp(ToDuration(adoption.retry_after()), kSoonest, kLatest));
  }
}

}  // namespace forebay::worker
