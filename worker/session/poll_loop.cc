#include "worker/session/poll_loop.h"

#include <utility>

#include "common/base/status.h"
#include "common/obs/log.h"

namespace forebay::worker {

PollLoop::PollLoop(ServerApi& api, Registration& registration, UuidSource& ids, Random& random,
                   Callbacks callbacks)
    : api_(api),
      registration_(registration),
      ids_(ids),
      callbacks_(std::move(callbacks)),
      backoff_(RetryPauses(random)),
      thread_([this] { Run(); }) {}

void PollLoop::Shut() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    if (call_ != nullptr) call_->Raise();
  }
  if (thread_.joinable()) thread_.join();
}

void PollLoop::SlotsChanged() {
  MutexLock lock(mutex_);
  slots_changed_ = true;
  // Only a poll without slots is worth ending: it cannot have been granted anything.
  if (call_ != nullptr && offered_ == 0) call_->Raise();
}

bool PollLoop::offers_nothing() {
  MutexLock lock(mutex_);
  return offered_ == 0;
}

v1::PollRequest PollLoop::NextRequest(const std::string& worker) {
  if (unanswered_.has_value() && unanswered_->worker_id() == worker) {
    unanswered_->set_replay(true);
    return *unanswered_;
  }
  v1::PollRequest request;
  request.set_worker_id(worker);
  request.set_request_id(ids_.Next().ToString());
  request.set_pool_revision(callbacks_.pool_revision());
  return request;
}

absl::StatusOr<v1::PollResponse> PollLoop::Call(const v1::PollRequest& request,
                                                Cancellation& cancellation) {
  {
    MutexLock lock(mutex_);
    if (ending_ || (slots_changed_ && offered_ == 0)) cancellation.Raise();
    call_ = &cancellation;
  }
  auto response = api_.Poll(request, cancellation);
  MutexLock lock(mutex_);
  call_ = nullptr;
  return response;
}

void PollLoop::Run() {
  while (true) {
    const std::string worker = registration_.WaitForId();
    if (worker.empty()) return;
    v1::PollRequest request = NextRequest(worker);
    {
      MutexLock lock(mutex_);
      slots_changed_ = false;
      // A request that may have been granted something stays offered as it was.
      if (!request.replay()) offered_ = callbacks_.free_slots();
      request.set_free_slots(offered_);
    }
    Cancellation cancellation;
    const auto response = Call(request, cancellation);
    if (response.ok()) {
      backoff_.Reset();
      unanswered_.reset();
      callbacks_.answered(*response);
    } else if (!cancellation.raised()) {
      Failed(request, response.status());
    }
  }
}

void PollLoop::Failed(const v1::PollRequest& request, const absl::Status& error) {
  // Nothing can have been granted to a poll without slots: the next one is a new one.
  if (request.free_slots() > 0) unanswered_ = request;
  switch (VerdictOn(error)) {
    case Verdict::kUnknownWorker:
      return registration_.Lose(request.worker_id());
    case Verdict::kFatal:
      return registration_.End(error);
    case Verdict::kRetry:
      break;
  }
  spdlog::debug("poll failed: {}", MessageOf(error));
  registration_.Pause(backoff_.Next());
}

}  // namespace forebay::worker
