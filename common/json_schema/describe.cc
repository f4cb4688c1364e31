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

// So much of a list fits an error.
constexpr size_t kListBytes = 500;
constexpr size_t kShownBytes = 120;

// The texts of the items with the separator, as many as fit.
template <typename Items, typename TextOf>
std::string ListText(const Items& items, std::string_view separator, TextOf text_of) {
  std::string text;
  for (const auto& item : items) {
    if (!text.empty()) text += separator;
    if (text.size() > kListBytes) return text + "…";
    text += text_of(item);
  }
  return text;
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
  if (node.constant.has_value()) return ShownJson(node.constant->values.front());
  if (node.values.has_value()) return ListText(node.values->values, ", ", ShownJson);
  std::string text = node.types == 0 ? "a value" : TypesText(node.types);
  if (node.pattern != nullptr) text += fmt::format(" like {}", node.pattern->pattern());
  if (node.minimum.has_value()) text += fmt::format(" from {}", DumpJson(*node.minimum));
  if (node.maximum.has_value()) text += fmt::format(" up to {}", DumpJson(*node.maximum));
  if (node.required.empty()) return text;
  return text + " with " + ListText(node.required, " and ", [](const auto& name) { return name; });
}

std::string DescribeAny(const std::vector<const SchemaNode*>& nodes) {
  return ListText(nodes, ", or ", [](const SchemaNode* node) { return Describe(*node); });
}

std::string ShownJson(const Json& value) {
  std::string text = DumpJson(value);
  if (text.size() <= kShownBytes) return text;
  size_t end = kShownBytes;
  while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

}  // namespace forebay
