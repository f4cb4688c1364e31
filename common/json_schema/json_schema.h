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

class SchemaTree;

// One way in which a value is not as the schema wants it.
struct SchemaViolation {
  // JSON pointer (RFC 6901) into the value.
  std::string pointer;
  // The keyword; "depth" or "size" where a bound ended the check.
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
  // Whether `required` holds for the value itself; that of what is in it always does.
  bool require_top = true;
  // Whether null stands for absent in a property that is not required.
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

 private:
  explicit JsonSchema(std::shared_ptr<const SchemaTree> tree) : tree_(std::move(tree)) {}

  std::shared_ptr<const SchemaTree> tree_;
};

}  // namespace forebay
