#include "common/job_template/placeholder.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace forebay {
namespace {

constexpr std::string_view kBlanks = " \t\n\v\f\r";

void SkipBlanks(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
}

bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

std::string_view TakeName(std::string_view& rest) {
  size_t length = 0;
  while (length < rest.size() && IsNameChar(rest[length])) ++length;
  const std::string_view name = rest.substr(0, length);
  rest.remove_prefix(length);
  return name;
}

// `[12]`; `rest` begins with the bracket.
std::optional<size_t> TakeIndex(std::string_view& rest) {
  size_t index = 0;
  const char* first = rest.data() + 1;
  const char* last = rest.data() + rest.size();
  const auto [stop, error] = std::from_chars(first, last, index);
  if (error != std::errc() || stop == last || *stop != ']') return std::nullopt;
  rest.remove_prefix(static_cast<size_t>(stop + 1 - rest.data()));
  return index;
}

}  // namespace

std::optional<PlaceholderPath> PlaceholderPath::Parse(std::string_view text) {
  // From left to right only, and stopping at the first odd character: hostile text stays linear.
  std::string_view rest = text;
  SkipBlanks(rest);
  PlaceholderPath path;
  path.steps_.emplace_back(TakeName(rest));
  if (path.root().empty()) return std::nullopt;
  while (!rest.empty() && kBlanks.find(rest.front()) == std::string_view::npos) {
    if (rest.front() == '[') {
      const auto index = TakeIndex(rest);
      if (!index.has_value()) return std::nullopt;
      path.steps_.emplace_back(*index);
      continue;
    }
    if (rest.front() != '.') return std::nullopt;
    rest.remove_prefix(1);
    const std::string_view name = TakeName(rest);
    if (name.empty()) return std::nullopt;
    path.steps_.emplace_back(name);
  }
  SkipBlanks(rest);
  if (!rest.empty()) return std::nullopt;
  return path;
}

const Json* PlaceholderPath::Find(const Json& root_value) const {
  const Json* value = &root_value;
  for (size_t i = 1; i < steps_.size(); ++i) {
    if (const auto* index = std::get_if<size_t>(&steps_[i])) {
      if (!value->is_array() || *index >= value->size()) return nullptr;
      value = &(*value)[*index];
      continue;
    }
    const auto name = std::string(std::get<std::string_view>(steps_[i]));
    const auto member = value->is_object() ? value->find(name) : value->end();
    if (member == value->end()) return nullptr;
    value = &*member;
  }
  return value;
}

std::vector<TextPart> SplitPlaceholders(std::string_view text) {
  std::vector<TextPart> parts;
  size_t literal = 0;
  size_t at = text.find("{{");
  size_t close = 0;
  while (at != std::string_view::npos) {
    if (close < at + 2) close = text.find("}}", at + 2);
    if (close == std::string_view::npos) break;
    auto path = PlaceholderPath::Parse(text.substr(at + 2, close - at - 2));
    if (!path.has_value()) {
      at = text.find("{{", at + 1);
      continue;
    }
    if (at > literal) parts.push_back({text.substr(literal, at - literal), std::nullopt});
    literal = close + 2;
    parts.push_back({text.substr(at, literal - at), std::move(path)});
    at = text.find("{{", literal);
  }
  if (literal < text.size()) parts.push_back({text.substr(literal), std::nullopt});
  return parts;
}

}  // namespace forebay
