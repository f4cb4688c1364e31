#include "cli/output/proto_json.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "absl/time/time.h"
#include "common/base/text.h"

namespace forebay::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Fields that carry JSON as text.
bool HoldsJsonText(std::string_view field) {
  constexpr std::string_view kFields[] = {"parameters", "job_variables", "base_job_template"};
  return std::find(std::begin(kFields), std::end(kFields), field) != std::end(kFields);
}

Json TextValue(const FieldDescriptor& field, std::string text) {
  if (HoldsJsonText(field.name())) {
    if (auto value = ParseJson(text, field.name()); value.ok()) return *std::move(value);
  }
  return text;
}

Json MessageValue(const Message& message) {
  if (message.GetDescriptor() == google::protobuf::Timestamp::descriptor()) {
    const auto& stamp = static_cast<const google::protobuf::Timestamp&>(message);
    const absl::Time time =
        absl::FromUnixSeconds(stamp.seconds()) + absl::Nanoseconds(stamp.nanos());
    return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone());
  }
  if (message.GetDescriptor() == google::protobuf::Duration::descriptor()) {
    const auto& span = static_cast<const google::protobuf::Duration&>(message);
    return absl::FormatDuration(absl::Seconds(span.seconds()) + absl::Nanoseconds(span.nanos()));
  }
  return ToJson(message);
}

Json SingleValue(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.GetInt64(message, &field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.GetDouble(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return ShortEnumName(*reflection.GetEnum(message, &field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageValue(reflection.GetMessage(message, &field));
    default:
      return TextValue(field, reflection.GetString(message, &field));
  }
}

Json RepeatedValue(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  Json array = Json::array();
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      array.push_back(MessageValue(reflection.GetRepeatedMessage(message, &field, i)));
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      array.push_back(reflection.GetRepeatedString(message, &field, i));
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      array.push_back(ShortEnumName(*reflection.GetRepeatedEnum(message, &field, i)));
    }
  }
  return array;
}

Json MapValue(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  Json object = Json::object();
  std::map<std::string, Json> sorted;
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
    const auto& type = *field.message_type();
    sorted[entry.GetReflection()->GetString(entry, type.map_key())] =
        SingleValue(entry, *type.map_value());
  }
  for (auto& [key, value] : sorted) object[key] = std::move(value);
  return object;
}

}  // namespace

std::string ShortEnumName(const google::protobuf::EnumValueDescriptor& value) {
  const std::string& unspecified = value.type()->value(0)->name();
  constexpr std::string_view kSuffix = "UNSPECIFIED";
  const size_t prefix = unspecified.size() - std::min(unspecified.size(), kSuffix.size());
  return value.name().substr(std::min(prefix, value.name().size()));
}

Json ToJson(const Message& message) {
  Json object = Json::object();
  const auto& descriptor = *message.GetDescriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    if (field.has_presence() && !message.GetReflection()->HasField(message, &field)) continue;
    object[field.name()] = field.is_map()        ? MapValue(message, field)
                           : field.is_repeated() ? RepeatedValue(message, field)
                                                 : SingleValue(message, field);
  }
  return object;
}

}  // namespace forebay::cli
