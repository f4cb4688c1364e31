#pragma once

#include <string_view>

namespace forebay {

// Whether the whole of `text` is as `glob` says: `*` is any text without a slash, `**` any text,
// `?` one character that is no slash; all else is itself. Takes time by the product of both
// lengths. Pure.
bool GlobMatches(std::string_view glob, std::string_view text);

}  // namespace forebay
