#pragma once

// One unary call in flight, finished exactly once.
//
// A handler gets a Responder and may answer now, later or from another thread; the last copy that
// goes without an answer finishes the call as CANCELLED, so no call hangs. gRPC's rule that no lock
// is held while finishing is the caller's to keep: answer outside of your locks.

#include <atomic>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/sync.h"

namespace forebay::server {

class CallMeter;

// The transport's side: implemented by the gRPC edge.
class CallState {
 public:
  virtual ~CallState() = default;
  // The first caller wins; the others are ignored.
  void FinishOnce(const absl::Status& status);
  bool finished() const { return finished_.load(); }
  // The client has gone.
  bool cancelled() const;
  // Runs `hook` when the client goes away, at once if it is gone already. One hook a call;
  // forgotten when the call is finished, so it may hold a Responder.
  void OnCancelled(absl::AnyInvocable<void()> hook);
  // By the transport.
  void Cancelled();
  // Before anybody can finish it: `meter` counts it when it is finished, with the time from now.
  void MeterBy(CallMeter& meter, const Clock& clock);

 protected:
  virtual void Finish(const absl::Status& status) = 0;

 private:
  std::atomic<bool> finished_ = false;
  CallMeter* meter_ = nullptr;
  const Clock* clock_ = nullptr;
  absl::Duration begun_;
  mutable Mutex mutex_;
  bool cancelled_ GUARDED_BY(mutex_) = false;
  absl::AnyInvocable<void()> hook_ GUARDED_BY(mutex_);
};

template <typename Response>
class Responder {
 public:
  Responder(std::shared_ptr<CallState> call, Response* response)
      : shared_(std::make_shared<Shared>(std::move(call), response)) {}

  void operator()(absl::StatusOr<Response> result) const {
    if (shared_->answered.exchange(true)) return;
    const absl::Status status = result.status();
    if (status.ok()) *shared_->response = *std::move(result);
    shared_->call->FinishOnce(status);
  }
  CallState& call() const { return *shared_->call; }

 private:
  struct Shared {
    std::shared_ptr<CallState> call;
    Response* response;
    std::atomic<bool> answered = false;
    Shared(std::shared_ptr<CallState> c, Response* r) : call(std::move(c)), response(r) {}
    ~Shared() {
      if (!answered) call->FinishOnce(absl::CancelledError("the server dropped this call"));
    }
  };
  std::shared_ptr<Shared> shared_;
};

}  // namespace forebay::server
