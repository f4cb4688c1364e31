#pragma once

// A Kubernetes job as policies see it: flat, with the whole Pod in each field. Pure.

#include <string>
#include <vector>

#include "common/job_spec/kubernetes_spec.h"
#include "common/json/json.h"

namespace forebay {

// What stands at `field` (a JSON pointer into the final spec) was read at `pointer` (into the job
// configuration).
struct FieldSource {
  std::string field;
  std::string pointer;
};

struct KubernetesFinal {
  Json spec;
  std::vector<FieldSource> sources;
};

// The fields are those of common/policy/fields.cc. A field that is a list holds the items of all
// containers (init containers too), each once; `privileged`, `allow_privilege_escalation` are true
// when they are for one container, `run_as_non_root` and `read_only` when they are for all,
// `cap_drop` has what all drop. Requests and limits are those of the Pod as the scheduler counts
// them: of containers side by side the sum, of init containers the largest; a limit is absent when
// one container has none. What no field is about is named in `other`.
KubernetesFinal KubernetesFinalSpec(const KubernetesSpec& job, const Json& configuration);

}  // namespace forebay
