#pragma once

// One parsed rule. A plain value.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/json/json.h"
#include "common/policy/fields.h"

namespace forebay {

struct Rule {
  std::string name;
  const FieldRule* field = nullptr;
  // Scalars; texts are globs.
  std::optional<std::vector<Json>> allow;
  std::vector<Json> deny;
  std::optional<double> max;
  std::optional<double> min;
  bool required = false;
  std::vector<std::string> include;
  bool require_digest = false;
  bool read_only = false;
};

}  // namespace forebay
