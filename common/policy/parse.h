#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/json/json.h"
#include "common/policy/rule.h"

namespace forebay {

// The rules of a policy's document, as of policy.h. Pure.
absl::StatusOr<std::vector<Rule>> ParseRules(std::string_view pool_type, const Json& document);

}  // namespace forebay
