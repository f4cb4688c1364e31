#include "worker/report/outbox.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "common/obs/log.h"
#include "worker/report/timestamp.h"

namespace forebay::worker {

namespace {

constexpr size_t kMostReports = 1000;
// A local launch is done within this, and its three facts make one call.
constexpr absl::Duration kLinger = absl::Milliseconds(25);

bool SameAttempt(const v1::AttemptRef& a, const v1::AttemptRef& b) {
  return a.run_id() == b.run_id() && a.attempt() == b.attempt() && a.epoch() == b.epoch();
}

}  // namespace

Outbox::Outbox(ServerApi& api, Registration& registration, const Clock& clock, Random& random,
               Answered answered)
    : api_(api),
      registration_(registration),
      clock_(clock),
      answered_(std::move(answered)),
      backoff_(RetryPauses(random)),
      thread_([this] { Send(); }) {}

void Outbox::Shut() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void Outbox::Add(v1::AttemptReport report, bool can_wait) {
  SetTimestamp(clock_.Now(), *report.mutable_time());
  MutexLock lock(mutex_);
  const absl::Duration now = clock_.Monotonic();
  items_.push_back({++last_number_, std::move(report), can_wait ? now + kLinger : now});
  changed_.NotifyAll();
}

void Outbox::Forget(const v1::AttemptRef& attempt) {
  MutexLock lock(mutex_);
  std::erase_if(items_,
                [&](const Item& item) { return SameAttempt(item.report.attempt(), attempt); });
}

void Outbox::Clear() {
  MutexLock lock(mutex_);
  items_.clear();
}

bool Outbox::empty() {
  MutexLock lock(mutex_);
  return items_.empty();
}

std::vector<Outbox::Item> Outbox::NextBatch() {
  MutexLock lock(mutex_);
  while (!ending_) {
    absl::Duration ready = absl::InfiniteDuration();
    for (const Item& item : items_) ready = std::min(ready, item.not_before);
    const absl::Duration left = ready - clock_.Monotonic();
    if (left <= absl::ZeroDuration()) {
      const auto count = static_cast<ptrdiff_t>(std::min(items_.size(), kMostReports));
      return {items_.begin(), items_.begin() + count};
    }
    if (left == absl::InfiniteDuration()) {
      changed_.Wait(mutex_);
    } else {
      changed_.WaitFor(mutex_, left);
    }
  }
  return {};
}

void Outbox::Send() {
  while (true) {
    const std::string worker = registration_.WaitForId();
    const std::vector<Item> batch = worker.empty() ? std::vector<Item>() : NextBatch();
    if (batch.empty()) return;
    // The wait may have been long.
    if (!registration_.IsCurrent(worker)) continue;
    v1::ReportAttemptsRequest request;
    request.set_worker_id(worker);
    for (const Item& item : batch) *request.add_reports() = item.report;
    const auto response = api_.Report(request);
    if (response.ok() && response->results_size() == request.reports_size()) {
      backoff_.Reset();
      Deliver(batch, *response);
    } else {
      Failed(worker,
             response.ok() ? absl::InternalError("answers are missing") : response.status());
    }
  }
}

void Outbox::Deliver(const std::vector<Item>& batch, const v1::ReportAttemptsResponse& response) {
  for (size_t i = 0; i < batch.size(); ++i) {
    bool wanted = false;
    {
      MutexLock lock(mutex_);
      wanted = std::erase_if(items_,
                             [&](const Item& item) { return item.number == batch[i].number; }) > 0;
    }
    // Forgotten while it was under way: nobody waits for the answer.
    if (wanted) answered_(batch[i].report, response.results(static_cast<int>(i)));
  }
}

void Outbox::Failed(const std::string& worker, const absl::Status& error) {
  switch (VerdictOn(error)) {
    case Verdict::kUnknownWorker:
      return registration_.Lose(worker);
    case Verdict::kFatal:
      return registration_.End(error);
    case Verdict::kRetry:
      break;
  }
  spdlog::debug("reports not delivered: {}", MessageOf(error));
  registration_.Pause(backoff_.Next());
}

}  // namespace forebay::worker
