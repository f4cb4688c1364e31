#include "server/duties/duty_runner.h"

#include <algorithm>

#include "common/base/status.h"
#include "common/obs/log.h"
#include "server/db/queries.h"

namespace forebay::server {
namespace {

constexpr absl::Duration kLease = absl::Seconds(5);

}  // namespace

absl::Status Tenure::Check(Session& session) const {
  ASSIGN_OR_RETURN(Rows rows,
                   session.Run(queries::kCheckFence, Args().Text(duty).Id(holder).Int(fence)));
  if (!rows.empty()) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "DUTY_LOST")
      .Says("duty {} is held by another server", duty);
}

DutyRunner::DutyRunner(std::string url, Uuid server, const Clock& clock,
                       std::vector<std::unique_ptr<Duty>> duties)
    : url_(std::move(url)), server_(server), clock_(clock) {
  for (auto& duty : duties) {
    Entry& entry = entries_.emplace_back();
    entry.duty = std::move(duty);
  }
  thread_ = std::thread([this] { Loop(); });
}

DutyRunner::~DutyRunner() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

bool DutyRunner::Take(Session& session, Entry& entry, absl::Duration now) {
  // The lease outlasts the pause to the next run.
  const absl::Duration lease = kLease + entry.duty->interval();
  const auto rows = session.Run(
      queries::kTakeDuty,
      Args().Text(entry.duty->name()).Id(server_).Int(absl::ToInt64Milliseconds(lease)));
  if (!rows.ok() || rows->empty()) {
    entry.since.reset();
    return false;
  }
  if (!entry.since.has_value()) entry.since = now;
  entry.fence = rows->Int(0, 0);
  return true;
}

void DutyRunner::RunDue(Session& session, Entry& entry, absl::Duration now) {
  if (!Take(session, entry, now)) return;
  const Tenure tenure{entry.duty->name(), server_, entry.fence, now - *entry.since};
  const absl::Status status = entry.duty->RunOnce(session, tenure);
  session.Rollback();
  if (status.ok()) return;
  entry.since.reset();
  spdlog::warn("duty {}: {}", entry.duty->name(), MessageOf(status));
}

void DutyRunner::Loop() {
  Session session(url_);
  for (;;) {
    absl::Duration next = absl::InfiniteDuration();
    for (Entry& entry : entries_) {
      const absl::Duration now = clock_.Monotonic();
      if (entry.next <= now) {
        RunDue(session, entry, now);
        entry.next = now + entry.duty->interval();
      }
      next = std::min(next, entry.next);
    }
    MutexLock lock(mutex_);
    if (stopping_) return;
    const absl::Duration pause = next - clock_.Monotonic();
    if (pause > absl::ZeroDuration()) wake_.WaitFor(mutex_, pause);
    if (stopping_) return;
  }
}

}  // namespace forebay::server
