// What the docker launcher says to engines and makes of their answers. The engine's words are those
// of a real one (20.10).

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/json/json_lines.h"
#include "tests/golden/golden.h"
#include "tests/support/catch.h"
#include "worker/launch/docker/container_state.h"
#include "worker/launch/docker/create_request.h"
#include "worker/launch/docker/log_frames.h"
#include "worker/launch/docker/pull_progress.h"

namespace forebay::worker {
namespace {

constexpr char kTime[] = "2026-01-02T03:04:05.000000006Z";

std::string Frame(int stream, const std::string& text) {
  const std::string payload = std::string(kTime) + " " + text;
  std::string frame(8, '\0');
  frame[0] = static_cast<char>(stream);
  frame[6] = static_cast<char>(payload.size() >> 8);
  frame[7] = static_cast<char>(payload.size() & 0xff);
  return frame + payload;
}

std::string RequestFor(Json configuration) {
  configuration["image"] = configuration.value("image", "acme/app:1");
  LaunchSpec launch;
  launch.name = "forebay-run-1";
  launch.command = {"run", "it"};
  launch.environment = {{"FOREBAY_RUN_ID", "run"}};
  launch.labels = {{"forebay.io/run-id", "run"}};
  launch.configuration = configuration;
  const auto spec = TypeDockerSpec(configuration);
  INFO(spec.status().ToString());
  REQUIRE(spec.ok());
  const auto request = CreateRequest(launch, *spec, {"pool", 0, "/forebay/forebay-run-1"});
  INFO(request.status().ToString());
  REQUIRE(request.ok());
  return DumpPrettyJson(*request) + "\n";
}

TEST_CASE("each variable becomes what the engine knows it by", "[docker]") {
  const std::pair<const char*, Json> variables[] = {
      {"image_alone", Json::object()},
      {"command", {{"command", {"other", "one"}}}},
      {"entrypoint", {{"entrypoint", {"/entry"}}}},
      {"no_entrypoint", {{"entrypoint", Json::array()}}},
      {"env", {{"env", {{"A", "1"}, {"GONE", nullptr}, {"N", 2}}}}},
      {"labels", {{"labels", {{"team", "data"}}}}},
      {"networks", {{"networks", {"one", "two"}}}},
      {"network_mode", {{"network_mode", "none"}}},
      {"volumes", {{"volumes", {"data:/data", "/srv/x:/x:ro"}}}},
      {"limits",
       {{"mem_limit", "64m"},
        {"memswap_limit", -1},
        {"cpus", 1.5},
        {"pids_limit", 9},
        {"shm_size", "1m"}}},
      {"rights",
       {{"privileged", true},
        {"read_only", true},
        {"cap_add", {"NET_ADMIN"}},
        {"cap_drop", {"ALL"}},
        {"user", "1000:1000"}}},
      {"gpus", {{"gpus", "all"}}},
      {"gpu_ids", {{"gpus", {"0", "GPU-1"}}}},
      {"working_dir", {{"working_dir", "/srv"}}},
      {"name", {{"name", "nightly"}}},
      {"auto_remove", {{"auto_remove", true}}},
      {"no_output", {{"stream_output", false}}},
  };
  for (const auto& [name, configuration] : variables) {
    INFO(name);
    const std::string request = RequestFor(configuration);
    CHECK(request == Golden(GoldenDirectory() / "docker" / (std::string(name) + ".json"), request));
  }
}

TEST_CASE("frames are the same however the bytes arrive", "[docker]") {
  const std::string stream = Frame(1, "out\n") + Frame(2, "err\n") + Frame(1, "part");
  for (size_t piece = 1; piece <= stream.size(); ++piece) {
    std::vector<std::pair<int, std::string>> seen;
    LogFrames frames([&](const LogFrame& frame) {
      seen.emplace_back(frame.stream, std::string(frame.bytes));
      CHECK(frame.time_micros == 1767323045000000);
    });
    for (size_t at = 0; at < stream.size(); at += piece) {
      REQUIRE(frames.Feed(std::string_view(stream).substr(at, piece)));
    }
    const std::vector<std::pair<int, std::string>> expected = {
        {1, "out\n"}, {2, "err\n"}, {1, "part"}};
    CHECK(seen == expected);
  }
}

TEST_CASE("what is no stream of frames is refused", "[docker]") {
  LogFrames frames([](const LogFrame&) {});
  CHECK_FALSE(frames.Feed("HTTP/1.1 200 OK"));
  CHECK_FALSE(frames.Feed(Frame(1, "late\n")));
}

TEST_CASE("objects are taken line by line, and what is none is passed over", "[docker]") {
  std::vector<std::string> seen;
  JsonLines lines([&](const Json& object) { seen.push_back(DumpJson(object)); });
  lines.Feed("{\"a\":1}\r\n\n[2]\nnonsense\n{\"b\"");
  lines.Feed(":2}\n");
  CHECK(seen == std::vector<std::string>{"{\"a\":1}", "{\"b\":2}"});
}

TEST_CASE("why a pull failed is told by the engine's words", "[docker]") {
  const std::tuple<const char*, const char*, bool> texts[] = {
      {"manifest for 127.0.0.1:1/some/box:2 not found: manifest unknown: manifest unknown",
       "IMAGE_NOT_FOUND", false},
      {"repository x not found: name unknown: repository name not known to registry",
       "IMAGE_NOT_FOUND", false},
      {"pull access denied for x, repository does not exist or may require 'docker login': denied: "
       "requested access to the resource is denied",
       "IMAGE_UNAUTHORIZED", false},
      {"unauthorized: authentication required", "IMAGE_UNAUTHORIZED", false},
      {"Head \"http://127.0.0.1:1/v2/x/manifests/1\": no basic auth credentials",
       "IMAGE_UNAUTHORIZED", false},
      {"Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
       "REGISTRY_UNREACHABLE", true},
      {"Get \"https://no-such-host.invalid/v2/\": dial tcp: lookup no-such-host.invalid on "
       "10.0.0.53:53: no such host",
       "REGISTRY_UNREACHABLE", true},
      {"Get \"http://127.0.0.1:1/v2/\": context deadline exceeded", "IMAGE_PULL_TIMEOUT", true},
      {"received unexpected HTTP status: 503 Service Unavailable", "REGISTRY_UNREACHABLE", true},
      {"toomanyrequests: You have reached your pull rate limit", "REGISTRY_UNREACHABLE", true},
      {"filesystem layer verification failed for digest sha256:1bd9", "IMAGE_CORRUPT", false},
      {"unexpected EOF", "REGISTRY_UNREACHABLE", true},
      {"no matching manifest for linux/amd64 in the manifest list entries", "IMAGE_WRONG_PLATFORM",
       false},
      {"write /var/lib/docker/tmp/x: no space left on device", "NO_SPACE", false},
  };
  for (const auto& [text, reason, retryable] : texts) {
    INFO(text);
    CHECK(PullFailureOf(text).reason == reason);
    CHECK(PullFailureOf(text).retryable == retryable);
  }
}

TEST_CASE("why a container did not begin is told by the engine's words", "[docker]") {
  const std::pair<const char*, const char*> texts[] = {
      {"OCI runtime create failed: exec: \"/nothing/here\": stat /nothing/here: no such file or "
       "directory: unknown",
       "COMMAND_NOT_FOUND"},
      {"exec: \"nothing-here\": executable file not found in $PATH: unknown", "COMMAND_NOT_FOUND"},
      {"exec: \"/etc/passwd\": permission denied: unknown", "PERMISSION_DENIED"},
      {"unable to find user nobody-here: no matching entries in passwd file", "INVALID_JOB"},
      {"network no-such-net not found", "INVALID_JOB"},
      {"image with reference x was found but does not match the specified platform: wanted "
       "linux/arm64, actual: linux/amd64",
       "IMAGE_WRONG_PLATFORM"},
  };
  for (const auto& [text, reason] : texts) {
    INFO(text);
    CHECK(LaunchFailureOf(text) == reason);
  }
}

TEST_CASE("the state of a container is one of waiting, started and ended", "[docker]") {
  const auto seen = [](const char* state) {
    return ObservationOf({{"Id", "1"}, {"State", *ParseJson(state, "state")}});
  };
  const char kNever[] = R"("StartedAt":"0001-01-01T00:00:00Z")";
  const char kBegan[] = R"("StartedAt":"2026-11-23T09:47:16.633937471Z")";
  const auto with = [&](const std::string& rest, const char* began) {
    return seen(("{" + rest + "," + began + "}").c_str());
  };
  CHECK(with(R"("Status":"created","Error":"")", kNever).stage == Stage::kWaiting);
  CHECK(with(R"("Status":"running")", kBegan).stage == Stage::kStarted);
  const auto failed = with(R"("Status":"created","Error":"executable file not found")", kNever);
  CHECK(failed.stage == Stage::kExited);
  CHECK(failed.exit.launch_failure == "COMMAND_NOT_FOUND");
  const auto killed = with(R"("Status":"exited","ExitCode":137,"OOMKilled":false)", kBegan);
  CHECK(killed.exit.signal == 9);
  CHECK(killed.exit.reason == "SIGNALED");
  const auto oom = with(R"("Status":"exited","ExitCode":137,"OOMKilled":true)", kBegan);
  CHECK(oom.exit.reason == "OOM_KILLED");
  const auto coped = with(R"("Status":"exited","ExitCode":0,"OOMKilled":true)", kBegan);
  CHECK(coped.exit.reason == "EXITED");
  CHECK(coped.exit.signal == 0);
}

}  // namespace
}  // namespace forebay::worker
