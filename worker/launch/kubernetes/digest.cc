#include "worker/launch/kubernetes/digest.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "common/job_spec/kubernetes_resources.h"
#include "worker/launch/engine_words.h"
#include "worker/launch/kubernetes/labels.h"
#include "worker/launch/kubernetes/watch/resource_watch.h"

namespace forebay::worker {
namespace {

// What a cluster says at length is cut: it is for people, and kept for each run.
constexpr size_t kMostWords = 2000;

// While these are its reasons a container is only on its way.
constexpr std::array<std::string_view, 3> kNoTrouble = {"", "ContainerCreating", "PodInitializing"};

const Json& Part(const Json& object, const char* key) {
  static const Json none;
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found != object.end() ? *found : none;
}

std::string TextOf(const Json& object, const char* key) {
  const Json& found = Part(object, key);
  return found.is_string() ? CutUtf8(found.get_ref<const std::string&>(), kMostWords) : "";
}

int64_t NumberOf(const Json& object, const char* key) {
  const Json& found = Part(object, key);
  return found.is_number_integer() ? found.get<int64_t>() : 0;
}

// The condition of the type, if it holds; else null.
const Json& Condition(const Json& status, std::string_view type) {
  static const Json none;
  for (const Json& condition : Part(status, "conditions")) {
    if (TextOf(condition, "type") == type) return condition;
  }
  return none;
}

bool Holds(const Json& condition) { return TextOf(condition, "status") == "True"; }

ContainerDigest DigestContainer(const Json& status) {
  ContainerDigest digest;
  const Json& state = Part(status, "state");
  const Json& terminated = Part(state, "terminated");
  const Json& waiting = Part(state, "waiting");
  if (terminated.is_object()) {
    digest.state = ContainerDigest::State::kTerminated;
    digest.reason = TextOf(terminated, "reason");
    digest.message = TextOf(terminated, "message");
    digest.exit_code = static_cast<int>(NumberOf(terminated, "exitCode"));
    digest.began_micros = EngineTimeMicros(TextOf(terminated, "startedAt"));
    digest.ended_micros = EngineTimeMicros(TextOf(terminated, "finishedAt"));
  } else if (Part(state, "running").is_object()) {
    digest.state = ContainerDigest::State::kRunning;
    digest.began_micros = EngineTimeMicros(TextOf(Part(state, "running"), "startedAt"));
  } else if (waiting.is_object()) {
    digest.state = ContainerDigest::State::kWaiting;
    digest.reason = TextOf(waiting, "reason");
    digest.message = TextOf(waiting, "message");
  }
  return digest;
}

bool IsTrouble(const ContainerDigest& container, bool init) {
  using State = ContainerDigest::State;
  if (container.state == State::kTerminated) return init && container.exit_code != 0;
  return container.state == State::kWaiting &&
         std::ranges::count(kNoTrouble, std::string_view(container.reason)) == 0;
}

void DigestContainers(const Json& statuses, bool init, PodDigest& pod) {
  for (const Json& status : statuses) {
    ContainerDigest container = DigestContainer(status);
    const std::string name = TextOf(status, "name");
    if (!init && name == pod.main_container) pod.main = container;
    const bool first = pod.trouble.state == ContainerDigest::State::kAbsent;
    if (!first || !IsTrouble(container, init)) continue;
    pod.trouble = std::move(container);
    pod.trouble_container = name;
  }
}

// The latest end of all; 0 when one is not known.
int64_t LastEnd(const Json& status) {
  int64_t last = 0;
  for (const char* key : {"containerStatuses", "initContainerStatuses"}) {
    for (const Json& container : Part(status, key)) {
      const int64_t end = DigestContainer(container).ended_micros;
      if (end == 0) return 0;
      last = std::max(last, end);
    }
  }
  return last;
}

void DigestReservation(const Json& spec, const Json& status, PodDigest& pod) {
  const PodRequests requests = RequestsOfPod(spec);
  pod.cpu_request_millis = requests.cpu.Millis();
  pod.memory_request_bytes = requests.memory.Whole();
  const Json& scheduled = Condition(status, "PodScheduled");
  if (Holds(scheduled)) {
    pod.scheduled_micros = EngineTimeMicros(TextOf(scheduled, "lastTransitionTime"));
  }
  pod.ended_micros = LastEnd(status);
}

std::optional<size_t> SchedulingGateOf(const Json& spec) {
  size_t place = 0;
  for (const Json& gate : Part(spec, "schedulingGates")) {
    if (TextOf(gate, "name") == kSchedulingGate) return place;
    ++place;
  }
  return std::nullopt;
}

// Whether it belongs to a Job, and to which. A Pod that has lost its Job keeps the label.
std::string OwnerOf(const Json& metadata) {
  const std::string label = MarkOf(Part(metadata, "labels"), "batch.kubernetes.io/job-name");
  if (!label.empty()) return label;
  for (const Json& owner : Part(metadata, "ownerReferences")) {
    if (TextOf(owner, "kind") == "Job") return TextOf(owner, "name");
  }
  return "";
}

}  // namespace

std::string NameOfObject(const Json& object) { return TextOf(Part(object, "metadata"), "name"); }

JobDigest DigestJob(const Json& job) {
  JobDigest digest;
  const Json& metadata = Part(job, "metadata");
  const Json& labels = Part(metadata, "labels");
  const Json& annotations = Part(metadata, "annotations");
  digest.uid = TextOf(metadata, "uid");
  digest.name_space = TextOf(metadata, "namespace");
  digest.version = ResourceVersionOf(job);
  digest.deleting = Part(metadata, "deletionTimestamp").is_string();
  digest.gated = MarkOf(annotations, kGatedAnnotation) == "true";
  digest.keep = MarkOf(annotations, kKeepAnnotation) == "true";
  digest.stream_output = MarkOf(annotations, kStreamOutputAnnotation) != "false";
  digest.pod_watch_timeout_seconds =
      ParseInt(MarkOf(annotations, kPodWatchTimeoutAnnotation)).value_or(0);
  digest.run_id = MarkOf(labels, kRunIdLabel);
  digest.attempt = MarkOf(labels, kAttemptLabel);
  digest.pool_id = MarkOf(labels, kPoolIdLabel);
  for (const char* type : {"Complete", "Failed", "FailureTarget"}) {
    const Json& condition = Condition(Part(job, "status"), type);
    if (!Holds(condition)) continue;
    digest.condition = type;
    digest.condition_reason = TextOf(condition, "reason");
    digest.condition_message = TextOf(condition, "message");
    break;
  }
  return digest;
}

PodDigest DigestPod(const Json& pod) {
  PodDigest digest;
  const Json& metadata = Part(pod, "metadata");
  const Json& annotations = Part(metadata, "annotations");
  const Json& status = Part(pod, "status");
  digest.name = TextOf(metadata, "name");
  digest.uid = TextOf(metadata, "uid");
  digest.name_space = TextOf(metadata, "namespace");
  digest.job = OwnerOf(metadata);
  digest.version = ResourceVersionOf(pod);
  digest.created_micros = EngineTimeMicros(TextOf(metadata, "creationTimestamp"));
  digest.phase = TextOf(status, "phase");
  digest.reason = TextOf(status, "reason");
  digest.message = TextOf(status, "message");
  digest.deleting = Part(metadata, "deletionTimestamp").is_string();
  digest.grace_seconds = digest.deleting
                             ? NumberOf(metadata, "deletionGracePeriodSeconds")
                             : NumberOf(Part(pod, "spec"), "terminationGracePeriodSeconds");
  digest.go = !digest.uid.empty() && MarkOf(annotations, kGoAnnotation) == digest.uid;
  digest.node = TextOf(Part(pod, "spec"), "nodeName");
  digest.scheduling_gate = SchedulingGateOf(Part(pod, "spec"));
  digest.preparation_lines = ParseInt(MarkOf(annotations, kPreparationLinesAnnotation));
  digest.main_container = MarkOf(annotations, kMainContainerAnnotation);
  const Json& scheduled = Condition(status, "PodScheduled");
  if (TextOf(scheduled, "reason") == "Unschedulable") {
    digest.unschedulable = TextOf(scheduled, "message");
  }
  const Json& disruption = Condition(status, "DisruptionTarget");
  if (Holds(disruption)) {
    digest.disruption = TextOf(disruption, "reason");
    digest.disruption_message = TextOf(disruption, "message");
  }
  DigestReservation(Part(pod, "spec"), status, digest);
  DigestContainers(Part(status, "initContainerStatuses"), true, digest);
  DigestContainers(Part(status, "containerStatuses"), false, digest);
  return digest;
}

EventDigest DigestEvent(const Json& event) {
  EventDigest digest;
  const Json& about = Part(event, "involvedObject");
  digest.uid = TextOf(Part(event, "metadata"), "uid");
  digest.kind = TextOf(about, "kind");
  digest.about = TextOf(about, "name");
  digest.reason = TextOf(event, "reason");
  digest.message = TextOf(event, "message");
  digest.warning = TextOf(event, "type") == "Warning";
  return digest;
}

}  // namespace forebay::worker
