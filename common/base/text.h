#pragma once

// Text on std::string_view. Pure; thread-safe.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forebay {

// Parts between separators, empty ones kept: Split("a,,b", ',') = {"a", "", "b"}; Split("", ',') =
// {""}.
std::vector<std::string_view> Split(std::string_view text, char separator);
std::string Join(std::span<const std::string> parts, std::string_view separator);
// Without white space at both ends.
std::string_view Trim(std::string_view text);
std::string ToLower(std::string_view text);
std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to);
// The whole text as a decimal integer, or nothing.
std::optional<int64_t> ParseInt(std::string_view text);
// The candidate with the smallest edit distance, if near enough to be a slip of the pen; else
// empty.
std::string NearestName(std::string_view name, std::span<const std::string> candidates);
// `text` with each sequence that is not valid UTF-8 replaced by U+FFFD.
std::string ToValidUtf8(std::string_view text);
// `text` without U+0000, which a database keeps in no text.
std::string WithoutNul(std::string_view text);
// At most `most` bytes of valid UTF-8, without a cut character at the end.
std::string CutUtf8(std::string_view text, size_t most);
// A resource name: 1-63 of [a-z0-9-_], first a letter or digit.
bool IsResourceName(std::string_view name);
// The byte that two hexadecimal digits stand for; -1 when one is none.
int HexByte(char high, char low);
std::string HexEncode(std::string_view bytes);
std::optional<std::string> HexDecode(std::string_view hex);

}  // namespace forebay
