#pragma once

// JSON text at the project's edges: templates, parameters, job variables, configuration of the
// command line.
//
// Json keeps the order of keys and integers of 64 bits, signed or not. Pure; thread-safe.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace forebay {

using Json = nlohmann::ordered_json;

// Containers may nest this deep; deeper text is refused, so that recursion over a Json is safe.
inline constexpr int kMaxJsonDepth = 64;

// The value that `text` holds. `field` names the text in errors: INVALID_ARGUMENT (INVALID_JSON)
// for a syntax error (with line and column), a duplicate key, too deep nesting, or a number that
// does not fit 64 bits.
absl::StatusOr<Json> ParseJson(std::string_view text, std::string_view field);
// The same for a text that must be an object; blank text is {}.
absl::StatusOr<Json> ParseJsonObject(std::string_view text, std::string_view field);
// Compact text. Strings that are not UTF-8 have the offending bytes replaced by U+FFFD.
std::string DumpJson(const Json& value);
// Text for people: two spaces a level.
std::string DumpPrettyJson(const Json& value);
// "object", "array", "string", "number", "boolean" or "null".
std::string_view JsonTypeName(const Json& value);

}  // namespace forebay
