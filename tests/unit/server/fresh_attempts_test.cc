#include "server/runs/fresh_attempts.h"

#include "common/crypto/token.h"
#include "server/runs/report.h"
#include "tests/support/catch.h"
#include "tests/support/ids.h"

namespace forebay::server {
namespace {

const Uuid kWorker = *Uuid::Parse("00000000-0000-7000-8000-0000000000aa");

std::vector<FreshAttempt> Grants(std::initializer_list<uint8_t> runs) {
  std::vector<FreshAttempt> grants;
  for (const uint8_t run : runs) {
    FreshAttempt& grant = grants.emplace_back();
    grant.run = Id(run);
    grant.worker = kWorker;
  }
  return grants;
}

size_t Known(const FreshAttempts& fresh, std::initializer_list<uint8_t> runs) {
  std::vector<Uuid> ids;
  for (const uint8_t run : runs) ids.push_back(Id(run));
  return fresh.Of(ids).size();
}

v1::AttemptReport Report(uint8_t run) {
  v1::AttemptReport report;
  report.mutable_attempt()->set_run_id(Id(run).ToString());
  report.mutable_attempt()->set_attempt(1);
  report.mutable_attempt()->set_epoch(1);
  return report;
}

v1::AttemptReport Launched(uint8_t run) {
  v1::AttemptReport report = Report(run);
  report.mutable_launched()->set_infrastructure_id("x");
  return report;
}

v1::AttemptReport Exited(uint8_t run, int code, const std::string& reason = "EXITED") {
  v1::AttemptReport report = Report(run);
  report.mutable_exited()->set_exit_code(code);
  report.mutable_exited()->set_reason(reason);
  return report;
}

std::vector<HeldAttempt> InPhase(Phase phase) {
  FreshAttempts fresh(10);
  std::vector<FreshAttempt> grants = Grants({1});
  grants[0].phase = phase;
  grants[0].ticket_hash = HashToken("the ticket");
  fresh.Granted(grants);
  return fresh.Of({Id(1)});
}

TEST_CASE("fresh attempts: what was granted is known until it is over", "[report]") {
  FreshAttempts fresh(10);
  fresh.Granted(Grants({1, 2, 3}));
  REQUIRE(Known(fresh, {1, 2, 3, 4}) == 3);
  CHECK(fresh.Of({Id(1)})[0].remembered);

  ReportFold fold(fresh.Of({Id(1), Id(2)}));
  fold.Apply(kWorker, Launched(1));
  fresh.Changed(fold.changes());
  CHECK(fresh.Of({Id(1)})[0].state.phase == Phase::kLaunched);
  CHECK(fresh.Of({Id(2)})[0].state.phase == Phase::kGranted);

  std::vector<AttemptChange> over(1);
  over[0].before.run = Id(1);
  over[0].end.emplace();
  fresh.Changed(over);
  fresh.Forget({Id(2)});
  CHECK(Known(fresh, {1, 2, 3}) == 1);
}

TEST_CASE("fresh attempts: beyond the most the oldest go, whatever is over", "[report]") {
  FreshAttempts fresh(3);
  fresh.Granted(Grants({1, 2}));
  fresh.Forget({Id(1)});
  fresh.Granted(Grants({3, 4}));
  CHECK(Known(fresh, {2, 3, 4}) == 3);
  fresh.Granted(Grants({5}));
  CHECK(Known(fresh, {2}) == 0);
  CHECK(Known(fresh, {3, 4, 5}) == 3);
}

TEST_CASE("report: only steps ahead and exit code 0 are plain", "[report]") {
  CHECK(IsPlain(Launched(1)));
  CHECK(IsPlain(Exited(1, 0)));
  CHECK_FALSE(IsPlain(Exited(1, 1)));
  CHECK_FALSE(IsPlain(Exited(1, 0, "NEVER_STARTED")));
  CHECK_FALSE(IsPlain(Exited(1, 0, "HOLDER_LOST")));
  CHECK_FALSE(IsPlain(Report(1)));
  v1::AttemptReport failed = Report(1);
  failed.mutable_launch_failed();
  CHECK_FALSE(IsPlain(failed));
  v1::AttemptReport killed = Report(1);
  killed.mutable_exited()->set_signal(9);
  CHECK_FALSE(IsPlain(killed));
}

TEST_CASE("report: from memory nothing counts that no statement checks", "[report]") {
  SECTION("a step ahead is checked by what writes it") {
    ReportFold fold(InPhase(Phase::kGranted));
    CHECK(fold.Apply(kWorker, Launched(1)).verdict() == v1::REPORT_VERDICT_ACCEPTED);
    CHECK(fold.Checked());
  }
  SECTION("a repeated fact writes nothing") {
    ReportFold fold(InPhase(Phase::kStarted));
    v1::AttemptReport gate = Report(1);
    gate.mutable_gate()->set_launch_ticket("the ticket");
    CHECK(fold.Apply(kWorker, gate).verdict() == v1::REPORT_VERDICT_ACCEPTED);
    CHECK_FALSE(fold.Checked());
  }
  SECTION("a completion is checked") {
    ReportFold fold(InPhase(Phase::kStarted));
    CHECK(fold.Apply(kWorker, Exited(1, 0)).verdict() == v1::REPORT_VERDICT_ACCEPTED);
    CHECK(fold.Checked());
  }
  SECTION("an end before the start is another thing than a completion") {
    ReportFold fold(InPhase(Phase::kLaunched));
    fold.Apply(kWorker, Exited(1, 0));
    CHECK_FALSE(fold.Checked());
  }
  SECTION("what is refused may have become right") {
    ReportFold fold(InPhase(Phase::kGranted));
    v1::AttemptReport gate = Report(1);
    gate.mutable_gate()->set_launch_ticket("another");
    fold.Apply(kWorker, Launched(1));
    CHECK(fold.Apply(kWorker, gate).verdict() == v1::REPORT_VERDICT_STALE);
    CHECK_FALSE(fold.Checked());
  }
  SECTION("so may another worker's") {
    ReportFold fold(InPhase(Phase::kGranted));
    CHECK(fold.Apply(Id(9), Launched(1)).verdict() == v1::REPORT_VERDICT_STALE);
    CHECK_FALSE(fold.Checked());
  }
  SECTION("what nobody reports of is not looked at") {
    ReportFold fold(InPhase(Phase::kGranted));
    CHECK_FALSE(fold.Checked());
  }
}

}  // namespace
}  // namespace forebay::server
