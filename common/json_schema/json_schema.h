#pragma once

// The part of JSON Schema that job templates use, checked within bounds: never fetches anything,
// never backtracks (patterns are RE2's), never goes deeper or on longer than said below.
//
// Keywords: type, enum, const; properties, patternProperties, additionalProperties, propertyNames,
// required, minProperties, maxProperties; items, additionalItems, minItems, maxItems, uniqueItems;
// pattern, minLength, maxLength; minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf;
// anyOf, oneOf, allOf, not; $ref to a place in the same document, $defs, definitions. Annotations,
// which decide nothing: title, description, default, examples, format, deprecated, readOnly,
// writeOnly, $schema, $comment. Meaning as in draft 7
// (https://json-schema.org/draft-07/json-schema-validation). Pure; immutable, cheap to copy,
// thread-safe.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/json/json.h"

namespace forebay {

// Schemas nested in schemas, and steps through $ref and into the value, at most.
inline constexpr int kMaxSchemaDepth = 32;
// Schemas in a document at most, and comparisons of a schema with a value in one Validate.
inline constexpr int kMaxSchemaNodes = 10'000;
// Bytes and entries that one Validate looks at, at most; a byte given to a pattern counts eight
// times. Some tenths of a second.
inline constexpr size_t kMaxSchemaWork = 16 << 20;

class SchemaTree;
struct SchemaNode;

// One way in which a value is not as the schema wants it.
struct SchemaViolation {
  // JSON pointer (RFC 6901) into the value.
  std::string pointer;
  // The keyword; "depth" or "size" where a bound ended the check: what is not checked to the end
  // does not fit.
  std::string rule;
  // Compact JSON of what stands there, shortened.
  std::string value;
  // What would do, e.g. "integer" or "a, b, c"; may be empty.
  std::string allowed;
  // The allowed name or value that is nearest to the one given; often empty.
  std::string nearest;
  // A sentence for people, e.g. "must be an integer, not a string".
  std::string message;
};

struct SchemaOptions {
  // Whether the value itself is complete. If not, more properties may come: its `required`,
  // `minProperties` and `not`, and too many of `oneOf`, decide nothing yet. What is in it is always
  // complete.
  bool require_top = true;
  // Whether null stands for absent in a property: fine if it is not required, missing if it is.
  bool null_is_absent = false;
  // Values that fit any schema, because what they stand for is not known yet; null: none.
  bool (*fits_anything)(const Json& value) = nullptr;
};

class JsonSchema {
 public:
  // INVALID_ARGUMENT: INVALID_SCHEMA (`field`: `field` and the JSON pointer of the place, `value`,
  // for an unknown keyword `nearest` and `allowed`) for an unsupported or ill-typed keyword, a
  // pattern that RE2 does not know, a $ref that leaves the document, points nowhere or goes in a
  // circle, or a bound that is passed.
  static absl::StatusOr<JsonSchema> Parse(const Json& schema, std::string_view field);

  // In document order; nothing when the value fits, at most 20.
  std::vector<SchemaViolation> Validate(const Json& value, const SchemaOptions& options) const;

  // What `properties` says of this name, if it says anything.
  std::optional<JsonSchema> Property(std::string_view name) const;

 private:
  JsonSchema(std::shared_ptr<const SchemaTree> tree, const SchemaNode* root)
      : tree_(std::move(tree)), root_(root) {}

  std::shared_ptr<const SchemaTree> tree_;
  const SchemaNode* root_;
};

}  // namespace forebay
