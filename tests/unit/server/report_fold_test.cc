#include "common/crypto/token.h"
#include "server/runs/report.h"
#include "tests/support/catch.h"
#include "tests/support/ids.h"

namespace forebay::server {
namespace {

HeldAttempt Held() {
  HeldAttempt held;
  held.run = Id(1);
  held.attempt = 2;
  held.epoch = 7;
  held.worker = Id(5);
  held.ticket_hash = HashToken("the ticket");
  return held;
}

v1::AttemptReport Report(int attempt = 2, int64_t epoch = 7) {
  v1::AttemptReport report;
  report.mutable_attempt()->set_run_id(Id(1).ToString());
  report.mutable_attempt()->set_attempt(attempt);
  report.mutable_attempt()->set_epoch(epoch);
  return report;
}

v1::AttemptReport Gate(const std::string& ticket) {
  v1::AttemptReport report = Report();
  report.mutable_gate()->set_launch_ticket(ticket);
  return report;
}

TEST_CASE("report: only the current attempt, epoch and worker count", "[report]") {
  ReportFold fold({Held()});
  v1::AttemptReport launched = Report();
  launched.mutable_launched()->set_infrastructure_id("x");
  CHECK(fold.Apply(Id(6), launched).verdict() == v1::REPORT_VERDICT_STALE);
  v1::AttemptReport old_epoch = Report(2, 6);
  old_epoch.mutable_launched();
  CHECK(fold.Apply(Id(5), old_epoch).verdict() == v1::REPORT_VERDICT_STALE);
  v1::AttemptReport old_attempt = Report(1, 7);
  old_attempt.mutable_launched();
  CHECK(fold.Apply(Id(5), old_attempt).verdict() == v1::REPORT_VERDICT_STALE);
  CHECK(fold.changes()[0].phase == Phase::kGranted);
  CHECK(fold.Apply(Id(5), launched).verdict() == v1::REPORT_VERDICT_ACCEPTED);
  CHECK(fold.changes()[0].phase == Phase::kLaunched);
}

TEST_CASE("report: the gate needs the ticket and may be repeated under one epoch", "[report]") {
  ReportFold fold({Held()});
  CHECK(fold.Apply(Id(5), Gate("another")).verdict() == v1::REPORT_VERDICT_STALE);
  CHECK(fold.Apply(Id(5), Gate("the ticket")).verdict() == v1::REPORT_VERDICT_ACCEPTED);
  CHECK(fold.Apply(Id(5), Gate("the ticket")).verdict() == v1::REPORT_VERDICT_ACCEPTED);
  CHECK(fold.changes()[0].phase == Phase::kStarted);
}

TEST_CASE("report: nothing counts after the end, also within one batch", "[report]") {
  ReportFold fold({Held()});
  REQUIRE(fold.Apply(Id(5), Gate("the ticket")).verdict() == v1::REPORT_VERDICT_ACCEPTED);
  v1::AttemptReport exited = Report();
  exited.mutable_exited()->set_exit_code(0);
  CHECK(fold.Apply(Id(5), exited).verdict() == v1::REPORT_VERDICT_ACCEPTED);
  exited.mutable_exited()->set_exit_code(1);
  CHECK(fold.Apply(Id(5), exited).verdict() == v1::REPORT_VERDICT_STALE);
  REQUIRE(fold.changes()[0].end.has_value());
  CHECK(fold.changes()[0].end->outcome == Outcome::kCompleted);
}

TEST_CASE("report: a figure that was not said is not known, and below zero there is none",
          "[report]") {
  ReportFold fold({Held()});
  REQUIRE(fold.Apply(Id(5), Gate("the ticket")).verdict() == v1::REPORT_VERDICT_ACCEPTED);
  v1::AttemptReport exited = Report();
  exited.mutable_exited()->set_exit_code(0);
  v1::Usage& usage = *exited.mutable_exited()->mutable_usage();
  usage.set_cpu_micros(0);
  usage.set_cpu_reserved_micros(5);
  usage.set_max_rss_bytes(-1);
  REQUIRE(fold.Apply(Id(5), exited).verdict() == v1::REPORT_VERDICT_ACCEPTED);
  const ResourceUsage& kept = fold.changes()[0].usage;
  CHECK(kept.cpu_micros == 0);
  CHECK(kept.cpu_reserved_micros == 5);
  CHECK_FALSE(kept.max_rss_bytes.has_value());
  CHECK_FALSE(kept.cpu_user_micros.has_value());
  CHECK_FALSE(kept.memory_reserved_byte_seconds.has_value());
}

TEST_CASE("report: an end with lines missing is put off", "[report]") {
  ReportFold fold({Held()});
  v1::AttemptReport exited = Report();
  exited.mutable_exited()->set_exit_code(0);
  exited.mutable_exited()->set_log_lines(3);
  CHECK(fold.Apply(Id(5), exited).verdict() == v1::REPORT_VERDICT_LOGS_MISSING);
  CHECK_FALSE(fold.changes()[0].end.has_value());
}

TEST_CASE("report: a wanted stop is said with every answer", "[report]") {
  HeldAttempt held = Held();
  held.state.stop = Stop::kCancel;
  ReportFold fold({held});
  CHECK(fold.Apply(Id(5), Gate("the ticket")).verdict() == v1::REPORT_VERDICT_STOP);
  CHECK(fold.changes()[0].phase == Phase::kGranted);
}

}  // namespace
}  // namespace forebay::server
