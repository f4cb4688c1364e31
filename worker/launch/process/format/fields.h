#pragma once

// Named byte strings in one text, in order, names may repeat: "<name> <length>\n<bytes>\n" for
// each.
//
// This folder is what the worker and the holder both know of a run's directory. It uses the
// standard library alone, so that the holder stays small. Pure; thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::holder {

struct Field {
  std::string name;
  std::string value;
};

void AddField(std::string& text, std::string_view name, std::string_view value);
void AddField(std::string& text, std::string_view name, int64_t value);
// Nothing when the text is cut short or malformed.
std::optional<std::vector<Field>> ParseFields(std::string_view text);

}  // namespace forebay::holder
