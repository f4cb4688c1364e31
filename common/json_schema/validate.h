#pragma once

#include <vector>

#include "common/json_schema/json_schema.h"
#include "common/json_schema/schema_tree.h"

namespace forebay {

// As JsonSchema::Validate.
std::vector<SchemaViolation> ValidateAgainst(const SchemaNode& root, const Json& value,
                                             const SchemaOptions& options);

}  // namespace forebay
