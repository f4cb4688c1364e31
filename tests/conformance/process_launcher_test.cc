// What a run of a process pool is promised beyond the conformance of all launchers.

#include <fmt/format.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/os/files.h"
#include "tests/conformance/launchers.h"
#include "tests/support/catch.h"
#include "worker/launch/process/format/process_table.h"

namespace forebay::worker {
namespace {

const LauncherKind& Process() { return AllLaunchers()[0]; }

Json Command(std::vector<std::string> argv) { return {{"command", argv}}; }
Json Shell(const std::string& script) { return Command({"/bin/sh", "-c", script}); }

bool Runs(pid_t pid) {
  const auto entry = holder::LookUpProcess(pid);
  return entry.has_value() && !entry->zombie;
}

pid_t PidIn(const std::string& path) {
  REQUIRE(Eventually([&] { return ReadSmallFile(path).value_or("").ends_with("\n"); }));
  return static_cast<pid_t>(ParseInt(Trim(*ReadSmallFile(path))).value_or(0));
}

// The holder of a run of this test: the process whose command line names the run's directory.
pid_t HolderOf(const std::string& name) {
  for (const holder::ProcessEntry& process : holder::ListProcesses()) {
    const std::string line =
        ReadSmallFile(fmt::format("/proc/{}/cmdline", process.id.pid)).value_or("");
    if (!process.zombie && line.find("forebay-holder") != line.npos &&
        line.find("/" + name) != line.npos) {
      return process.id.pid;
    }
  }
  return 0;
}

TEST_CASE("both streams keep each line whole, and the last one without a line feed") {
  Fixture fixture(Process());
  std::string name;
  fixture.RunToEnd(Shell("echo out; echo err >&2; echo; printf last"), &name);
  std::vector<std::string> out, err;
  for (const v1::LogEntry& entry : fixture.Log(name)) {
    (entry.stream() == v1::LOG_STREAM_STDERR ? err : out).push_back(entry.text());
    CHECK(entry.time_micros() > 0);
  }
  CHECK(out == std::vector<std::string>{"out", "", "last"});
  CHECK(err == std::vector<std::string>{"err"});
}

TEST_CASE("200 000 lines arrive complete and in order") {
  Fixture fixture(Process());
  std::string name;
  const Observation seen = fixture.RunToEnd(Command({"seq", "200000"}), &name);
  CHECK(seen.log_lines == 200000);
  const auto text = fixture.Text(name);
  REQUIRE(text.size() == 200000);
  bool ordered = true;
  for (size_t i = 0; i < text.size(); ++i) ordered = ordered && text[i] == std::to_string(i + 1);
  CHECK(ordered);
}

TEST_CASE("a line beyond 64 KiB comes in parts, and bytes that are not UTF-8 are replaced") {
  Fixture fixture(Process());
  std::string name;
  fixture.RunToEnd(Shell("head -c 150000 /dev/zero | tr '\\0' x; echo; printf 'a\\377b\\n'"),
                   &name);
  const auto entries = fixture.Log(name);
  REQUIRE(entries.size() == 4);
  size_t bytes = 0;
  for (size_t i = 0; i < 3; ++i) {
    CHECK(entries[i].partial() == (i < 2));
    CHECK(entries[i].text().size() <= 65536);
    bytes += entries[i].text().size();
  }
  CHECK(bytes == 150000);
  CHECK(entries[3].text() ==
        "a\xEF\xBF\xBD"
        "b");
}

TEST_CASE("a flood is limited, and every dropped line is counted in a mark") {
  LauncherOptions options;
  options.log_rate_bytes = 64 * 1024;
  options.log_burst_bytes = 128 * 1024;
  Fixture fixture(Process(), options);
  std::string name;
  const Observation seen = fixture.RunToEnd(Command({"seq", "1000000", "1999999"}), &name);
  CHECK(seen.exit.exit_code == 0);
  int64_t kept = 0, dropped = 0;
  for (const v1::LogEntry& entry : fixture.Log(name)) {
    if (entry.stream() != v1::LOG_STREAM_SYSTEM) {
      ++kept;
      continue;
    }
    CHECK(entry.dropped_lines() > 0);
    CHECK(entry.text() ==
          fmt::format("[forebay] {} lines dropped: the run writes faster than 64 KiB/s",
                      entry.dropped_lines()));
    dropped += entry.dropped_lines();
  }
  CHECK(kept + dropped == 1'000'000);
  CHECK(dropped > 0);
  CHECK(kept >= 128 * 1024 / 8);
}

TEST_CASE("output that is not wanted is thrown away and blocks nobody") {
  Fixture fixture(Process());
  Json job = Command({"seq", "100000"});
  job["stream_output"] = false;
  std::string name;
  const Observation seen = fixture.RunToEnd(job, &name);
  CHECK(seen.exit.exit_code == 0);
  CHECK(seen.log_lines == 0);
  CHECK(fixture.Log(name).empty());
}

TEST_CASE(
    "the environment is what was allowed, added and configured, and nothing of the worker's") {
  ::setenv("FOREBAY_TEST_SECRET", "worker's own", 1);
  Fixture fixture(Process());
  Json job = Command({"env"});
  job["env"] = {{"TEXT", "a b"}, {"NUMBER", 5}, {"LANG", nullptr}};
  LaunchSpec spec = fixture.Spec(job);
  spec.environment["FOREBAY_ATTEMPT"] = "1";
  REQUIRE(fixture.launcher().Launch(spec).ok());
  REQUIRE(fixture.launcher().Go(spec.name).ok());
  fixture.WaitForStage(spec.name, Stage::kExited);
  const auto text = fixture.Text(spec.name);
  const auto has = [&text](const std::string& line) {
    return std::find(text.begin(), text.end(), line) != text.end();
  };
  CHECK(has("TEXT=a b"));
  CHECK(has("NUMBER=5"));
  CHECK(has("FOREBAY_ATTEMPT=1"));
  CHECK(has("FOREBAY_PARAMETERS={}"));
  for (const std::string& line : text) {
    CHECK_FALSE(line.starts_with("LANG="));
    CHECK_FALSE(line.starts_with("FOREBAY_TEST_SECRET"));
  }
}

TEST_CASE("the environment of a run does not stay on the disk") {
  Fixture fixture(Process());
  Json job = Shell("echo ready; exec sleep 600");
  job["env"] = {{"PASSWORD", "hunter2-unique"}};
  const std::string name = fixture.Begin(job);
  fixture.WaitForLines(name, 1);
  for (const auto& file : std::filesystem::recursive_directory_iterator(fixture.state_dir())) {
    if (!file.is_regular_file()) continue;
    CHECK(ReadSmallFile(file.path().string())->find("hunter2-unique") == std::string::npos);
  }
}

TEST_CASE("a fresh working directory is empty and goes with the run") {
  Fixture fixture(Process());
  std::string name;
  fixture.RunToEnd(Shell("pwd; ls -A | wc -l; mkdir -p sub; touch sub/file; chmod 000 sub"), &name);
  const auto text = fixture.Text(name);
  REQUIRE(text.size() == 2);
  CHECK(text[1] == "0");
  CHECK(FileExists(text[0]));
  REQUIRE(fixture.launcher().Remove(name).ok());
  CHECK_FALSE(FileExists(text[0]));
}

TEST_CASE("a given working directory is used as it is, and one that is missing is refused") {
  Fixture fixture(Process());
  Json job = Command({"pwd"});
  job["working_dir"] = "/usr/share";
  std::string name;
  fixture.RunToEnd(job, &name);
  CHECK(fixture.Text(name) == std::vector<std::string>{"/usr/share"});
  job["working_dir"] = "/no/such/directory";
  const absl::Status refused = fixture.launcher().Launch(fixture.Spec(job));
  CHECK(ReasonOf(refused) == "INVALID_JOB");
  CHECK(DetailOf(refused)->metadata["field"] == "working_dir");
  CHECK(fixture.launcher().Find().size() == 1);
}

TEST_CASE("a command that cannot be executed never started, for a reason that has a name") {
  Fixture fixture(Process());
  REQUIRE(WriteFileAtomically(fixture.state_dir() + "/text", "hello").ok());
  const auto [place, failure] = GENERATE(table<std::string, std::string>({
      {"no-such-command-here", "COMMAND_NOT_FOUND"},
      {"/no/such/command", "COMMAND_NOT_FOUND"},
      {"<state>/text", "PERMISSION_DENIED"},
      {"/", "PERMISSION_DENIED"},
  }));
  const std::string command = ReplaceAll(place, "<state>", fixture.state_dir());
  const Observation seen = fixture.RunToEnd(Command({command}));
  CHECK(seen.exit.reason == "NEVER_STARTED");
  CHECK(seen.exit.launch_failure == failure);
  CHECK(seen.exit.message.find(command) != std::string::npos);
  CHECK_FALSE(seen.exit.exit_code.has_value());
}

TEST_CASE("a program of an unknown format is an invalid job") {
  Fixture fixture(Process());
  const std::string program = fixture.state_dir() + "/program";
  REQUIRE(WriteFileAtomically(program, std::string(64, '\x01'), {0700, false}).ok());
  const Observation seen = fixture.RunToEnd(Command({program}));
  CHECK(seen.exit.launch_failure == "INVALID_JOB");
}

TEST_CASE("the command is looked for in the run's own PATH") {
  Fixture fixture(Process());
  const std::string tool = fixture.state_dir() + "/tool";
  REQUIRE(WriteFileAtomically(tool, "#!/bin/sh\necho mine\n", {0700, false}).ok());
  Json job = Command({"tool"});
  job["env"] = {{"PATH", "/nowhere:" + fixture.state_dir()}};
  std::string name;
  CHECK(fixture.RunToEnd(job, &name).exit.exit_code == 0);
  CHECK(fixture.Text(name) == std::vector<std::string>{"mine"});
}

TEST_CASE("a stop ends all that the run started, also what hides in a session of its own") {
  Fixture fixture(Process());
  const std::string pid_file = fixture.state_dir() + "/pid";
  const std::string hide = fmt::format(
      "(setsid sh -c 'trap \"\" TERM; echo $$ > {}; while :; do sleep 600; done' &) ", pid_file);
  const std::string name = fixture.Begin(Shell(hide + "; echo ready; exec sleep 600"));
  const pid_t hidden = PidIn(pid_file);
  CHECK(Runs(hidden));
  REQUIRE(fixture.launcher().Stop(name, absl::Seconds(20)).ok());
  fixture.WaitForStage(name, Stage::kExited);
  CHECK_FALSE(Runs(hidden));
}

TEST_CASE("what a run leaves behind at its end is ended too") {
  Fixture fixture(Process());
  const std::string pid_file = fixture.state_dir() + "/pid";
  const std::string script = fmt::format("setsid sleep 600 & echo $! > {}; exit 4", pid_file);
  const Observation seen = fixture.RunToEnd(Shell(script));
  CHECK(seen.exit.exit_code == 4);
  CHECK_FALSE(Runs(PidIn(pid_file)));
}

TEST_CASE("a run goes on without its worker, and is reported complete afterwards") {
  Fixture fixture(Process());
  const std::string gate = fixture.state_dir() + "/gate";
  const std::string name = fixture.Begin(Shell(fmt::format(
      "seq 1000; while [ ! -e {} ]; do sleep 0.01; done; seq 1001 2000; exit 7", gate)));
  fixture.WaitForLines(name, 1000);
  fixture.Drop();
  REQUIRE(WriteFileAtomically(gate, "").ok());
  const bool restart_at_once = GENERATE(true, false);
  if (!restart_at_once) REQUIRE(Eventually([&] { return HolderOf(name) == 0; }));
  fixture.Restart();
  const Observation seen = fixture.WaitForStage(name, Stage::kExited);
  CHECK(seen.exit.exit_code == 7);
  CHECK(seen.log_lines == 2000);
  const auto later = fixture.Log(name, 1500);
  REQUIRE(later.size() == 500);
  CHECK(later.front().text() == "1501");
  CHECK(later.back().text() == "2000");
}

TEST_CASE("a waiting run is found by the next worker and begins then") {
  Fixture fixture(Process());
  const LaunchSpec spec = fixture.Spec(Shell("echo begun"));
  REQUIRE(fixture.launcher().Launch(spec).ok());
  fixture.Restart();
  CHECK(fixture.launcher().Observe(spec.name)->stage == Stage::kWaiting);
  REQUIRE(fixture.launcher().Go(spec.name).ok());
  fixture.WaitForStage(spec.name, Stage::kExited);
  CHECK(fixture.Text(spec.name) == std::vector<std::string>{"begun"});
}

TEST_CASE("a run whose holder was killed is lost, and nothing of it stays alive") {
  Fixture fixture(Process());
  const std::string pid_file = fixture.state_dir() + "/pid";
  const std::string hide = fmt::format("setsid sleep 600 & echo $! > {}; ", pid_file);
  const std::string name = fixture.Begin(Shell(hide + "echo ready; exec sleep 600"));
  const pid_t hidden = PidIn(pid_file);
  fixture.WaitForLines(name, 1);
  fixture.WaitForStage(name, Stage::kStarted);
  REQUIRE(::kill(HolderOf(name), SIGKILL) == 0);
  const Observation seen = fixture.WaitForStage(name, Stage::kLost);
  CHECK(seen.stage == Stage::kLost);
  CHECK(seen.exit.reason == "HOLDER_LOST");
  CHECK(seen.log_lines == 1);
  CHECK_FALSE(Runs(hidden));
  REQUIRE(fixture.launcher().Remove(name).ok());
  CHECK(fixture.launcher().Find().empty());
}

TEST_CASE("removing a run ends its holder and its processes") {
  Fixture fixture(Process());
  const std::string pid_file = fixture.state_dir() + "/pid";
  const std::string name =
      fixture.Begin(Shell(fmt::format("trap '' TERM; echo $$ > {}; sleep 600", pid_file)));
  const pid_t pid = PidIn(pid_file);
  REQUIRE(fixture.launcher().Remove(name).ok());
  CHECK_FALSE(Runs(pid));
  CHECK(Eventually([&] { return HolderOf(name) == 0; }));
  CHECK_FALSE(FileExists(fixture.state_dir() + "/runs/" + name));
}

TEST_CASE("a holder that is told to end stops its run and records it") {
  Fixture fixture(Process());
  const std::string name = fixture.Begin(Shell("echo ready; exec sleep 600"));
  fixture.WaitForLines(name, 1);
  REQUIRE(::kill(HolderOf(name), SIGTERM) == 0);
  const Observation seen = fixture.WaitForStage(name, Stage::kExited);
  CHECK(seen.stage == Stage::kExited);
  CHECK(seen.exit.signal == SIGTERM);
}

TEST_CASE("limits are enforced by the operating system") {
  Fixture fixture(Process());
  Json job = Shell("ulimit -n; ulimit -t");
  job["limits"] = {{"open_files", 64}, {"cpu_seconds", 7}};
  std::string name;
  fixture.RunToEnd(job, &name);
  CHECK(fixture.Text(name) == std::vector<std::string>{"64", "7"});
}

TEST_CASE("a run that uses more memory than its limit does not end well") {
  Fixture fixture(Process());
  Json job = Command({"python3", "-c", "x = bytearray(200_000_000); print(len(x))"});
  job["limits"] = {{"memory", 100'000'000}};
  const Observation seen = fixture.RunToEnd(job);
  INFO(seen.exit.reason << " " << seen.exit.message);
  const bool killed = seen.exit.reason == "OOM_KILLED";
  CHECK((killed || (seen.exit.reason == "EXITED" && seen.exit.exit_code != 0)));
}

TEST_CASE("a limit that is no limit is refused by its name") {
  Fixture fixture(Process());
  LaunchSpec spec = fixture.Spec(Shell("true"));
  spec.configuration["limits"] = {{"memory", 5}};
  CHECK(DetailOf(fixture.launcher().Launch(spec))->metadata["field"] == "limits.memory");
  spec.configuration["limits"] = {{"memroy", 1 << 30}};
  CHECK(DetailOf(fixture.launcher().Launch(spec))->metadata["nearest"] == "memory");
}

TEST_CASE("a run of another user has that user's rights and home") {
  if (::geteuid() != 0) return;
  Fixture fixture(Process());
  Json job = Shell("id -un; echo $HOME; touch file && ls");
  job["user"] = "nobody";
  std::string name;
  const Observation seen = fixture.RunToEnd(job, &name);
  CHECK(seen.exit.exit_code == 0);
  CHECK(fixture.Text(name) ==
        std::vector<std::string>{"nobody", ::getpwnam("nobody")->pw_dir, "file"});
  job["user"] = "no-such-user";
  CHECK(ReasonOf(fixture.launcher().Launch(fixture.Spec(job))) == "INVALID_JOB");
}

TEST_CASE("what a run used is kept") {
  Fixture fixture(Process());
  const Observation seen = fixture.RunToEnd(
      Command({"python3", "-c", "x = bytearray(30_000_000)\nfor i in range(10**6): pass"}));
  CHECK(seen.exit.cpu_user_micros > 0);
  CHECK(seen.exit.max_rss_bytes > 30'000'000);
}

TEST_CASE("labels and name can be seen on the host") {
  Fixture fixture(Process());
  Json job = Shell("echo ready; exec sleep 600");
  job["name"] = "nightly stats";
  job["labels"] = {{"team", "data"}};
  const std::string name = fixture.Begin(job);
  fixture.WaitForLines(name, 1);
  const std::string line =
      ReadSmallFile(fmt::format("/proc/{}/cmdline", HolderOf(name))).value_or("");
  CHECK(line.find("nightly stats") != std::string::npos);
  CHECK(ReadSmallFile(fixture.state_dir() + "/runs/" + name + "/labels.json").value_or("") ==
        R"({"team":"data"})");
}

TEST_CASE("a launch that was cut short before its holder is forgotten by the next worker") {
  Fixture fixture(Process());
  const LaunchSpec spec = fixture.Spec(Shell("true"));
  REQUIRE(MakeDirectories(fixture.state_dir() + "/runs/" + spec.name).ok());
  fixture.Restart();
  CHECK(fixture.launcher().Find().empty());
  CHECK(fixture.launcher().Launch(spec).ok());
}

}  // namespace
}  // namespace forebay::worker
