// The whole worker but for gRPC: its parts put together, the scripted launcher, a server in memory.

#include "worker/workshop.h"

#include <filesystem>
#include <set>
#include <thread>

#include "tests/support/catch.h"
#include "tests/unit/worker/fake_server.h"

namespace forebay::worker {
namespace {

config::v1::WorkerConfig Config(int slots) {
  config::v1::WorkerConfig config;
  config.set_server("127.0.0.1:1");
  config.set_pool("alpha");
  config.set_name("tester");
  config.set_limit(slots);
  return config;
}

// A worker at work; ended orderly at the end of the test unless that is the test.
class Work {
 public:
  explicit Work(int slots = 4, const std::string& predecessor = "")
      : config_(Config(slots)), workshop_(server, registration, config_) {
    REQUIRE(workshop_.OpenLauncher("scripted", config_, "").ok());
    SessionOptions options;
    options.registration.set_pool("alpha");
    options.registration.set_name("tester");
    options.registration.set_type("scripted");
    options.registration.set_slots(slots);
    options.predecessor = predecessor;
    options.registered = [](const std::string&) { return absl::OkStatus(); };
    thread_ = std::thread([this, options] { result_ = workshop_.Run(options); });
  }
  ~Work() {
    if (!thread_.joinable()) return;
    registration.Ask(Ending::kStopRuns);
    thread_.join();
  }

  absl::Status Wait() {
    thread_.join();
    return result_;
  }
  bool EndsAs(const v1::Assignment& assignment, const std::string& fact) {
    return Eventually([&] {
      const auto facts = server.Facts(assignment.attempt().run_id());
      return !facts.empty() && facts.back() == fact;
    });
  }

  FakeServer server;
  Registration registration{SystemClock()};

 private:
  config::v1::WorkerConfig config_;
  Workshop workshop_;
  absl::Status result_;
  std::thread thread_;
};

using Facts = std::vector<std::string>;

}  // namespace

TEST_CASE("worker: a run's facts come in their order, its lines before its end", "[worker]") {
  Work work;
  const v1::Assignment run = MakeAssignment(1, R"({"output_lines": 300, "exit_code": 3})");
  work.server.Grant(run);
  REQUIRE(work.EndsAs(run, "exited"));
  const std::string& id = run.attempt().run_id();
  CHECK(work.server.Facts(id) == Facts{"launching", "launched", "gate", "exited"});
  const v1::AttemptReport last = work.server.Reports().back();
  CHECK(last.exited().exit_code() == 3);
  const std::vector<std::string> lines = work.server.Lines(id);
  CHECK(static_cast<int64_t>(lines.size()) == last.exited().log_lines());
  CHECK(lines.back() == "line 300");
}

TEST_CASE("worker: an answer lost on its way is asked for again and launched once", "[worker]") {
  Work work;
  work.server.LoseNextPollAnswer();
  const v1::Assignment run = MakeAssignment(1);
  work.server.Grant(run);
  REQUIRE(work.EndsAs(run, "exited"));
  CHECK(work.server.Facts(run.attempt().run_id()) ==
        Facts{"launching", "launched", "gate", "exited"});
  const auto polls = work.server.Polls();
  REQUIRE(polls.size() >= 2);
  CHECK(polls[1].replay());
  CHECK(polls[1].request_id() == polls[0].request_id());
  CHECK(polls[1].free_slots() == polls[0].free_slots());
}

TEST_CASE("worker: takes no more than its slots", "[worker]") {
  Work work(2);
  std::vector<v1::Assignment> runs;
  for (int number = 1; number <= 20; ++number) {
    runs.push_back(MakeAssignment(number, R"({"duration_ms": 5})"));
    work.server.Grant(runs.back());
  }
  for (const auto& run : runs) REQUIRE(work.EndsAs(run, "exited"));
  for (const auto& beat : work.server.Beats()) CHECK(beat.held_size() <= 2);
  std::set<std::string> open;
  for (const auto& report : work.server.Reports()) {
    if (report.has_launching()) open.insert(report.attempt().run_id());
    if (report.has_exited()) open.erase(report.attempt().run_id());
    CHECK(open.size() <= 2);
  }
}

TEST_CASE("worker: what the server did not hear it hears when it is back", "[worker]") {
  Work work;
  const v1::Assignment run = MakeAssignment(1, R"({"output_lines": 10, "duration_ms": 50})");
  work.server.Grant(run);
  const std::string& id = run.attempt().run_id();
  REQUIRE(Eventually([&] { return !work.server.Facts(id).empty(); }));
  work.server.FailWith(absl::UnavailableError("away"));
  work.server.FailWith(absl::OkStatus());
  REQUIRE(work.EndsAs(run, "exited"));
  CHECK(work.server.Lines(id).back() == "line 10");
}

TEST_CASE("worker: lines that the server lost are sent again before the end counts", "[worker]") {
  Work work;
  const v1::Assignment run = MakeAssignment(1, R"({"output_lines": 50})");
  const std::string id = run.attempt().run_id();
  bool cut = false;
  work.server.on_report = [&](const v1::AttemptReport& report) {
    v1::ReportResult result;
    result.set_verdict(report.has_exited() && !std::exchange(cut, true)
                           ? v1::REPORT_VERDICT_LOGS_MISSING
                           : v1::REPORT_VERDICT_ACCEPTED);
    return result;
  };
  work.server.Grant(run);
  REQUIRE(Eventually([&] { return work.server.Facts(id).size() >= 5; }));
  CHECK(work.server.Facts(id) == Facts{"launching", "launched", "gate", "exited", "exited"});
  CHECK(work.server.Lines(id).back() == "line 50");
}

TEST_CASE("worker: a forgotten one registers anew and names whom it replaces", "[worker]") {
  Work work(4, "worker-before");
  REQUIRE(Eventually([&] { return !work.server.Polls().empty(); }));
  work.server.ForgetWorker();
  REQUIRE(Eventually([&] { return work.server.Registrations().size() == 2; }));
  const auto registrations = work.server.Registrations();
  CHECK(registrations[0].replaces(0) == "worker-before");
  CHECK(registrations[1].replaces(0) == "worker-1");
  CHECK(registrations[0].instance_id() != registrations[1].instance_id());
  const v1::Assignment run = MakeAssignment(1);
  work.server.Grant(run);
  CHECK(work.EndsAs(run, "exited"));
}

TEST_CASE("worker: what runs is taken over under the next registration", "[worker]") {
  Work work;
  const v1::Assignment run = MakeAssignment(1, R"({"duration_ms": 300})");
  work.server.on_sighting = [&](const v1::Sighting&) {
    v1::Adoption adoption;
    *adoption.mutable_assignment() = run;
    adoption.mutable_assignment()->mutable_attempt()->set_epoch(2);
    adoption.set_verdict(v1::ADOPT_VERDICT_ADOPTED);
    adoption.set_gate_passed(true);
    return adoption;
  };
  work.server.Grant(run);
  const std::string& id = run.attempt().run_id();
  REQUIRE(Eventually([&] { return work.server.Facts(id).size() >= 3; }));
  work.server.ForgetWorker();
  REQUIRE(work.EndsAs(run, "exited"));
  CHECK(work.server.Reports().back().attempt().epoch() == 2);
}

TEST_CASE("worker: a cancelled run ends, and its end is reported", "[worker]") {
  Work work;
  const v1::Assignment run = MakeAssignment(1, R"({"duration_ms": 600000})");
  work.server.Grant(run);
  REQUIRE(work.EndsAs(run, "gate"));
  v1::PollResponse stop;
  *stop.add_stops()->mutable_attempt() = run.attempt();
  stop.mutable_stops(0)->set_reason(v1::STOP_REASON_CANCELLED);
  work.server.Command(stop);
  CHECK(work.EndsAs(run, "exited"));
}

TEST_CASE("worker: a drained one finishes what it has, says goodbye and ends", "[worker]") {
  Work work;
  const v1::Assignment run = MakeAssignment(1, R"({"duration_ms": 100})");
  work.server.Grant(run);
  REQUIRE(work.EndsAs(run, "gate"));
  v1::PollResponse drain;
  drain.set_drain(true);
  work.server.Command(drain);
  CHECK(work.Wait().ok());
  CHECK(work.server.Facts(run.attempt().run_id()).back() == "exited");
  CHECK(work.server.drained());
  CHECK(work.server.deregistered());
}

TEST_CASE("worker: an error that a person has to mend ends it", "[worker]") {
  Work work;
  REQUIRE(Eventually([&] { return !work.server.Polls().empty(); }));
  work.server.FailWith(
      Error(absl::StatusCode::kUnauthenticated, "CREDENTIAL_INVALID").Says("revoked"));
  CHECK(absl::IsUnauthenticated(work.Wait()));
}

}  // namespace forebay::worker
