#include "common/json_schema/json_schema.h"

#include "common/base/status.h"
#include "common/json_schema/schema_tree.h"
#include "common/json_schema/validate.h"

namespace forebay {

absl::StatusOr<JsonSchema> JsonSchema::Parse(const Json& schema, std::string_view field) {
  ASSIGN_OR_RETURN(auto tree, SchemaTree::Compile(schema, field));
  return JsonSchema(std::move(tree));
}

std::vector<SchemaViolation> JsonSchema::Validate(const Json& value,
                                                  const SchemaOptions& options) const {
  return ValidateAgainst(tree_->root(), value, options);
}

}  // namespace forebay
