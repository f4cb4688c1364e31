#pragma once

// A job configuration as what will be launched: typed, complete with the values that hold when
// nothing is said, images and sizes in one spelling. Policies are decided on it. Pure.

#include <string_view>

#include "absl/status/statusor.h"
#include "common/json/json.h"

namespace forebay {

// An object with every field of the pool type that has an effect; a field with no value is left
// out. docker: `image` in full, `privileged`, `read_only`, `auto_remove` and `stream_output` always
// there, `network_mode` always there unless `networks` is ("bridge" when neither was given), sizes
// in bytes, `cpus` a number, `memswap_limit` always there with a mem_limit (twice it when not
// given; -1 unlimited), `shm_size` (67108864 when not given), `volumes` as source:target[:ro].
// INVALID_ARGUMENT: INVALID_JOB as the type's reader says; UNKNOWN_POOL_TYPE.
absl::StatusOr<Json> FinalSpec(std::string_view pool_type, const Json& configuration);

}  // namespace forebay
