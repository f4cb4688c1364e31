#pragma once

// Placeholders in one string. Pure.

#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/json/json.h"

namespace forebay {

// The dotted and indexed path inside the braces, e.g. `networks[0].name`.
class PlaceholderPath {
 public:
  using Step = std::variant<std::string_view, size_t>;

  // Nothing when the text, blanks stripped, is not a path.
  static std::optional<PlaceholderPath> Parse(std::string_view text);

  // The variable's name.
  std::string_view root() const { return std::get<std::string_view>(steps_.front()); }
  const std::vector<Step>& steps() const { return steps_; }
  // The value below the variable's value, or null pointer when something on the way is missing.
  const Json* Find(const Json& root_value) const;

 private:
  std::vector<Step> steps_;
};

// A stretch of literal text, or a placeholder with the text that spells it.
struct TextPart {
  std::string_view text;
  std::optional<PlaceholderPath> path;
};

// `text` cut into parts that, joined, are `text` again. Views into `text`.
std::vector<TextPart> SplitPlaceholders(std::string_view text);

}  // namespace forebay
