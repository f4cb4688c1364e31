#pragma once

// A job configuration as what will be launched: typed, complete with the values that hold when
// nothing is said, images and sizes in one spelling. Policies are decided on it. Pure.

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/job_template/rendered_job.h"
#include "common/json/json.h"

namespace forebay {

// An object with every field of the pool type that has an effect; a field with no value is left
// out. docker: `image` in full, `privileged`, `read_only`, `auto_remove` and `stream_output` always
// there, `network_mode` always there unless `networks` is ("bridge" when neither was given), sizes
// in bytes, `cpus` a number, `memswap_limit` always there with a mem_limit (twice it when not
// given; -1 unlimited), `shm_size` (67108864 when not given), `volumes` as source:target[:ro].
// INVALID_ARGUMENT: INVALID_JOB as the type's reader says; UNKNOWN_POOL_TYPE.
// kubernetes: kubernetes_final.h.
absl::StatusOr<Json> FinalSpec(std::string_view pool_type, const Json& configuration);

struct FinalJob {
  Json spec;
  // Who set what stands there; one that nobody set is not named.
  std::vector<LeafOrigin> origins;
};
// The same, with `origins` of the configuration's leaves as rendering told them turned into those
// of the final spec.
absl::StatusOr<FinalJob> FinalSpecWithOrigins(std::string_view pool_type, const Json& configuration,
                                              const std::vector<LeafOrigin>& origins);

}  // namespace forebay
