#include "worker/launch/docker/engine_watch.h"

#include <nlohmann/json.hpp>

#include "common/base/random.h"
#include "common/base/status.h"
#include "common/obs/log.h"
#include "worker/launch/docker/log_frames.h"

namespace forebay::worker {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
constexpr absl::Duration kLongestPause = absl::Seconds(2);

}  // namespace

EngineWatch::EngineWatch(EngineApi& engine, Sink sink)
    : engine_(engine),
      sink_(std::move(sink)),
      backoff_(kFirstPause, kLongestPause, SystemRandom()),
      ready_(absl::UnavailableError("the container engine has not been asked yet")) {}

EngineWatch::~EngineWatch() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    changed_.NotifyAll();
  }
  cancellation_.Cancel();
  if (thread_.joinable()) thread_.join();
}

void EngineWatch::Start(const std::string& label) {
  if (thread_.joinable()) return;
  thread_ = std::thread([this, label] { Run(label); });
  MutexLock lock(mutex_);
  while (!known_ && !ending_) changed_.Wait(mutex_);
}

absl::Status EngineWatch::Ready() const {
  MutexLock lock(mutex_);
  return ready_;
}

void EngineWatch::Run(const std::string& label) {
  while (true) {
    const absl::Status ended = FollowOnce(label);
    if (absl::IsCancelled(ended)) return;
    Set(ended.ok() ? absl::UnavailableError(
                         fmt::format("the container engine at {} went away", engine_.address()))
                   : ended);
    MutexLock lock(mutex_);
    if (!ending_) changed_.WaitFor(mutex_, backoff_.Next());
    if (ending_) return;
  }
}

absl::Status EngineWatch::FollowOnce(const std::string& label) {
  RETURN_IF_ERROR(engine_.Negotiate(cancellation_).status());
  ASSIGN_OR_RETURN(const Json info, engine_.Info());
  const int64_t now = EngineTimeMicros(info.value("SystemTime", ""));
  sink_.connected(info);
  Set(absl::OkStatus());
  backoff_.Reset();
  return engine_.FollowEvents(
      label, now, [this](const Json& event) { Take(event); }, cancellation_);
}

void EngineWatch::Take(const Json& event) const {
  const auto actor = event.find("Actor");
  if (actor == event.end() || !actor->is_object()) return;
  const auto attributes = actor->find("Attributes");
  if (attributes == actor->end() || !attributes->is_object()) return;
  const auto name = attributes->find("name");
  if (name != attributes->end() && name->is_string()) {
    sink_.container_changed(name->get<std::string>());
  }
}

void EngineWatch::Set(const absl::Status& ready) {
  {
    MutexLock lock(mutex_);
    const bool same = known_ && ready_.ok() == ready.ok() && ready_.message() == ready.message();
    known_ = true;
    ready_ = ready;
    changed_.NotifyAll();
    if (same) return;
  }
  if (ready.ok()) {
    spdlog::info("the container engine at {} is there", engine_.address());
  } else {
    spdlog::warn("{}", MessageOf(ready));
  }
  sink_.readiness_changed();
}

}  // namespace forebay::worker
