#pragma once

// One run from waiting to its end: the holder's loop.

#include <poll.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/os/unique_fd.h"
#include "worker/launch/output/line_splitter.h"
#include "worker/launch/output/output_writer.h"
#include "worker/launch/process/format/holder_spec.h"
#include "worker/launch/process/format/status_file.h"
#include "worker/launch/process/holder/child.h"
#include "worker/launch/process/holder/connections.h"
#include "worker/launch/process/holder/memory_cgroup.h"
#include "worker/launch/process/holder/status_writer.h"

namespace forebay::holder {

// What the holder was given at its start.
struct RunFiles {
  UniqueFd listener;
  UniqueFd signals;
  UniqueFd status;
  UniqueFd output;
};

class Run {
 public:
  Run(HolderSpec spec, RunFiles files);
  // Returns when the end is recorded and no process of the run is left.
  void Loop();

 private:
  enum class Phase { kWaiting, kStarting, kStarted, kOver };

  void WaitForEvents();
  int64_t NextDeadline(int64_t now) const;
  void ReadSignals();
  void Obey(const Command& command);
  void Go();
  void Stop(int64_t grace_millis);
  void FinishStart();
  void Reap();
  void Drain();
  void DrainStream(UniqueFd& stream, output::LineSplitter& splitter);
  void KillWhenDue();
  void Notify();
  void EndWhenOver();
  // How the main process ended, in the terms of launcher.h.
  EndRecord Describe(int wait_status) const;
  void NeverStarted(std::string launch_failure, std::string message);
  void Record(EndRecord end);
  output::LineSplitter SplitterOf(output::Stream stream);
  Notice CurrentNotice() const { return {phase_ == Phase::kStarted, writer_.lines()}; }

  const HolderSpec spec_;
  UniqueFd signals_;
  Connections connections_;
  StatusWriter status_;
  output::OutputWriter writer_;
  output::LineSplitter output_splitter_;
  output::LineSplitter errors_splitter_;
  std::optional<MemoryCgroup> memory_;

  Phase phase_ = Phase::kWaiting;
  Child child_;
  int64_t now_;
  // When the wait for the go ends; moves on while a worker is connected.
  int64_t give_up_at_;
  bool asked_to_stop_ = false;
  std::optional<int64_t> force_at_;
  std::optional<ExecFailure> exec_failure_;
  std::optional<int> wait_status_;
  bool none_left_ = false;
  std::optional<int64_t> drain_until_;
  Notice noticed_;
  int64_t noticed_at_ = 0;
};

}  // namespace forebay::holder
