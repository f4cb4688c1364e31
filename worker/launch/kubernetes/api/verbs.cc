#include "worker/launch/kubernetes/api/verbs.h"

#include <fmt/format.h>

#include <array>

namespace forebay::worker {
namespace {

// In the order of Use.
constexpr std::array kVerbs = {
    Verb{"batch", "jobs", "create", "begin a run"},
    Verb{"batch", "jobs", "get", "see whose the Job of a name is"},
    Verb{"batch", "jobs", "list", "find the runs of the pool"},
    Verb{"batch", "jobs", "watch", "see how they go on"},
    Verb{"batch", "jobs", "delete", "cancel a run, and clean up after one"},
    Verb{"", "secrets", "create", "hand a run what must not be read from its spec"},
    Verb{"", "pods", "list", "find the Pods of the runs"},
    Verb{"", "pods", "watch", "see how they go on"},
    Verb{"", "pods", "patch", "let a run begin"},
    Verb{"", "pods", "delete", "end a run within its grace"},
    Verb{"", "pods/log", "get", "read the output of a run"},
    Verb{"", "events", "list", "say why a run waits"},
    Verb{"", "events", "watch", "the same, as it happens"},
    Verb{"metrics.k8s.io", "pods", "list", "measure what a run uses", true},
};
static_assert(kVerbs.size() == static_cast<size_t>(Use::kListPodMetrics) + 1);

}  // namespace

std::span<const Verb> UsedVerbs() { return kVerbs; }

const Verb& VerbOf(Use use) { return kVerbs[static_cast<size_t>(use)]; }

std::string RuleOf(const Verb& verb) {
  return fmt::format(R"(- {{apiGroups: ["{}"], resources: ["{}"], verbs: ["{}"]}})", verb.group,
                     verb.resource, verb.verb);
}

}  // namespace forebay::worker
