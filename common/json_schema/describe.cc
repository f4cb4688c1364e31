#include <fmt/format.h>

#include "common/base/text.h"
#include "common/json_schema/equality.h"
#include "common/json_schema/schema_tree.h"

namespace forebay {
namespace {

constexpr std::pair<unsigned, std::string_view> kTypes[] = {
    {kNullBit, "null"},       {kBooleanBit, "a boolean"}, {kIntegerBit, "an integer"},
    {kNumberBit, "a number"}, {kStringBit, "a string"},   {kArrayBit, "a list"},
    {kObjectBit, "an object"}};

std::string ValuesText(const SchemaNode& node) {
  std::vector<std::string> texts;
  for (const auto& [canonical, value] : *node.values) texts.push_back(DumpJson(value));
  return Join(texts, ", ");
}

}  // namespace

std::string TypesText(unsigned types) {
  std::vector<std::string> names;
  for (const auto& [bit, name] : kTypes) {
    if ((types & bit) != 0) names.emplace_back(name);
  }
  return Join(names, " or ");
}

unsigned TypeOf(const Json& value) {
  if (value.is_null()) return kNullBit;
  if (value.is_boolean()) return kBooleanBit;
  if (value.is_string()) return kStringBit;
  if (value.is_array()) return kArrayBit;
  if (value.is_object()) return kObjectBit;
  return IsInteger(value) ? kIntegerBit : kNumberBit;
}

std::string Describe(const SchemaNode& node) {
  if (node.ref != nullptr) return Describe(*node.ref);
  if (node.never) return "nothing";
  if (node.values.has_value()) return ValuesText(node);
  std::string text = node.types == 0 ? "a value" : TypesText(node.types);
  if (node.pattern != nullptr) text += fmt::format(" like {}", node.pattern->pattern());
  if (node.minimum.has_value()) text += fmt::format(" from {}", DumpJson(*node.minimum));
  if (node.maximum.has_value()) text += fmt::format(" up to {}", DumpJson(*node.maximum));
  return text;
}

}  // namespace forebay
