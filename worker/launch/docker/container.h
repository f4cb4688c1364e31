#pragma once

// One container of ours, as this worker process knows it.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "common/base/sync.h"
#include "worker/launch/docker/container_log.h"
#include "worker/launch/docker/preparation.h"

namespace forebay::worker {

// Thread-safe.
class Container {
 public:
  Container(std::string name, std::unique_ptr<ContainerLog> log)
      : name_(std::move(name)), log_(std::move(log)) {}
  // Gives up what is under way; a container that exists lives on.
  ~Container();
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;

  // Runs `prepare` on a thread of its own; `done` is called after it, from there. Once at most.
  void Prepare(std::function<absl::Status(Cancellation&)> prepare, std::function<void()> done);
  void CancelPreparation();
  // Waits until it prepares no more.
  void WaitForPreparation();

  bool preparing() const;
  // How the preparation failed, or that it was stopped before it began.
  std::optional<ExitRecord> failure() const;

  // It shall not begin any more.
  void Forbid();
  bool forbidden() const;

  ContainerLog& log() { return *log_; }
  const std::string& name() const { return name_; }

 private:
  void Settle(const absl::Status& prepared);

  const std::string name_;
  const std::unique_ptr<ContainerLog> log_;
  Cancellation cancellation_;
  mutable Mutex mutex_;
  CondVar changed_;
  bool preparing_ GUARDED_BY(mutex_) = false;
  bool forbidden_ GUARDED_BY(mutex_) = false;
  std::optional<ExitRecord> failure_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace forebay::worker
