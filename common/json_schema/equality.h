#pragma once

#include <string>

#include "common/json/json.h"

namespace forebay {

// A text that two values share exactly when JSON Schema calls them equal: objects whatever the
// order of their keys, numbers by their value (1 and 1.0). Pure.
std::string CanonicalText(const Json& value);

// Below, equal or above 0 as `a` is less than, equal to or greater than `b`; exact for all numbers
// of 64 bits. Both are numbers.
int CompareNumbers(const Json& a, const Json& b);
// Whether `value` is a whole number of times `of`, which is above 0. Exact where both are whole;
// else within the rounding of the decimal texts to binary, so that 19.99 is a multiple of 0.01.
bool IsMultiple(const Json& value, const Json& of);
// "integer" of JSON Schema: 1 and 1.0, not true.
bool IsInteger(const Json& value);

}  // namespace forebay
