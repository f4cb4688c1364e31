#pragma once

// Secrets and variables that job variables point to. They stay what they are through rendering and
// are resolved by the server, for the worker that holds the run. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/json/json.h"

namespace forebay {

struct Reference {
  // JSON pointer to where it stands.
  std::string pointer;
  // "secret" or "variable".
  std::string kind;
  std::string name;
};

// An object whose only key is `$secret` or `$variable`.
bool IsReference(const Json& value);
// The same reference in the form that stands in texts: `{{ forebay.secrets.NAME }}`.
std::string ReferenceText(const Json& reference);
// All of `value`: such objects, and `{{ forebay.secrets.NAME }}` and `{{ forebay.variables.NAME }}`
// in texts, in document order.
std::vector<Reference> FindReferences(const Json& value);
// INVALID_ARGUMENT (INVALID_REFERENCE, `field`, `value`) when `value` holds a reference whose name
// is not 1 to 255 of letters, digits, `_`, `-` and `.`. `field` names the value.
absl::Status CheckReferences(const Json& value, std::string_view field);
// FAILED_PRECONDITION (UNRESOLVED_REFERENCE, `field`, `value`).
absl::Status UnresolvedReference(const Reference& reference);

}  // namespace forebay
