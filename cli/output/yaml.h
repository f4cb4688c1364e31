#pragma once

// Json -> YAML text in block style; reads back as the same value. Pure.

#include <string>

#include "common/json/json.h"

namespace forebay::cli {

std::string ToYaml(const Json& value);

}  // namespace forebay::cli
