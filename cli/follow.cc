#include "cli/follow.h"

#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "cli/answer.h"
#include "cli/detach.h"
#include "cli/exit_code.h"
#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "cli/patience.h"
#include "common/base/status.h"
#include "common/base/sync.h"
#include "forebay/v1/log.pb.h"

namespace forebay::cli {
namespace {

constexpr int64_t kLongPollSeconds = 30;
// A run that still waits after this is worth a word about why.
constexpr int64_t kFirstWaitSeconds = 2;

// Puts lines on standard output as the run wrote them.
class LogPrinter {
 public:
  LogPrinter(Session& session, bool timestamps) : session_(session), timestamps_(timestamps) {}
  ~LogPrinter() { EndPartial(); }
  LogPrinter(const LogPrinter&) = delete;
  LogPrinter& operator=(const LogPrinter&) = delete;

  void Print(const v1::LogLine& line) {
    if (session_.output().format == OutputFormat::kJson) {
      session_.out() << DumpJson(ToJson(line)) << '\n';
      return;
    }
    const v1::LogEntry& entry = line.entry();
    // The rest of a split line follows without a break, unless the other stream spoke in between.
    if (in_partial_ && entry.stream() != partial_stream_) EndPartial();
    if (timestamps_ && !in_partial_) session_.out() << Stamp(entry) << ' ';
    const bool ours = entry.stream() == v1::LOG_STREAM_SYSTEM;
    session_.out() << Colored(entry.text(), ours ? Color::kDim : Color::kNone,
                              session_.output().color_out);
    in_partial_ = entry.partial();
    partial_stream_ = entry.stream();
    if (!in_partial_) session_.out() << '\n';
  }

  void Flush() { session_.out().flush(); }

 private:
  static std::string Stamp(const v1::LogEntry& entry) {
    return FormatTime(absl::FromUnixMicros(entry.time_micros()), absl::UnixEpoch(),
                      TimeStyle::kIso);
  }

  void EndPartial() {
    if (in_partial_) session_.out() << std::endl;
    in_partial_ = false;
  }

  Session& session_;
  const bool timestamps_;
  bool in_partial_ = false;
  v1::LogStream partial_stream_ = v1::LOG_STREAM_UNSPECIFIED;
};

absl::Status OutcomeOf(const v1::FlowRun& run) {
  if (run.state().type() == v1::STATE_TYPE_COMPLETED) return absl::OkStatus();
  const bool failed = run.state().type() == v1::STATE_TYPE_FAILED;
  return Error(absl::StatusCode::kUnknown, failed ? kRunFailed : kRunCrashed)
      .Next(fmt::format("forebay flow-run inspect {}", LastSegment(run.name())))
      .Says("flow run `{}` {}: {}", run.display_name(), StateName(run.state()),
            run.state().message());
}

// Says each state of the run once, in order, however many passed between two looks.
class StateTeller {
 public:
  explicit StateTeller(Session& session) : session_(session) {}

  absl::Status Tell(Client& client, const std::string& name) {
    v1::GetFlowRunRequest request;
    request.set_name(name);
    request.set_view(v1::RUN_VIEW_FULL);
    ASSIGN_OR_RETURN(const auto response, client.Call<v1::GetFlowRunResponse>(request));
    const v1::FlowRun& run = response.flow_run();
    for (; told_ < run.states_size(); ++told_) {
      if (IsOver(run.states(told_).type())) {
        end_ = run.states(told_);
      } else {
        Say(run.states(told_));
      }
    }
    return absl::OkStatus();
  }

  // The last state, kept back so that it stands below the last line of the log.
  void TellEnd() {
    if (IsOver(end_.type())) Say(end_);
  }

  void TellWaiting(const v1::FlowRun& run) {
    if (run.waiting_reason().empty() || run.waiting_reason() == reason_) return;
    reason_ = run.waiting_reason();
    session_.Say(fmt::format("  waiting: {}", reason_));
  }

 private:
  void Say(const v1::State& state) {
    const std::string name = StateName(state);
    const std::string time =
        absl::FormatTime("%H:%M:%S", TimeOf(state.time()), absl::LocalTimeZone());
    const std::string pad(name.size() < 10 ? 10 - name.size() : 0, ' ');
    std::string line = fmt::format(
        "{}  {}{}", time, Colored(name, StateColor(name), session_.output().color_err), pad);
    if (!state.message().empty()) line += "  " + state.message();
    session_.Say(line);
  }

  Session& session_;
  int told_ = 0;
  v1::State end_;
  std::string reason_;
};

class RunFollower {
 public:
  RunFollower(Session& session, Client& client, std::string run,
              std::optional<absl::Duration> timeout)
      : session_(session),
        client_(client),
        run_(std::move(run)),
        patience_(session, true),
        teller_(session),
        give_up_(timeout.has_value() ? session.clock().Monotonic() + *timeout
                                     : absl::InfiniteDuration()) {}

  // Until the run is over.
  absl::StatusOr<v1::FlowRun> Follow() {
    v1::FlowRun run;
    int64_t wait_seconds = kFirstWaitSeconds;
    for (;;) {
      const int64_t known = run.version();
      const auto wait = absl::Seconds(wait_seconds);
      RETURN_IF_ERROR(
          patience_.Keep([&] { return Watch(known, std::min(wait, TimeLeft()), run); }));
      if (run.version() != known) {
        RETURN_IF_ERROR(patience_.Keep([&] { return teller_.Tell(client_, run_); }));
      } else {
        teller_.TellWaiting(run);
        wait_seconds = kLongPollSeconds;
      }
      if (IsOver(run.state().type())) return run;
      if (TimeLeft() <= absl::ZeroDuration()) return TimedOut(run);
    }
  }

  void TellEnd() { teller_.TellEnd(); }

 private:
  absl::Duration TimeLeft() const {
    return std::max(give_up_ - session_.clock().Monotonic(), absl::ZeroDuration());
  }

  absl::Status Watch(int64_t known, absl::Duration wait, v1::FlowRun& run) {
    v1::WatchFlowRunRequest request;
    request.set_name(run_);
    request.set_known_version(known);
    const int64_t ms = absl::ToInt64Milliseconds(wait);
    request.mutable_wait()->set_seconds(ms / 1000);
    request.mutable_wait()->set_nanos(static_cast<int32_t>(ms % 1000 * 1'000'000));
    ASSIGN_OR_RETURN(auto response, client_.Call<v1::WatchFlowRunResponse>(
                                        request, wait + Client::kDefaultDeadline));
    run = std::move(*response.mutable_flow_run());
    return absl::OkStatus();
  }

  absl::Status TimedOut(const v1::FlowRun& run) const {
    return Error(absl::StatusCode::kDeadlineExceeded, kWaitTimedOut)
        .Field("timeout", "")
        .Next(fmt::format("forebay flow-run watch {}", LastSegment(run_)))
        .Says("flow run `{}` is still {}; it goes on", run.display_name(), StateName(run.state()));
  }

  Session& session_;
  Client& client_;
  const std::string run_;
  Patience patience_;
  StateTeller teller_;
  const absl::Duration give_up_;
};

}  // namespace

std::string StateName(const v1::State& state) {
  const auto* value = v1::StateType_descriptor()->FindValueByNumber(state.type());
  return value == nullptr ? std::to_string(state.type()) : ShortEnumName(*value);
}

bool IsOver(v1::StateType type) {
  return type == v1::STATE_TYPE_COMPLETED || type == v1::STATE_TYPE_FAILED ||
         type == v1::STATE_TYPE_CANCELLED || type == v1::STATE_TYPE_CRASHED;
}

absl::Status PrintLog(Session& session, const std::string& run, const LogOptions& options) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  Patience patience(session, false);
  LogPrinter printer(session, options.timestamps);
  v1::ListLogLinesRequest request;
  request.set_flow_run(run);
  request.set_offset(options.offset);
  if (options.follow) request.mutable_wait()->set_seconds(kLongPollSeconds);
  for (;;) {
    v1::ListLogLinesResponse page;
    RETURN_IF_ERROR(patience.Keep([&]() -> absl::Status {
      ASSIGN_OR_RETURN(page,
                       client->Call<v1::ListLogLinesResponse>(
                           request, absl::Seconds(kLongPollSeconds) + Client::kDefaultDeadline));
      return absl::OkStatus();
    }));
    for (const auto& line : page.lines()) printer.Print(line);
    printer.Flush();
    request.set_offset(page.next_offset());
    if (page.complete() || (!options.follow && page.lines().empty())) return absl::OkStatus();
  }
}

absl::Status FollowRun(Session& session, const std::string& run,
                       std::optional<absl::Duration> timeout) {
  const std::string id = LastSegment(run);
  DetachOnInterrupt(
      fmt::format("\nDetached; the run goes on. Watch again: forebay flow-run watch {0}\n"
                  "Cancel it: forebay flow-run cancel {0}\n",
                  id));
  ASSIGN_OR_RETURN(Client * client, session.client());
  absl::Status log_status;
  std::thread log([&] { log_status = PrintLog(session, run, {.follow = true}); });
  RunFollower follower(session, *client, run, timeout);
  const auto finished = follower.Follow();
  if (!finished.ok()) client->CancelCalls();
  log.join();
  RETURN_IF_ERROR(finished.status());
  follower.TellEnd();
  RETURN_IF_ERROR(log_status);
  return OutcomeOf(*finished);
}

}  // namespace forebay::cli
