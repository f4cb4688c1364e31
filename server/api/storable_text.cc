#include "server/api/storable_text.h"

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "common/base/status.h"

namespace forebay::server {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

absl::Status Check(const Message& message, const std::string& path);

absl::Status CheckText(const std::string& path, const std::string& text) {
  const size_t nul = text.find('\0');
  if (nul == std::string::npos) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_TEXT")
      .Field(path, text.substr(0, nul))
      .Says("{} has the character U+0000, which cannot be kept", path);
}

absl::Status CheckOne(const Message& message, const FieldDescriptor& field,
                      const std::string& path) {
  const auto& reflection = *message.GetReflection();
  if (field.type() == FieldDescriptor::TYPE_STRING) {
    std::string scratch;
    return CheckText(path, reflection.GetStringReference(message, &field, &scratch));
  }
  return Check(reflection.GetMessage(message, &field), path);
}

absl::Status CheckEach(const Message& message, const FieldDescriptor& field,
                       const std::string& path) {
  const auto& reflection = *message.GetReflection();
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    if (field.type() == FieldDescriptor::TYPE_STRING) {
      std::string scratch;
      RETURN_IF_ERROR(
          CheckText(path, reflection.GetRepeatedStringReference(message, &field, i, &scratch)));
    } else {
      RETURN_IF_ERROR(Check(reflection.GetRepeatedMessage(message, &field, i), path));
    }
  }
  return absl::OkStatus();
}

absl::Status Check(const Message& message, const std::string& path) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool text = field->type() == FieldDescriptor::TYPE_STRING;
    if (!text && field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const std::string below = path.empty() ? field->name() : path + "." + field->name();
    RETURN_IF_ERROR(field->is_repeated() ? CheckEach(message, *field, below)
                                         : CheckOne(message, *field, below));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckStorable(const Message& request) { return Check(request, ""); }

}  // namespace forebay::server
