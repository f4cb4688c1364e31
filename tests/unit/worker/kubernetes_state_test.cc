// What the states of Job, Pod and container come to. The words are those of Kubernetes 1.33 with
// containerd.

#include <nlohmann/json.hpp>

#include "common/json/json.h"
#include "tests/support/catch.h"
#include "worker/launch/kubernetes/go_patch.h"
#include "worker/launch/kubernetes/obstacle.h"
#include "worker/launch/kubernetes/pod_state.h"
#include "worker/launch/kubernetes/preparation_lines.h"

namespace forebay::worker {
namespace {

constexpr char kUid[] = "4b87a6dc-b392-4740-a832-47c48ce193f3";

Json Parsed(const std::string& text) { return *ParseJson(text, "test"); }

Json JobJson(bool gated) {
  Json job = Parsed(R"({"metadata":{"name":"forebay-x-1","namespace":"team-a","uid":"j",
    "resourceVersion":"5","labels":{"forebay.io/pool-id":"p"},
    "annotations":{"forebay.io/pod-watch-timeout-seconds":"60"}}})");
  job["metadata"]["annotations"]["forebay.io/gated"] = gated ? "true" : "false";
  return job;
}

// A Pod with these parts laid over it.
Json PodJson(const std::string& over) {
  Json pod = Parsed(
      R"({"metadata":{"name":"forebay-x-1-abcde","uid":"4b87a6dc-b392-4740-a832-47c48ce193f3",
    "resourceVersion":"7","creationTimestamp":"2026-01-02T03:04:05Z",
    "ownerReferences":[{"apiVersion":"batch/v1","kind":"Job","name":"forebay-x-1","uid":"j"}],
    "annotations":{"forebay.io/main-container":"main"}},
    "spec":{"terminationGracePeriodSeconds":30},"status":{"phase":"Pending"}})");
  pod.merge_patch(Parsed(over));
  return pod;
}

const char kWentAhead[] =
    R"("annotations":{"forebay.io/go":"4b87a6dc-b392-4740-a832-47c48ce193f3"})";

std::string Main(const std::string& state, const std::string& phase, const std::string& more = "") {
  return R"({"metadata":{)" + std::string(kWentAhead) + R"(},"status":{"phase":")" + phase +
         R"(","containerStatuses":[{"name":"main","state":)" + state + "}]" + more + "}}";
}

std::string Terminated(int code, const std::string& reason, const std::string& message = "") {
  return DumpJson({{"terminated", {{"exitCode", code}, {"reason", reason}, {"message", message}}}});
}

std::string Waiting(const std::string& reason, const std::string& message) {
  return DumpJson({{"waiting", {{"reason", reason}, {"message", message}}}});
}

RunView View(const std::string& pod, bool gated = true) {
  RunView view;
  view.job = DigestJob(JobJson(gated));
  SeenPod seen;
  seen.digest = DigestPod(PodJson(pod));
  view.pods.push_back(seen);
  return view;
}

constexpr char kGated[] =
    R"({"spec":{"schedulingGates":[{"name":"acme/quota"},{"name":"forebay.io/go"}]},
  "status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False",
  "reason":"SchedulingGated","message":"Scheduling is blocked due to non-empty scheduling gates"}]}})";

TEST_CASE("a run is prepared, waits, has started and has exited", "[kubernetes]") {
  RunView view = View(kGated);
  view.pods.clear();
  CHECK(ObservationOf(view).stage == Stage::kPreparing);
  CHECK(ObservationOf(view).infrastructure_id == "team-a/j");
  view = View(kGated);
  CHECK(ObservationOf(view).stage == Stage::kWaiting);
  // Let go, and on its way to a node.
  view = View(R"({"metadata":{)" + std::string(kWentAhead) + "}}");
  CHECK(ObservationOf(view).stage == Stage::kStarted);
  CHECK_FALSE(HasBegun(view.pods[0]));
  view = View(Main(R"({"running":{"startedAt":"2026-01-02T03:04:06Z"}})", "Running"));
  CHECK(ObservationOf(view).stage == Stage::kStarted);
  CHECK(HasBegun(view.pods[0]));
  view = View(Main(Terminated(0, "Completed"), "Succeeded"));
  CHECK(ObservationOf(view).stage == Stage::kExited);
  CHECK(ObservationOf(view).exit.exit_code == 0);
}

TEST_CASE("a program that passes the gate itself waits until its container runs", "[kubernetes]") {
  RunView view = View("{}", false);
  CHECK(ObservationOf(view).stage == Stage::kWaiting);
  view = View(Main(R"({"running":{}})", "Running"), false);
  CHECK(ObservationOf(view).stage == Stage::kStarted);
}

TEST_CASE("the Pod that was let go is the run's, whatever others the cluster makes",
          "[kubernetes]") {
  RunView view = View(kGated);
  SeenPod second;
  Json json = PodJson(Main(R"({"running":{}})", "Running"));
  json["metadata"]["uid"] = "second";
  json["metadata"]["annotations"]["forebay.io/go"] = kUid;
  second.digest = DigestPod(json);
  // The annotation of another Pod lets nobody go.
  CHECK_FALSE(second.digest.go);
  json["metadata"]["annotations"]["forebay.io/go"] = "second";
  second.digest = DigestPod(json);
  view.pods.push_back(second);
  CHECK(ChosenPod(view)->digest.uid == "second");
}

TEST_CASE("a Pod that the server turned away is not the run's", "[kubernetes]") {
  RunView view = View(Main(Terminated(75, "Error"), "Failed"), false);
  view.pods[0].digest.go = false;
  CHECK(ChosenPod(view)->digest.uid == kUid);
  SeenPod second = view.pods[0];
  second.digest = DigestPod(PodJson(R"({"metadata":{"uid":"second"}})"));
  view.pods.push_back(second);
  CHECK(ChosenPod(view)->digest.uid == "second");
}

TEST_CASE("how a run that had begun ended is told by its Pod", "[kubernetes]") {
  struct Case {
    const char* what;
    std::string pod;
    const char* reason;
    int signal;
    int code;
  };
  const std::string evicted =
      R"(,"reason":"Evicted","message":"The node was low on resource: memory.")";
  const auto disrupted = [](const std::string& why) {
    return R"(,"conditions":[{"type":"DisruptionTarget","status":"True","reason":")" + why +
           R"(","message":"because"}])";
  };
  const Case cases[] = {
      {"its command failed", Main(Terminated(3, "Error"), "Failed"), "EXITED", 0, 3},
      {"a signal", Main(Terminated(143, "Error"), "Failed"), "SIGNALED", 15, 143},
      {"out of memory", Main(Terminated(137, "OOMKilled"), "Failed"), "OOM_KILLED", 9, 137},
      {"evicted", Main(Terminated(137, "Error"), "Failed", evicted), "EVICTED", 9, 137},
      {"evicted, and it ended by itself", Main(Terminated(1, "Error"), "Failed", evicted),
       "EVICTED", 15, 1},
      {"preempted", Main(Terminated(143, "Error"), "Failed", disrupted("PreemptionByScheduler")),
       "PREEMPTED", 15, 143},
      {"drained", Main(Terminated(143, "Error"), "Failed", disrupted("EvictionByEvictionAPI")),
       "EVICTED", 15, 143},
      {"its node went", Main(Terminated(137, "Error"), "Failed", disrupted("DeletionByPodGC")),
       "NODE_LOST", 9, 137},
      {"too long", Main(Terminated(143, "Error"), "Failed", R"(,"reason":"DeadlineExceeded")"),
       "DEADLINE", 15, 143},
      {"evicted after its end", Main(Terminated(0, "Completed"), "Succeeded", evicted), "EXITED", 0,
       0},
  };
  for (const Case& one : cases) {
    INFO(one.what);
    const Observation seen = ObservationOf(View(one.pod));
    CHECK(seen.stage == Stage::kExited);
    CHECK(seen.exit.reason == one.reason);
    CHECK(seen.exit.signal == one.signal);
    CHECK(seen.exit.exit_code == one.code);
    CHECK(seen.exit.launch_failure.empty());
  }
}

TEST_CASE("the last words of a container are part of its end", "[kubernetes]") {
  const auto seen = ObservationOf(View(Main(Terminated(2, "Error", "no such table\n"), "Failed")));
  CHECK(seen.exit.message == "exit code 2: no such table");
}

TEST_CASE("a Pod that somebody deletes has not ended before it has", "[kubernetes]") {
  RunView view = View(Main(R"({"running":{}})", "Running"));
  view.pods[0].digest.deleting = true;
  CHECK(ObservationOf(view).stage == Stage::kStarted);
  view = View(Main(Terminated(143, "Error"), "Running"));
  view.pods[0].digest.deleting = true;
  CHECK(ObservationOf(view).stage == Stage::kStarted);
  view.pods[0].gone = true;
  CHECK(ObservationOf(view).exit.reason == "DELETED");
  CHECK(ObservationOf(view).exit.signal == 15);
  view.stop_wanted = true;
  CHECK(ObservationOf(view).exit.reason == "SIGNALED");
}

TEST_CASE("a Pod that went unseen ended by force", "[kubernetes]") {
  RunView view = View(Main(R"({"running":{}})", "Running"));
  view.pods[0].gone = true;
  CHECK(ObservationOf(view).exit.reason == "DELETED");
  CHECK(ObservationOf(view).exit.signal == 9);
  CHECK_FALSE(ObservationOf(view).exit.exit_code.has_value());
}

TEST_CASE("a Pod on a node that does not answer is given up after its grace", "[kubernetes]") {
  RunView view = View(Main(R"({"running":{}})", "Running"));
  view.pods[0].digest.deleting = true;
  view.pods[0].digest.disruption = "DeletionByTaintManager";
  view.pods[0].deleting_since = absl::Seconds(100);
  view.warnings.node_not_ready = "Node is not ready";
  view.now = absl::Seconds(150);
  CHECK(ObservationOf(view).stage == Stage::kStarted);
  view.now = absl::Seconds(161);
  CHECK(ObservationOf(view).stage == Stage::kExited);
  CHECK(ObservationOf(view).exit.reason == "NODE_LOST");
}

TEST_CASE("what ends before user code is no end of user code", "[kubernetes]") {
  RunView view = View(kGated);
  view.pods[0].gone = true;
  // The Job may make another Pod, or give up.
  CHECK(ObservationOf(view).stage == Stage::kPreparing);
  view.job.condition = "Failed";
  Observation seen = ObservationOf(view);
  CHECK(seen.exit.reason == "NEVER_STARTED");
  CHECK(seen.exit.launch_failure == "DELETED");
  CHECK(seen.exit.launch_retryable);
  view.stop_wanted = true;
  seen = ObservationOf(view);
  CHECK(seen.exit.reason == "NEVER_STARTED");
  CHECK(seen.exit.launch_failure.empty());

  view = View(Main(Terminated(128, "StartError",
                              "failed to create containerd task: failed to create shim task: OCI "
                              "runtime create failed: exec: \"nothing\": executable file not found "
                              "in $PATH: unknown"),
                   "Failed"));
  CHECK(ObservationOf(view).exit.launch_failure == "COMMAND_NOT_FOUND");
  CHECK_FALSE(HasBegun(view.pods[0]));

  view = View(R"({"status":{"phase":"Failed","reason":"OutOfcpu","message":"Pod was rejected"}})");
  seen = ObservationOf(view);
  CHECK(seen.exit.launch_failure == "INFRASTRUCTURE_UNAVAILABLE");
  CHECK(seen.exit.message == "OutOfcpu: Pod was rejected");

  view = View(R"({"status":{"phase":"Failed","initContainerStatuses":[{"name":"fetch","state":
    {"terminated":{"exitCode":7,"reason":"Error"}}}],"containerStatuses":[{"name":"main","state":
    {"waiting":{"reason":"PodInitializing"}}}]}})");
  seen = ObservationOf(view);
  CHECK(seen.exit.launch_failure == "INVALID_JOB");
  CHECK(seen.exit.message.find("container fetch ended with exit code 7") == 0);
}

TEST_CASE("a Job without a Pod ends by what is said of it", "[kubernetes]") {
  RunView view = View("{}");
  view.pods.clear();
  view.job_gone = true;
  CHECK(ObservationOf(view).exit.launch_failure == "DELETED");
  view.job_gone = false;
  view.job.condition = "Failed";
  view.job.condition_reason = "DeadlineExceeded";
  CHECK(ObservationOf(view).exit.launch_failure == "DEADLINE");
  CHECK_FALSE(ObservationOf(view).exit.launch_retryable);
}

TEST_CASE("what stands in the way is told by the cluster's words, and some of it may pass",
          "[kubernetes]") {
  struct Case {
    std::string waiting;
    const char* failure;
    bool retryable;
    bool may_pass;
  };
  const Case cases[] = {
      {Waiting("ErrImagePull",
               "failed to pull and unpack image \"docker.io/acme/app:2\": failed to "
               "resolve reference: docker.io/acme/app:2: not found"),
       "IMAGE_NOT_FOUND", false, false},
      {Waiting("ImagePullBackOff",
               "Back-off pulling image \"acme/app:2\": ErrImagePull: pull access "
               "denied, repository does not exist or may require "
               "authorization"),
       "IMAGE_UNAUTHORIZED", false, false},
      {Waiting("ErrImagePull",
               "failed to do request: Head \"https://r/v2/\": dial tcp 10.0.0.9:443: "
               "connect: connection refused"),
       "REGISTRY_UNREACHABLE", true, true},
      {Waiting("ImagePullBackOff", "Back-off pulling image \"acme/app:2\""), "REGISTRY_UNREACHABLE",
       true, true},
      {Waiting("InvalidImageName", "couldn't parse image name"), "INVALID_JOB", false, false},
      {Waiting("ErrImageNeverPull",
               "Container image \"x\" is not present with pull policy of "
               "Never"),
       "IMAGE_NOT_FOUND", false, false},
      {Waiting("CreateContainerConfigError", "configmap \"settings\" not found"), "INVALID_JOB",
       false, false},
      {Waiting("CreateContainerConfigError",
               "container has runAsNonRoot and image will run as root"),
       "INVALID_JOB", false, false},
      {Waiting("CreateContainerConfigError", "failed to sync secret cache: timed out"),
       "INVALID_JOB", false, true},
      {Waiting("CreateContainerConfigError", "secret \"forebay-x-1\" not found"),
       "INFRASTRUCTURE_UNAVAILABLE", true, true},
      {Waiting("RunContainerError", "exec: \"x\": permission denied: unknown"), "PERMISSION_DENIED",
       false, false},
      {Waiting("CreateContainerError", "context deadline exceeded"), "INVALID_JOB", false, true},
  };
  for (const Case& one : cases) {
    INFO(one.waiting);
    RunView view = View(Main(one.waiting, "Pending"));
    const auto obstacle = ObstacleOf(view);
    REQUIRE(obstacle.has_value());
    CHECK(obstacle->reason == one.failure);
    CHECK(obstacle->retryable == one.retryable);
    CHECK(obstacle->may_pass == one.may_pass);
    // What may pass is waited for as long as the job says, and then ends with the same reason.
    CHECK((ObservationOf(view).stage == Stage::kExited) == !one.may_pass);
    view.now = absl::Seconds(60);
    const Observation late = ObservationOf(view);
    CHECK(late.stage == Stage::kExited);
    CHECK(late.exit.launch_failure == one.failure);
  }
}

TEST_CASE("a back-off that says nothing is explained by what was said before", "[kubernetes]") {
  RunView view =
      View(Main(Waiting("ImagePullBackOff", "Back-off pulling image \"acme/app:2\""), "Pending"));
  view.warnings.failed_pull =
      "Failed to pull image \"acme/app:2\": docker.io/acme/app:2: not found";
  CHECK(ObservationOf(view).exit.launch_failure == "IMAGE_NOT_FOUND");
  CHECK(ObservationOf(view).exit.message == view.warnings.failed_pull);
}

TEST_CASE("a Pod that no node takes waits with the reason, for as long as the job says",
          "[kubernetes]") {
  RunView view = View(R"({"metadata":{)" + std::string(kWentAhead) +
                      R"(},"status":{"phase":"Pending","conditions":[{"type":"PodScheduled",
    "status":"False","reason":"Unschedulable","message":"0/1 nodes are available: 1 Insufficient cpu."}]}})");
  CHECK(ObservationOf(view).stage == Stage::kStarted);
  view.now = absl::Seconds(61);
  const Observation seen = ObservationOf(view);
  CHECK(seen.exit.launch_failure == "UNSCHEDULABLE");
  CHECK(seen.exit.message == "0/1 nodes are available: 1 Insufficient cpu.; not begun within 60 s");
}

TEST_CASE("a Job that no Pod may be made of ends with what the cluster says", "[kubernetes]") {
  RunView view = View("{}");
  view.pods.clear();
  view.warnings.failed_create =
      "Error creating: pods \"forebay-x-1-\" is forbidden: violates PodSecurity "
      "\"restricted:latest\": allowPrivilegeEscalation != false";
  CHECK(ObservationOf(view).exit.launch_failure == "POD_REFUSED");
  view.warnings.failed_create =
      "Error creating: pods \"x\" is forbidden: exceeded quota: q, requested: pods=1";
  CHECK(ObservationOf(view).stage == Stage::kPreparing);
  view.now = absl::Seconds(60);
  CHECK(ObservationOf(view).exit.launch_failure == "QUOTA_EXCEEDED");
}

TEST_CASE("letting a Pod go takes our gate and no other, from this Pod alone", "[kubernetes]") {
  const Json patch = GoPatch(DigestPod(PodJson(kGated)));
  CHECK(DumpJson(patch) ==
        R"([{"op":"test","path":"/metadata/uid","value":"4b87a6dc-b392-4740-a832-47c48ce193f3"},)"
        R"({"op":"test","path":"/spec/schedulingGates/1/name","value":"forebay.io/go"},)"
        R"({"op":"remove","path":"/spec/schedulingGates/1"},)"
        R"({"op":"add","path":"/metadata/annotations/forebay.io~1go",)"
        R"("value":"4b87a6dc-b392-4740-a832-47c48ce193f3"}])");
}

TEST_CASE("events become lines of the log, or do not", "[kubernetes]") {
  const auto line = [](const char* kind, const char* type, const char* reason,
                       const char* message) {
    return PreparationLine(DigestEvent({{"metadata", {{"uid", "e"}}},
                                        {"involvedObject", {{"kind", kind}, {"name", "x"}}},
                                        {"type", type},
                                        {"reason", reason},
                                        {"message", message}}))
        .value_or("");
  };
  CHECK(line("Pod", "Normal", "Pulling", "Pulling image \"a:1\"") == "Pulling image \"a:1\"");
  CHECK(line("Pod", "Normal", "Pulled", "Successfully pulled image \"a:1\" in 2s") ==
        "Successfully pulled image \"a:1\" in 2s");
  CHECK(line("Pod", "Normal", "Pulled", "Container image \"a:1\" already present on machine")
            .empty());
  CHECK(line("Pod", "Normal", "Scheduled", "Successfully assigned a/b to c").empty());
  CHECK(line("Job", "Normal", "SuccessfulCreate", "Created pod: x").empty());
  CHECK(line("Pod", "Warning", "FailedMount", "MountVolume.SetUp failed\nfor volume \"v\"") ==
        "FailedMount: MountVolume.SetUp failed for volume \"v\"");
}

TEST_CASE("objects that lack what they should have do no harm", "[kubernetes]") {
  for (const char* text : {"{}", R"({"metadata":[],"status":"x","spec":3})",
                           R"({"status":{"containerStatuses":[{},{"state":{"waiting":1}}]}})"}) {
    const Json object = Parsed(text);
    CHECK(DigestPod(object).phase.empty());
    CHECK(DigestJob(object).uid.empty());
    CHECK(DigestEvent(object).uid.empty());
  }
}

}  // namespace
}  // namespace forebay::worker
