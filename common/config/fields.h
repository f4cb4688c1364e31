#pragma once

// A protobuf message seen as a list of named settings that texts are put into. Pure.

#include <google/protobuf/message.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace forebay {

// Names of all fields, in the order of their declaration.
std::vector<std::string> FieldNames(const google::protobuf::Descriptor& message);

// "text", "true or false", "a whole number", "a number", "list of texts".
std::string_view FieldTypeName(const google::protobuf::FieldDescriptor& field);

// Replaces the field by what the texts say; a field that is not repeated takes exactly one.
// `shown_as` is how the user wrote the field, for INVALID_ARGUMENT (INVALID_CONFIG_VALUE).
absl::Status SetField(google::protobuf::Message& message,
                      const google::protobuf::FieldDescriptor& field,
                      const std::vector<std::string>& texts, std::string_view shown_as);

}  // namespace forebay
