#pragma once

// All that this worker may ever ask of an API server: the one table that the calls, the check of
// `forebay doctor`, the documentation and the RBAC manifest have in common. Pure.

#include <span>
#include <string>
#include <string_view>

namespace forebay::worker {

struct Verb {
  // API group; empty: the core.
  std::string_view group;
  // With its subresource: "pods/log".
  std::string_view resource;
  std::string_view verb;
  // For people: what it is for.
  std::string_view why;
  // The worker does without it.
  bool dispensable = false;
};

// A row of the table.
enum class Use {
  kCreateJob,
  kGetJob,
  kListJobs,
  kWatchJobs,
  kDeleteJob,
  kCreateSecret,
  kListPods,
  kWatchPods,
  kPatchPod,
  kDeletePod,
  kReadLog,
  kListEvents,
  kWatchEvents,
  kListPodMetrics,
};

std::span<const Verb> UsedVerbs();
const Verb& VerbOf(Use use);

// `- {apiGroups: ["batch"], resources: ["jobs"], verbs: ["create"]}`: the line for a Role.
std::string RuleOf(const Verb& verb);

}  // namespace forebay::worker
