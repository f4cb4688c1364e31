#include "worker/launch/docker/container.h"

#include "common/base/status.h"

namespace forebay::worker {
namespace {

ExitRecord FailureOf(const absl::Status& error) {
  ExitRecord end;
  end.reason = "NEVER_STARTED";
  end.message = MessageOf(error);
  if (absl::IsCancelled(error)) {
    end.message = "stopped before user code began";
    return end;
  }
  end.launch_failure = ReasonOf(error);
  end.launch_retryable = absl::IsUnavailable(error) || absl::IsDeadlineExceeded(error);
  // What an engine refuses for a reason of its own says nothing about the run.
  if (end.launch_failure.empty() || end.launch_failure == "ENGINE_REFUSED") {
    end.launch_failure = "INFRASTRUCTURE_UNAVAILABLE";
    end.launch_retryable = true;
  }
  return end;
}

}  // namespace

Container::~Container() {
  cancellation_.Cancel();
  if (thread_.joinable()) thread_.join();
}

void Container::Prepare(std::function<absl::Status(Cancellation&)> prepare,
                        std::function<void()> done) {
  {
    MutexLock lock(mutex_);
    preparing_ = true;
  }
  thread_ = std::thread([this, prepare = std::move(prepare), done = std::move(done)] {
    Settle(prepare(cancellation_));
    done();
  });
}

void Container::Settle(const absl::Status& prepared) {
  MutexLock lock(mutex_);
  if (!prepared.ok()) failure_ = FailureOf(prepared);
  preparing_ = false;
  changed_.NotifyAll();
}

void Container::CancelPreparation() { cancellation_.Cancel(); }

void Container::WaitForPreparation() {
  MutexLock lock(mutex_);
  while (preparing_) changed_.Wait(mutex_);
}

bool Container::preparing() const {
  MutexLock lock(mutex_);
  return preparing_;
}

std::optional<ExitRecord> Container::failure() const {
  MutexLock lock(mutex_);
  return failure_;
}

void Container::Forbid() {
  MutexLock lock(mutex_);
  forbidden_ = true;
}

bool Container::forbidden() const {
  MutexLock lock(mutex_);
  return forbidden_;
}

}  // namespace forebay::worker
