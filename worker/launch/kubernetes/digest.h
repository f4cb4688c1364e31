#pragma once

// What is kept of the cluster's objects: a few words of each. Pure.

#include <cstdint>
#include <optional>
#include <string>

#include "common/json/json.h"

namespace forebay::worker {

struct JobDigest {
  // Empty: nothing is known of it.
  std::string uid;
  std::string name_space;
  int64_t version = 0;
  bool deleting = false;
  // As labels.h has them.
  bool gated = false;
  bool keep = false;
  bool stream_output = true;
  int64_t pod_watch_timeout_seconds = 0;
  std::string run_id;
  std::string attempt;
  std::string pool_id;
  // Complete, Failed or, on the way there, FailureTarget; empty: neither.
  std::string condition;
  std::string condition_reason;
  std::string condition_message;

  bool ended() const { return condition == "Complete" || condition == "Failed"; }
};

struct ContainerDigest {
  enum class State { kAbsent, kWaiting, kRunning, kTerminated };
  State state = State::kAbsent;
  // Of waiting and terminated.
  std::string reason;
  std::string message;
  int exit_code = 0;
  // By the node's clock, microseconds since the epoch; 0: it has not, or nobody says.
  int64_t began_micros = 0;
  int64_t ended_micros = 0;
};

struct PodDigest {
  std::string name;
  std::string uid;
  std::string name_space;
  // The Job that owns it.
  std::string job;
  int64_t version = 0;
  int64_t created_micros = 0;
  std::string phase;
  // Of the whole Pod: Evicted, OutOfcpu, DeadlineExceeded, …
  std::string reason;
  std::string message;
  bool deleting = false;
  // Of its deletion, if it is being deleted, else of its spec.
  int64_t grace_seconds = 0;
  // It was let go.
  bool go = false;
  // The place of our own scheduling gate among its gates; nothing: it has none (any more).
  std::optional<size_t> scheduling_gate;
  // Empty: none was chosen.
  std::string node;
  // When it was; 0: it was not.
  int64_t scheduled_micros = 0;
  // When the last of its containers ended; 0: one has not, or nobody says.
  int64_t ended_micros = 0;
  // What the scheduler sets aside for it.
  int64_t cpu_request_millis = 0;
  int64_t memory_request_bytes = 0;
  std::optional<int64_t> preparation_lines;
  // Why no node takes it; empty: one has, or nobody has tried.
  std::string unschedulable;
  // Reason and message of the condition DisruptionTarget.
  std::string disruption;
  std::string disruption_message;
  std::string main_container;
  ContainerDigest main;
  // A container, the main one or another, that something keeps from beginning or that failed before
  // the main one; waiting with a reason of trouble, or terminated. kAbsent: none.
  ContainerDigest trouble;
  std::string trouble_container;

  bool ended() const { return phase == "Succeeded" || phase == "Failed"; }
};

struct EventDigest {
  std::string uid;
  // Kind and name of what it is about.
  std::string kind;
  std::string about;
  std::string reason;
  std::string message;
  bool warning = false;
};

JobDigest DigestJob(const Json& job);
PodDigest DigestPod(const Json& pod);
EventDigest DigestEvent(const Json& event);

// `metadata.name` of any object.
std::string NameOfObject(const Json& object);

}  // namespace forebay::worker
