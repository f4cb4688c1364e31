// The life of one attempt in the worker's hands, event by event.

#include "worker/supervise/attempt.h"

#include "tests/support/catch.h"
#include "tests/support/seeded_random.h"
#include "tests/unit/worker/fake_server.h"

namespace forebay::worker {
namespace {

using Kind = Action::Kind;
using Step = Attempt::Step;

constexpr absl::Duration kGrace = absl::Seconds(3);

Observation At(Stage stage, int64_t log_lines = 0) {
  Observation seen;
  seen.stage = stage;
  seen.infrastructure_id = "1:2";
  seen.log_lines = log_lines;
  if (stage == Stage::kExited) {
    seen.exit.exit_code = 0;
    seen.exit.reason = "EXITED";
  }
  return seen;
}

v1::ReportResult Said(v1::ReportVerdict verdict) {
  v1::ReportResult result;
  result.set_verdict(verdict);
  return result;
}

std::vector<Kind> Kinds(const Actions& actions) {
  std::vector<Kind> kinds;
  for (const Action& action : actions) kinds.push_back(action.kind);
  return kinds;
}

using Ks = std::vector<Kind>;

v1::AttemptReport Gate(const Actions& actions) {
  REQUIRE(Kinds(actions) == Ks{Kind::kReport, Kind::kReport});
  REQUIRE(actions[0].report.has_launched());
  REQUIRE(actions[1].report.gate().launch_ticket() == "ticket-1");
  return actions[1].report;
}

v1::Adoption Adopted(bool gate_passed, int64_t next_log = 0) {
  v1::Adoption adoption;
  *adoption.mutable_assignment() = MakeAssignment(1);
  adoption.mutable_assignment()->mutable_attempt()->set_epoch(2);
  adoption.set_verdict(v1::ADOPT_VERDICT_ADOPTED);
  adoption.set_gate_passed(gate_passed);
  adoption.set_next_log_sequence(next_log);
  return adoption;
}

// As far as a launched attempt whose gate is open.
Attempt Running() {
  Attempt attempt(MakeAssignment(1), kGrace);
  attempt.Begin();
  const v1::AttemptReport gate = Gate(attempt.Launched(At(Stage::kWaiting)));
  attempt.Answered(gate, Said(v1::REPORT_VERDICT_ACCEPTED));
  attempt.Went(absl::OkStatus());
  REQUIRE(attempt.step() == Step::kRunning);
  return attempt;
}

}  // namespace

TEST_CASE("attempt: from launch to removal", "[attempt]") {
  Attempt attempt(MakeAssignment(1), kGrace);
  const Actions begin = attempt.Begin();
  CHECK(Kinds(begin) == Ks{Kind::kReport, Kind::kLaunch});
  CHECK(begin[0].report.launching().infrastructure_name() == attempt.name());
  const v1::AttemptReport gate = Gate(attempt.Launched(At(Stage::kWaiting)));
  CHECK(Kinds(attempt.Answered(gate, Said(v1::REPORT_VERDICT_ACCEPTED))) == Ks{Kind::kGo});
  CHECK(Kinds(attempt.Went(absl::OkStatus())) == Ks{Kind::kFollowLog});
  CHECK(attempt.Seen(At(Stage::kStarted)).empty());
  const Actions ended = attempt.Seen(At(Stage::kExited, 3));
  REQUIRE(Kinds(ended) == Ks{Kind::kFollowLog});
  CHECK(ended[0].final);
  CHECK(attempt.LogArrived(2, false).empty());
  const Actions last = attempt.LogArrived(3, false);
  REQUIRE(Kinds(last) == Ks{Kind::kReport});
  CHECK(last[0].report.exited().exit_code() == 0);
  CHECK(last[0].report.exited().log_lines() == 3);
  CHECK(Kinds(attempt.Answered(last[0].report, Said(v1::REPORT_VERDICT_ACCEPTED))) ==
        Ks{Kind::kRemove});
  CHECK_FALSE(attempt.held());
  CHECK(Kinds(attempt.Removed()) == Ks{Kind::kFinish});
}

TEST_CASE("attempt: what was not measured is not reported", "[attempt]") {
  Attempt attempt = Running();
  Observation end = At(Stage::kExited);
  end.exit.cpu_micros = 0;
  end.exit.memory_reserved_byte_seconds = 7;
  const v1::Usage usage = attempt.Seen(end).at(0).report.exited().usage();
  CHECK((usage.has_cpu_micros() && usage.cpu_micros() == 0));
  CHECK(usage.memory_reserved_byte_seconds() == 7);
  CHECK_FALSE(usage.has_cpu_user_micros());
  CHECK_FALSE(usage.has_cpu_system_micros());
  CHECK_FALSE(usage.has_max_rss_bytes());
  CHECK_FALSE(usage.has_cpu_reserved_micros());
}

TEST_CASE("attempt: a gate that is refused ends it without a word", "[attempt]") {
  Attempt attempt(MakeAssignment(1), kGrace);
  attempt.Begin();
  const v1::AttemptReport gate = Gate(attempt.Launched(At(Stage::kWaiting)));
  CHECK(Kinds(attempt.Answered(gate, Said(v1::REPORT_VERDICT_STALE))) == Ks{Kind::kRemove});
  CHECK(attempt.Answered(gate, Said(v1::REPORT_VERDICT_ACCEPTED)).empty());
}

TEST_CASE("attempt: a launch that fails is reported with its reason", "[attempt]") {
  Attempt attempt(MakeAssignment(1), kGrace);
  attempt.Begin();
  SECTION("by the run's fault") {
    const Actions failed =
        attempt.Launched(Error(absl::StatusCode::kInvalidArgument, "INVALID_JOB").Says("no"));
    CHECK(failed.at(0).report.launch_failed().reason() == "INVALID_JOB");
    CHECK_FALSE(failed.at(0).report.launch_failed().retryable());
  }
  SECTION("by the host's") {
    const Actions failed = attempt.Launched(absl::UnavailableError("no memory"));
    CHECK(failed.at(0).report.launch_failed().reason() == "INFRASTRUCTURE_UNAVAILABLE");
    CHECK(failed.at(0).report.launch_failed().retryable());
  }
  SECTION("while it is stopped: it never began") {
    attempt.Stop(v1::STOP_REASON_CANCELLED);
    const Actions failed = attempt.Launched(absl::UnavailableError("no memory"));
    CHECK(failed.at(0).report.exited().reason() == "NEVER_STARTED");
  }
}

TEST_CASE("attempt: a cancel before the gate never lets it begin", "[attempt]") {
  Attempt attempt(MakeAssignment(1), kGrace);
  attempt.Begin();
  SECTION("while it is launched") {
    CHECK(attempt.Stop(v1::STOP_REASON_CANCELLED).empty());
    const Actions stop = attempt.Launched(At(Stage::kWaiting));
    REQUIRE(Kinds(stop) == Ks{Kind::kStop});
    CHECK(stop[0].grace == kGrace);
  }
  SECTION("while the gate is asked for") {
    const v1::AttemptReport gate = Gate(attempt.Launched(At(Stage::kWaiting)));
    CHECK(Kinds(attempt.Stop(v1::STOP_REASON_CANCELLED)) == Ks{Kind::kStop});
    CHECK(attempt.Answered(gate, Said(v1::REPORT_VERDICT_ACCEPTED)).empty());
  }
  CHECK(attempt.Seen(At(Stage::kWaiting)).empty());
}

TEST_CASE("attempt: who asks it to end again can only have it end sooner", "[attempt]") {
  Attempt attempt = Running();
  // What carries no grace of its own may come before what does.
  REQUIRE(attempt.Stop(v1::STOP_REASON_CANCELLED).at(0).grace == kGrace);
  CHECK(attempt.Stop(v1::STOP_REASON_CANCELLED).empty());
  CHECK(attempt.Stop(v1::STOP_REASON_CANCELLED, kGrace * 2).empty());
  const Actions sooner = attempt.Stop(v1::STOP_REASON_CANCELLED, kGrace / 2);
  REQUIRE(Kinds(sooner) == Ks{Kind::kStop});
  CHECK(sooner[0].grace == kGrace / 2);
}

TEST_CASE("attempt: an answer that stops it says how soon", "[attempt]") {
  Attempt attempt(MakeAssignment(1), kGrace);
  attempt.Begin();
  const v1::AttemptReport gate = Gate(attempt.Launched(At(Stage::kWaiting)));
  v1::ReportResult stop = Said(v1::REPORT_VERDICT_STOP);
  stop.mutable_stop_grace()->set_seconds(7);
  CHECK(attempt.Answered(gate, stop).at(0).grace == absl::Seconds(7));
}

TEST_CASE("attempt: superseded infrastructure is removed and not reported", "[attempt]") {
  Attempt attempt = Running();
  CHECK(Kinds(attempt.Stop(v1::STOP_REASON_SUPERSEDED)) == Ks{Kind::kRemove});
  CHECK(attempt.Seen(At(Stage::kExited)).empty());
  CHECK(Kinds(attempt.Removed()) == Ks{Kind::kFinish});
}

TEST_CASE("attempt: without a lease nothing is launched or let go until it is renewed",
          "[attempt]") {
  Attempt attempt(MakeAssignment(1), kGrace);
  attempt.Begin();
  attempt.Fenced();
  CHECK(Kinds(attempt.LeaseRenewed()) == Ks{Kind::kLaunch});
  CHECK(attempt.LeaseRenewed().empty());
  const v1::AttemptReport gate = Gate(attempt.Launched(At(Stage::kWaiting)));
  attempt.Answered(gate, Said(v1::REPORT_VERDICT_ACCEPTED));
  attempt.Fenced();
  CHECK(attempt.Seen(At(Stage::kWaiting)).empty());
  CHECK(Kinds(attempt.LeaseRenewed()) == Ks{Kind::kGo});
}

TEST_CASE("attempt: what is adopted goes on from what is seen", "[attempt]") {
  SECTION("waiting before its gate: it is launched again, and the gate is asked for") {
    Attempt attempt(Adopted(false), kGrace);
    attempt.Begin();
    CHECK(Kinds(attempt.Seen(At(Stage::kWaiting))) == Ks{Kind::kLaunch});
    Gate(attempt.Launched(At(Stage::kWaiting)));
  }
  SECTION("still preparing: it is launched again") {
    Attempt attempt(Adopted(false), kGrace);
    attempt.Begin();
    CHECK(Kinds(attempt.Seen(At(Stage::kPreparing))) == Ks{Kind::kLaunch});
    CHECK(Kinds(attempt.Launched(At(Stage::kPreparing))) == Ks{Kind::kFollowLog});
  }
  SECTION("waiting after its gate: it is let go") {
    Attempt attempt(Adopted(true), kGrace);
    attempt.Begin();
    CHECK(Kinds(attempt.Seen(At(Stage::kWaiting))) == Ks{Kind::kGo});
  }
  SECTION("started: its output is followed from where the server is") {
    Attempt attempt(Adopted(true, 5), kGrace);
    const Actions begin = attempt.Begin();
    REQUIRE(Kinds(begin) == Ks{Kind::kFollowLog, Kind::kObserve});
    CHECK(begin[0].sequence == 5);
    attempt.Seen(At(Stage::kStarted, 7));
    CHECK(attempt.step() == Step::kRunning);
  }
  SECTION("over: its end is reported") {
    Attempt attempt(Adopted(true, 7), kGrace);
    attempt.Begin();
    const Actions ended = attempt.Seen(At(Stage::kExited, 7));
    REQUIRE(Kinds(ended) == Ks{Kind::kReport});
    CHECK(ended[0].report.attempt().epoch() == 2);
  }
  SECTION("gone: that is reported") {
    Attempt attempt(Adopted(true, 7), kGrace);
    attempt.Begin();
    const Actions ended = attempt.Seen(absl::NotFoundError("gone"));
    REQUIRE(Kinds(ended) == Ks{Kind::kReport});
    CHECK(ended[0].report.exited().reason() == "HOLDER_LOST");
  }
}

TEST_CASE("attempt: the end waits for the output, but not for output that cannot be read",
          "[attempt]") {
  Attempt attempt = Running();
  attempt.Seen(At(Stage::kExited, 10));
  CHECK(attempt.LogArrived(4, false).empty());
  const Actions last = attempt.LogArrived(4, true);
  REQUIRE(Kinds(last) == Ks{Kind::kReport});
  CHECK(last[0].report.exited().log_lines() == 4);
}

TEST_CASE("attempt: lines that the server lost are sent again before the end", "[attempt]") {
  Attempt attempt = Running();
  const Actions end = attempt.Seen(At(Stage::kExited));
  REQUIRE(Kinds(end) == Ks{Kind::kReport});
  const Actions again = attempt.Answered(end[0].report, Said(v1::REPORT_VERDICT_LOGS_MISSING));
  REQUIRE(Kinds(again) == Ks{Kind::kFollowLog});
  CHECK(again[0].final);
  CHECK(Kinds(attempt.LogArrived(0, true)) == Ks{Kind::kReport});
}

namespace {

// Throws any event at an attempt, in any order, and keeps what must hold whatever comes.
class Storm {
 public:
  explicit Storm(uint64_t seed) : random_(seed), attempt_(MakeAssignment(1), kGrace) {
    Take(attempt_.Begin());
  }

  void Strike() {
    switch (random_.Below(11)) {
      case 0:
        return Take(attempt_.Launched(At(Stage::kWaiting)));
      case 1:
        return Take(attempt_.Launched(absl::UnavailableError("no")));
      case 2:
        return Take(attempt_.Went(absl::OkStatus()));
      case 3:
        return Take(attempt_.Went(absl::UnavailableError("no")));
      case 4:
        return attempt_.Fenced();
      case 5:
        return Take(attempt_.LeaseRenewed());
      case 6:
        return Take(attempt_.Seen(At(static_cast<Stage>(random_.Below(4)), Lines())));
      case 7:
        return Take(attempt_.LogArrived(Lines(), random_.Below(2) == 0));
      case 8:
        return Take(attempt_.Stop(static_cast<v1::StopReason>(random_.Below(4))));
      case 9:
        return Take(attempt_.Removed());
      default:
        return Answer();
    }
  }

  // What the world does in the end, if nothing else happens.
  void Calm() {
    for (int i = 0; i < 4 && !finished_; ++i) {
      Take(attempt_.LeaseRenewed());
      Take(attempt_.Launched(absl::UnavailableError("no")));
      Take(attempt_.Seen(At(Stage::kExited)));
      Take(attempt_.LogArrived(100, true));
      if (last_.has_value()) {
        const v1::AttemptReport report = *last_;
        Take(attempt_.Answered(report, Said(v1::REPORT_VERDICT_ACCEPTED)));
      }
      Take(attempt_.Removed());
    }
    CHECK(finished_);
    CHECK(attempt_.step() == Step::kDone);
  }

 private:
  int64_t Lines() { return static_cast<int64_t>(random_.Below(20)); }

  void Answer() {
    if (reports_.empty()) return;
    const v1::AttemptReport report = reports_[random_.Below(reports_.size())];
    const auto verdict = static_cast<v1::ReportVerdict>(random_.Below(5));
    if (report.has_gate() && verdict == v1::REPORT_VERDICT_ACCEPTED) gate_open_ = true;
    Take(attempt_.Answered(report, Said(verdict)));
  }

  void Take(const Actions& actions) {
    for (const Action& action : actions) {
      CHECK_FALSE(finished_);
      if (action.kind == Kind::kGo) CHECK(gate_open_);
      if (action.kind == Kind::kLaunch || action.kind == Kind::kGo) CHECK_FALSE(removing_);
      if (action.kind == Kind::kRemove) removing_ = true;
      if (action.kind == Kind::kFinish) {
        CHECK(removing_);
        finished_ = true;
      }
      if (action.kind == Kind::kReport) Keep(action.report);
    }
  }

  void Keep(const v1::AttemptReport& report) {
    reports_.push_back(report);
    if (report.has_exited() || report.has_launch_failed()) last_ = report;
  }

  SeededRandom random_;
  Attempt attempt_;
  std::vector<v1::AttemptReport> reports_;
  std::optional<v1::AttemptReport> last_;
  bool gate_open_ = false;
  bool removing_ = false;
  bool finished_ = false;
};

}  // namespace

TEST_CASE("attempt: no order of events starts it without its gate or leaves it behind",
          "[attempt]") {
  for (uint64_t seed = 1; seed <= 5000; ++seed) {
    INFO("seed " << seed);
    Storm storm(seed);
    for (int event = 0; event < 30; ++event) storm.Strike();
    storm.Calm();
  }
}

}  // namespace forebay::worker
