#pragma once

// YAML text -> Json, with bounds that keep hostile input cheap. Pure; thread-safe.

#include <string_view>

#include "absl/status/statusor.h"
#include "common/json/json.h"

namespace forebay {

// The one document that `text` holds; blank text is null. Plain scalars follow the core schema
// (null, true/false, decimal integers, floats); quoted ones are strings. `what` names the text in
// errors: INVALID_ARGUMENT (INVALID_YAML) with line and column for a syntax error, a second
// document, a duplicate or non-scalar key, a tag, nesting deeper than kMaxJsonDepth, more than 1
// MiB of text or, aliases counted as often as they are used, more than 100 000 nodes.
absl::StatusOr<Json> ParseYaml(std::string_view text, std::string_view what);

}  // namespace forebay
