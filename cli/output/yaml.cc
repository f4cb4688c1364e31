#include "cli/output/yaml.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

namespace forebay::cli {
namespace {

// Text that every YAML reader takes for text without quotes; all else is written as JSON, which
// YAML contains.
bool IsPlain(std::string_view text) {
  if (text.empty()) return false;
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '/';
  };
  const auto is_safe = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  if (!is_letter(text.front()) || !std::all_of(text.begin(), text.end(), is_safe)) return false;
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  constexpr std::string_view kWords[] = {"null", "true", "false", "yes", "no",
                                         "on",   "off",  "y",     "n"};
  return std::find(std::begin(kWords), std::end(kWords), lower) == std::end(kWords);
}

std::string Scalar(const Json& value) {
  if (value.is_string() && IsPlain(value.get_ref<const std::string&>()))
    return value.get<std::string>();
  return DumpJson(value);
}

void Write(const Json& value, const std::string& indent, std::string& text);

// After "key:" or "-".
void WriteMember(const Json& value, const std::string& indent, bool in_list, std::string& text) {
  if (!value.is_structured() || value.empty()) {
    text += ' ' + Scalar(value) + '\n';
  } else if (in_list) {
    std::string nested;
    Write(value, indent, nested);
    text += ' ' + nested.substr(indent.size());
  } else {
    text += '\n';
    Write(value, indent, text);
  }
}

void Write(const Json& value, const std::string& indent, std::string& text) {
  if (value.is_array()) {
    for (const Json& item : value) {
      text += indent + '-';
      WriteMember(item, indent + "  ", true, text);
    }
    return;
  }
  for (const auto& [key, member] : value.items()) {
    text += indent + Scalar(key) + ':';
    WriteMember(member, indent + "  ", false, text);
  }
}

}  // namespace

std::string ToYaml(const Json& value) {
  if (!value.is_structured() || value.empty()) return Scalar(value) + '\n';
  std::string text;
  Write(value, "", text);
  return text;
}

}  // namespace forebay::cli
