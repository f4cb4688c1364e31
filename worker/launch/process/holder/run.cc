#include "worker/launch/process/holder/run.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "worker/launch/process/format/process_table.h"
#include "worker/launch/process/holder/clock.h"
#include "worker/launch/process/holder/reaper.h"

namespace forebay::holder {
namespace {

// A run whose worker is gone does not wait here for ever. By then the server has given it to
// another attempt, or the worker that finds it is told that it never began, and it is retried.
constexpr int64_t kAloneMillis = 30'000;
constexpr int64_t kKillAgainMillis = 5;
constexpr int64_t kNoticeEveryMillis = 10;
constexpr int64_t kDrainMillis = 2000;
constexpr int64_t kMostPollMillis = 60'000;

// A flood is read no faster than this allows, so that the pipe slows it down and neighbours keep
// the processors.
void PauseForFlood() {
  constexpr timespec kPause{0, 1'000'000};
  ::nanosleep(&kPause, nullptr);
}

}  // namespace

Run::Run(HolderSpec spec, RunFiles files)
    : spec_(std::move(spec)),
      signals_(std::move(files.signals)),
      connections_(std::move(files.listener)),
      status_(std::move(files.status)),
      writer_(std::move(files.output), spec_.log_rate_bytes, spec_.log_burst_bytes, WallMicros),
      output_splitter_(SplitterOf(output::Stream::kStdout)),
      errors_splitter_(SplitterOf(output::Stream::kStderr)),
      now_(SteadyMillis()),
      give_up_at_(now_ + kAloneMillis) {}

output::LineSplitter Run::SplitterOf(output::Stream stream) {
  return output::LineSplitter([this, stream](std::string_view text, bool partial) {
    if (spec_.keep_output) writer_.Line(stream, text, partial, now_);
  });
}

void Run::Loop() {
  status_.Append(WaitingRecord(LookUpProcess(::getpid()).value_or(ProcessEntry()).id));
  while (phase_ != Phase::kOver) {
    WaitForEvents();
    now_ = SteadyMillis();
    ReadSignals();
    for (const Command& command : connections_.Receive(CurrentNotice())) Obey(command);
    if (phase_ == Phase::kWaiting) {
      if (connections_.any()) give_up_at_ = now_ + kAloneMillis;
      if (now_ >= give_up_at_) NeverStarted("", "its worker was gone before it could begin");
      continue;
    }
    if (phase_ == Phase::kOver) break;
    Drain();
    FinishStart();
    Reap();
    KillWhenDue();
    writer_.Tick(now_);
    Notify();
    EndWhenOver();
  }
}

void Run::WaitForEvents() {
  std::vector<pollfd> polled = {{signals_.get(), POLLIN, 0}};
  connections_.AddTo(polled);
  for (const UniqueFd* fd : {&child_.output, &child_.errors, &child_.exec_result}) {
    if (fd->ok()) polled.push_back({fd->get(), POLLIN, 0});
  }
  const int64_t now = SteadyMillis();
  const int64_t wait = std::clamp<int64_t>(NextDeadline(now) - now, 0, kMostPollMillis);
  ::poll(polled.data(), polled.size(), static_cast<int>(wait));
}

int64_t Run::NextDeadline(int64_t now) const {
  int64_t next = now + kMostPollMillis;
  const auto consider = [&next](int64_t time) { next = std::min(next, time); };
  if (phase_ == Phase::kWaiting) consider(give_up_at_);
  if (force_at_.has_value()) consider(std::max(*force_at_, now + kKillAgainMillis));
  if (wait_status_.has_value()) consider(now + kKillAgainMillis);
  if (auto tick = writer_.NextTick()) consider(*tick);
  if (noticed_.log_lines != writer_.lines()) consider(noticed_at_ + kNoticeEveryMillis);
  if (connections_.behind()) consider(now + kNoticeEveryMillis);
  return next;
}

void Run::ReadSignals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    // Whoever ends the host's services ends the run too, and its end is recorded.
    if (info.ssi_signo == SIGTERM) Stop(spec_.grace_millis);
  }
}

void Run::Obey(const Command& command) {
  if (command.kind == Command::Kind::kGo) {
    if (phase_ == Phase::kWaiting) Go();
  } else {
    Stop(command.grace_millis);
  }
}

void Run::Go() {
  status_.Append(GoingRecord());
  if (spec_.limits.memory_bytes > 0) {
    if (auto group = MemoryCgroup::Make(spec_.name, spec_.limits.memory_bytes)) {
      memory_.emplace(std::move(*group));
    }
  }
  ExecFailure failure;
  auto child = StartChild(spec_, memory_.has_value() ? &*memory_ : nullptr, failure);
  if (!child.has_value()) {
    NeverStarted(FailureClass(failure), FailureText(failure, spec_));
    return;
  }
  child_ = std::move(*child);
  phase_ = Phase::kStarting;
}

void Run::Stop(int64_t grace_millis) {
  if (phase_ == Phase::kOver) return;
  if (phase_ == Phase::kWaiting) {
    NeverStarted("", "stopped before it began");
    return;
  }
  const int64_t force_at = now_ + grace_millis;
  force_at_ = std::min(force_at_.value_or(force_at), force_at);
  if (asked_to_stop_ || wait_status_.has_value()) return;
  asked_to_stop_ = true;
  // Before the process has a group of its own only its own id reaches it.
  if (::kill(-child_.pid, SIGTERM) != 0) ::kill(child_.pid, SIGTERM);
}

void Run::FinishStart() {
  if (!child_.exec_result.ok()) return;
  pollfd ready{child_.exec_result.get(), POLLIN, 0};
  if (::poll(&ready, 1, 0) <= 0) return;
  ExecFailure failure;
  const ssize_t got = ::read(child_.exec_result.get(), &failure, sizeof failure);
  child_.exec_result.Reset();
  if (got == static_cast<ssize_t>(sizeof failure)) {
    exec_failure_ = failure;
    return;
  }
  const auto process = LookUpProcess(child_.pid);
  status_.Append(StartedRecord(process.value_or(ProcessEntry()).id));
  phase_ = Phase::kStarted;
}

void Run::Reap() {
  const Reaped reaped = ReapChildren(child_.pid);
  if (reaped.status.has_value()) wait_status_ = reaped.status;
  none_left_ = reaped.none_left;
  // It may have ended between the look at its start and now.
  if (reaped.status.has_value()) FinishStart();
}

void Run::KillWhenDue() {
  const bool due = wait_status_.has_value() || (force_at_.has_value() && now_ >= *force_at_);
  if (!due || none_left_) return;
  KillDescendants();
  Reap();
}

void Run::Drain() {
  DrainStream(child_.output, output_splitter_);
  DrainStream(child_.errors, errors_splitter_);
  writer_.Flush(now_);
  if (writer_.dropping()) PauseForFlood();
}

void Run::DrainStream(UniqueFd& stream, output::LineSplitter& splitter) {
  if (!stream.ok()) return;
  std::array<char, 64 * 1024> buffer;
  const ssize_t got = ::read(stream.get(), buffer.data(), buffer.size());
  if (got > 0) {
    splitter.Feed({buffer.data(), static_cast<size_t>(got)});
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    stream.Reset();
    splitter.Finish();
  }
}

void Run::Notify() {
  const Notice notice = CurrentNotice();
  const bool due = now_ >= noticed_at_ + kNoticeEveryMillis;
  const bool lines = notice.log_lines != noticed_.log_lines || connections_.behind();
  if (notice.started == noticed_.started && !(due && lines)) return;
  connections_.Send(notice);
  noticed_ = notice;
  noticed_at_ = now_;
}

void Run::EndWhenOver() {
  if (!wait_status_.has_value() || !none_left_) return;
  if (!drain_until_.has_value()) drain_until_ = now_ + kDrainMillis;
  const bool drained = !child_.output.ok() && !child_.errors.ok();
  // Somebody outside the run's tree can hold the pipe open; what it writes later is not the run's.
  if (!drained && now_ < *drain_until_) return;
  output_splitter_.Finish();
  errors_splitter_.Finish();
  if (exec_failure_.has_value()) {
    NeverStarted(FailureClass(*exec_failure_), FailureText(*exec_failure_, spec_));
  } else {
    Record(Describe(*wait_status_));
  }
}

EndRecord Run::Describe(int wait_status) const {
  EndRecord end;
  if (WIFSIGNALED(wait_status)) {
    end.signal = WTERMSIG(wait_status);
    const bool memory = end.signal == SIGKILL && memory_.has_value() && memory_->KilledForMemory();
    end.reason = memory ? "OOM_KILLED" : "SIGNALED";
    if (memory) end.message = "killed for using more memory than its limit";
  } else {
    end.reason = "EXITED";
    end.exit_code = WEXITSTATUS(wait_status);
  }
  return end;
}

void Run::NeverStarted(std::string launch_failure, std::string message) {
  EndRecord end;
  end.reason = "NEVER_STARTED";
  end.launch_failure = std::move(launch_failure);
  end.message = std::move(message);
  Record(std::move(end));
}

void Run::Record(EndRecord end) {
  writer_.Finish(now_);
  const Usage usage = UsageOfChildren();
  end.cpu_user_micros = usage.user_micros;
  end.cpu_system_micros = usage.system_micros;
  end.max_rss_bytes = usage.max_rss_bytes;
  end.log_lines = writer_.lines();
  status_.AppendDurably(ExitedRecord(end));
  phase_ = Phase::kOver;
}

}  // namespace forebay::holder
