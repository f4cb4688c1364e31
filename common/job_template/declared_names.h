#pragma once

// Names that a template declares, as errors speak of them. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

namespace forebay {

// "a, b, c, …"
std::string ShownNames(const std::vector<std::string>& names);
// The declared name that may be meant, or empty.
std::string NearestDeclared(std::string_view name, const std::vector<std::string>& names);
// With `allowed` and, unless empty, `nearest`.
Error WithNames(Error error, std::string_view nearest, const std::vector<std::string>& names);
// "; did you mean `x`?" or nothing.
std::string DidYouMean(std::string_view nearest);
bool Declares(const std::vector<std::string>& names, std::string_view name);

}  // namespace forebay
