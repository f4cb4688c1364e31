#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "common/json/json.h"
#include "common/policy/rule.h"

namespace forebay {

// What a rule finds wrong.
struct Fault {
  // Behind the field's own pointer, e.g. "/0" or "/NAME"; empty: the field itself.
  std::string below;
  // What stands there; null: nothing.
  Json value;
  std::string allowed;
  // "may not be privileged"; goes on behind "<field> is <value>, ".
  std::string why;
};

// `value`: what stands in the field; null pointer: nothing. Pure.
std::optional<Fault> CheckRule(const Rule& rule, const Json* value);
std::optional<Fault> CheckBuiltIn(const FieldRule& field, const Json* value);

}  // namespace forebay
