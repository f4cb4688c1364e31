#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/json/json.h"

namespace forebay {

// Bytes of "64m", "1.5g", "512", "10 MiB": digits, a unit b, k, m, g or t, each 1024 of the one
// before, with or without "b" or "ib" behind it, upper or lower case. Nothing for other text, for
// negative sizes and for those of 2^62 bytes and more. Pure.
std::optional<int64_t> ParseByteSize(std::string_view text);
// The same of a JSON string or integer; -1 when `minus_one` allows it.
std::optional<int64_t> ByteSizeOf(const Json& value, bool minus_one = false);

}  // namespace forebay
