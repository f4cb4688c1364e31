#include "common/config/fields.h"

#include <charconv>
#include <limits>
#include <optional>

#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::optional<double> ParseNumber(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || text.empty()) return std::nullopt;
  return value;
}

// False when the text is not of the field's type.
bool SetScalar(Message& message, const FieldDescriptor& field, std::string_view text) {
  const auto& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      reflection.SetString(&message, &field, std::string(text));
      return true;
    case FieldDescriptor::CPPTYPE_BOOL:
      reflection.SetBool(&message, &field, text == "true");
      return text == "true" || text == "false";
    case FieldDescriptor::CPPTYPE_INT32: {
      const auto value = ParseInt(text);
      using Limits = std::numeric_limits<int32_t>;
      if (!value.has_value() || *value < Limits::min() || *value > Limits::max()) return false;
      reflection.SetInt32(&message, &field, static_cast<int32_t>(*value));
      return true;
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      const auto value = ParseInt(text);
      if (value.has_value()) reflection.SetInt64(&message, &field, *value);
      return value.has_value();
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      const auto value = ParseNumber(text);
      if (value.has_value()) reflection.SetDouble(&message, &field, *value);
      return value.has_value();
    }
    default:
      return false;
  }
}

}  // namespace

std::vector<std::string> FieldNames(const google::protobuf::Descriptor& message) {
  std::vector<std::string> names;
  for (int i = 0; i < message.field_count(); ++i) names.push_back(message.field(i)->name());
  return names;
}

std::string_view FieldTypeName(const FieldDescriptor& field) {
  if (field.is_repeated()) return "list of texts";
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
      return "a whole number";
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return "a number";
    default:
      return "text";
  }
}

absl::Status SetField(Message& message, const FieldDescriptor& field,
                      const std::vector<std::string>& texts, std::string_view shown_as) {
  if (field.is_repeated()) {
    const auto& reflection = *message.GetReflection();
    reflection.ClearField(&message, &field);
    for (const std::string& text : texts) reflection.AddString(&message, &field, text);
    return absl::OkStatus();
  }
  if (texts.size() == 1 && SetScalar(message, field, texts.front())) return absl::OkStatus();
  const std::string value = Join(texts, ",");
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_CONFIG_VALUE")
      .Field(field.name(), value)
      .Says("{} must be {}, not `{}`", shown_as, FieldTypeName(field), value);
}

}  // namespace forebay
