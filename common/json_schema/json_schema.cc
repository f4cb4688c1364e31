#include "common/json_schema/json_schema.h"

#include "common/base/status.h"
#include "common/json_schema/schema_tree.h"
#include "common/json_schema/validate.h"

namespace forebay {

absl::StatusOr<JsonSchema> JsonSchema::Parse(const Json& schema, std::string_view field) {
  ASSIGN_OR_RETURN(auto tree, SchemaTree::Compile(schema, field));
  const SchemaNode* root = &tree->root();
  return JsonSchema(std::move(tree), root);
}

std::vector<SchemaViolation> JsonSchema::Validate(const Json& value,
                                                  const SchemaOptions& options) const {
  return ValidateAgainst(*root_, value, options);
}

std::optional<JsonSchema> JsonSchema::Property(std::string_view name) const {
  const SchemaNode& node = root_->ref == nullptr ? *root_ : *root_->ref;
  const auto found = node.properties.find(name);
  if (found == node.properties.end()) return std::nullopt;
  return JsonSchema(tree_, found->second);
}

}  // namespace forebay
