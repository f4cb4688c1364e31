// What every launcher keeps, whatever its infrastructure.

#include <signal.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "tests/conformance/launchers.h"
#include "tests/support/catch.h"

namespace forebay::worker {
namespace {

LauncherKind AnyLauncher() {
  const size_t index = GENERATE(range<size_t>(0, AllLaunchers().size()));
  return AllLaunchers()[index];
}

TEST_CASE("a launched run waits until it is let go") {
  const LauncherKind kind = AnyLauncher();
  Fixture fixture(kind);
  const LaunchSpec spec = fixture.Spec(Writes(kind, 1));
  fixture.Launch(spec);
  CHECK(fixture.launcher().Observe(spec.name)->stage == Stage::kWaiting);
  CHECK(fixture.Text(spec.name).empty());
  REQUIRE(fixture.launcher().Go(spec.name).ok());
  CHECK(fixture.WaitForStage(spec.name, Stage::kExited).exit.exit_code == 0);
}

TEST_CASE("a second launch under the same name makes nothing") {
  const LauncherKind kind = AnyLauncher();
  Fixture fixture(kind);
  const LaunchSpec spec = fixture.Spec(Writes(kind, 1));
  fixture.Launch(spec);
  fixture.Launch(spec);
  CHECK(fixture.launcher().Find() == std::vector<std::string>{spec.name});
  REQUIRE(fixture.launcher().Go(spec.name).ok());
  fixture.WaitForStage(spec.name, Stage::kExited);
  fixture.Launch(spec);
  CHECK(fixture.launcher().Observe(spec.name)->stage == Stage::kExited);
  CHECK(fixture.Text(spec.name).size() == 1);
}

TEST_CASE("going twice begins once") {
  const LauncherKind kind = AnyLauncher();
  Fixture fixture(kind);
  const LaunchSpec spec = fixture.Spec(Writes(kind, 3));
  fixture.Launch(spec);
  REQUIRE(fixture.launcher().Go(spec.name).ok());
  REQUIRE(fixture.launcher().Go(spec.name).ok());
  fixture.WaitForStage(spec.name, Stage::kExited);
  REQUIRE(fixture.launcher().Go(spec.name).ok());
  CHECK(fixture.launcher().Observe(spec.name)->log_lines == fixture.LinesInFront(spec.name) + 3);
}

TEST_CASE("the exit code is kept") {
  const LauncherKind kind = AnyLauncher();
  Fixture fixture(kind);
  const int code = GENERATE(0, 1, 255);
  const Observation seen = fixture.RunToEnd(ExitsWith(kind, code));
  CHECK(seen.exit.exit_code == code);
  CHECK(seen.exit.signal == 0);
  CHECK(seen.exit.reason == "EXITED");
}

TEST_CASE("the signal that ended a run is kept") {
  const LauncherKind kind = AnyLauncher();
  Fixture fixture(kind);
  const Observation seen = fixture.RunToEnd(EndsBySignal(kind, SIGKILL));
  CHECK(seen.exit.exit_code.has_value() == kind.signals_have_exit_codes);
  CHECK(seen.exit.signal == SIGKILL);
  CHECK(seen.exit.reason == "SIGNALED");
}

TEST_CASE("output is complete and in order") {
  const LauncherKind kind = AnyLauncher();
  Fixture fixture(kind);
  std::string name;
  const Observation seen = fixture.RunToEnd(Writes(kind, 5000), &name);
  CHECK(seen.log_lines == fixture.LinesInFront(name) + 5000);
  const auto text = fixture.Text(name);
  REQUIRE(text.size() == 5000);
  bool ordered = true;
  for (size_t i = 0; i < text.size(); ++i) {
    ordered = ordered && text[i] == "line " + std::to_string(i + 1);
  }
  CHECK(ordered);
}

TEST_CASE("the log is read from any sequence number on") {
  const LauncherKind kind = AnyLauncher();
  Fixture fixture(kind);
  std::string name;
  fixture.RunToEnd(Writes(kind, 3000), &name);
  const int64_t first = fixture.LinesInFront(name);
  for (const int64_t from : {int64_t{2999}, int64_t{17}, int64_t{1500}, int64_t{0}}) {
    const auto entries = fixture.launcher().ReadLog(name, first + from, 1, 1000);
    REQUIRE(entries.ok());
    REQUIRE(entries->size() == 1);
    CHECK(entries->front().text() == "line " + std::to_string(from + 1));
  }
  CHECK(fixture.launcher().ReadLog(name, first + 3000, 10, 1000)->empty());
}

TEST_CASE("a stop before it began ends it as never started") {
  const LauncherKind kind = AnyLauncher();
  Fixture fixture(kind);
  const LaunchSpec spec = fixture.Spec(Writes(kind, 1));
  fixture.Launch(spec);
  REQUIRE(fixture.launcher().Stop(spec.name, absl::Seconds(30)).ok());
  const Observation seen = fixture.WaitForStage(spec.name, Stage::kExited);
  CHECK(seen.stage == Stage::kExited);
  CHECK(seen.exit.reason == "NEVER_STARTED");
  CHECK_FALSE(seen.exit.exit_code.has_value());
  CHECK(fixture.Text(spec.name).empty());
  CHECK(fixture.launcher().Go(spec.name).ok());
}

TEST_CASE("a gentle stop ends a run that listens") {
  const LauncherKind kind = AnyLauncher();
  Fixture fixture(kind);
  const std::string name = fixture.Begin(RunsLong(kind));
  fixture.WaitForLines(name, 1);
  REQUIRE(fixture.launcher().Stop(name, absl::Minutes(5)).ok());
  const Observation seen = fixture.WaitForStage(name, Stage::kExited);
  CHECK(seen.exit.signal == SIGTERM);
  CHECK(seen.exit.reason == "SIGNALED");
}

TEST_CASE("force ends a run that does not listen, after the grace") {
  const LauncherKind kind = AnyLauncher();
  Fixture fixture(kind);
  const std::string name = fixture.Begin(IgnoresStop(kind));
  fixture.WaitForLines(name, 1);
  REQUIRE(fixture.launcher().Stop(name, absl::Milliseconds(200)).ok());
  const Observation seen = fixture.WaitForStage(name, Stage::kExited);
  CHECK(seen.exit.signal == SIGKILL);
}

TEST_CASE("a second stop shortens the grace") {
  const LauncherKind kind = AnyLauncher();
  Fixture fixture(kind);
  const std::string name = fixture.Begin(IgnoresStop(kind));
  fixture.WaitForLines(name, 1);
  const absl::Duration first = kind.shortens_grace ? absl::Hours(1) : absl::Seconds(10);
  REQUIRE(fixture.launcher().Stop(name, first).ok());
  CHECK(fixture.launcher().Observe(name)->stage == Stage::kStarted);
  REQUIRE(fixture.launcher().Stop(name, absl::ZeroDuration()).ok());
  CHECK(fixture.WaitForStage(name, Stage::kExited).exit.signal == SIGKILL);
}

TEST_CASE("what is over or absent can be stopped and removed again") {
  const LauncherKind kind = AnyLauncher();
  Fixture fixture(kind);
  std::string name;
  fixture.RunToEnd(ExitsWith(kind, 0), &name);
  CHECK(fixture.launcher().Stop(name, absl::Seconds(1)).ok());
  CHECK(fixture.launcher().Remove(name).ok());
  CHECK(fixture.launcher().Remove(name).ok());
  CHECK(fixture.launcher().Stop(name, absl::Seconds(1)).ok());
  CHECK(fixture.launcher().Find().empty());
  CHECK(fixture.launcher().Observe(name).status().code() == absl::StatusCode::kNotFound);
  CHECK(fixture.launcher().Go(name).code() == absl::StatusCode::kNotFound);
}

TEST_CASE("removing a run that runs ends it first") {
  const LauncherKind kind = AnyLauncher();
  Fixture fixture(kind);
  const std::string name = fixture.Begin(IgnoresStop(kind));
  fixture.WaitForLines(name, 1);
  REQUIRE(fixture.launcher().Remove(name).ok());
  CHECK(fixture.launcher().Find().empty());
}

TEST_CASE("the end of a run is told through the callback") {
  const LauncherKind kind = AnyLauncher();
  std::atomic<int> calls = 0;
  LauncherOptions options;
  options.changed = [&calls](const std::string&) { ++calls; };
  Fixture fixture(kind, options);
  const LaunchSpec spec = fixture.Spec(ExitsWith(kind, 0));
  fixture.Launch(spec);
  REQUIRE(fixture.launcher().Go(spec.name).ok());
  CHECK(Eventually([&] {
    const int before = calls.load();
    return before > 0 && fixture.launcher().Observe(spec.name)->stage == Stage::kExited;
  }));
}

TEST_CASE("an unknown key of the configuration is refused by its name") {
  const LauncherKind kind = AnyLauncher();
  Fixture fixture(kind);
  LaunchSpec spec = fixture.Spec(ExitsWith(kind, 0));
  spec.configuration["labls"] = Json::object();
  const absl::Status refused = fixture.launcher().Launch(spec);
  CHECK(refused.code() == absl::StatusCode::kInvalidArgument);
  CHECK(ReasonOf(refused) == "INVALID_JOB");
  CHECK(DetailOf(refused)->metadata["field"] == "labls");
  CHECK(DetailOf(refused)->metadata["nearest"] == "labels");
  CHECK(fixture.launcher().Find().empty());
}

TEST_CASE("a protected variable is refused by its name") {
  const LauncherKind kind = AnyLauncher();
  Fixture fixture(kind);
  const std::string variable = GENERATE(as<std::string>{}, "LD_PRELOAD", "BASH_ENV", "ENV", "IFS",
                                        "GIT_SSH_COMMAND", "PYTHONSTARTUP", "FOREBAY_RUN_ID");
  LaunchSpec spec = fixture.Spec(ExitsWith(kind, 0));
  spec.configuration["env"] = {{variable, "x"}};
  const absl::Status refused = fixture.launcher().Launch(spec);
  CHECK(ReasonOf(refused) == "INVALID_JOB");
  CHECK(DetailOf(refused)->metadata["field"] == "env." + variable);
  CHECK(fixture.launcher().Find().empty());
}

TEST_CASE("after a restart of the worker its runs are found, or all gone") {
  const LauncherKind kind = AnyLauncher();
  Fixture fixture(kind);
  const std::string name = fixture.Begin(RunsLong(kind));
  fixture.WaitForLines(name, 1);
  fixture.Restart();
  if (!kind.survives) {
    CHECK(fixture.launcher().Find().empty());
    return;
  }
  CHECK(fixture.launcher().Find() == std::vector<std::string>{name});
  CHECK(fixture.launcher().Observe(name)->stage == Stage::kStarted);
  REQUIRE(fixture.launcher().Stop(name, absl::Seconds(30)).ok());
  CHECK(fixture.WaitForStage(name, Stage::kExited).exit.signal == SIGTERM);
}

}  // namespace
}  // namespace forebay::worker
