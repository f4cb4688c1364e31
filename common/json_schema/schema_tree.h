#pragma once

// A schema, read once so that it can be compared with many values. Internal to this folder.

#include <re2/re2.h>

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/json/json.h"

namespace forebay {

enum TypeBit : unsigned {
  kNullBit = 1,
  kBooleanBit = 2,
  kIntegerBit = 4,
  kNumberBit = 8,
  kStringBit = 16,
  kArrayBit = 32,
  kObjectBit = 64,
};

// The values of an `enum`, with their canonical texts (equality.h) to look them up by.
struct AllowedValues {
  std::vector<Json> values;
  std::unordered_set<std::string> texts;
};

// What one schema object says; what it does not say is absent.
struct SchemaNode {
  // `false` fits nothing.
  bool never = false;
  // With `$ref` nothing else counts. Never a schema that itself only refers.
  const SchemaNode* ref = nullptr;
  // 0: any.
  unsigned types = 0;
  // `enum`; `const` with its one value.
  std::optional<AllowedValues> values, constant;
  std::optional<Json> minimum, maximum, exclusive_minimum, exclusive_maximum, multiple_of;
  std::optional<uint64_t> min_length, max_length, min_items, max_items, min_properties,
      max_properties;
  std::shared_ptr<const RE2> pattern;
  bool unique_items = false;
  const SchemaNode* items = nullptr;
  std::vector<const SchemaNode*> tuple;
  const SchemaNode* additional_items = nullptr;
  std::map<std::string, const SchemaNode*, std::less<>> properties;
  std::vector<std::pair<std::shared_ptr<const RE2>, const SchemaNode*>> pattern_properties;
  const SchemaNode* additional_properties = nullptr;
  const SchemaNode* property_names = nullptr;
  std::vector<std::string> required;
  std::set<std::string, std::less<>> required_names;
  std::vector<const SchemaNode*> all_of, any_of, one_of;
  const SchemaNode* negated = nullptr;
};

class SchemaTree {
 public:
  // As JsonSchema::Parse.
  static absl::StatusOr<std::shared_ptr<const SchemaTree>> Compile(const Json& schema,
                                                                   std::string_view field);
  const SchemaNode& root() const { return *root_; }

 private:
  friend class SchemaCompiler;
  std::vector<std::unique_ptr<SchemaNode>> nodes_;
  const SchemaNode* root_ = nullptr;
};

// "an integer", "a string or null".
std::string TypesText(unsigned types);
unsigned TypeOf(const Json& value);
// In short what would fit, for people.
std::string Describe(const SchemaNode& node);
// What one of several schemas wants: "a string, or an integer".
std::string DescribeAny(const std::vector<const SchemaNode*>& nodes);
// Compact JSON, cut after some 120 bytes.
std::string ShownJson(const Json& value);

}  // namespace forebay
