#include "cli/proto_values.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>

#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::cli {
namespace {

std::string WordOf(const google::protobuf::EnumValueDescriptor& value, std::string_view prefix) {
  return ReplaceAll(ToLower(std::string_view(value.name()).substr(prefix.size())), "_", "-");
}

}  // namespace

void SetDuration(absl::Duration duration, google::protobuf::Duration& field) {
  field.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  field.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
}

void SetTime(absl::Time time, google::protobuf::Timestamp& field) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  field.set_seconds(seconds);
  field.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

absl::Duration DurationOf(const google::protobuf::Duration& field) {
  return absl::Seconds(field.seconds()) + absl::Nanoseconds(field.nanos());
}

std::string TypedDuration(const google::protobuf::Duration& field) {
  return absl::FormatDuration(DurationOf(field));
}

std::vector<std::string> EnumWords(const google::protobuf::EnumDescriptor& type,
                                   std::string_view prefix) {
  std::vector<std::string> words;
  for (int i = 1; i < type.value_count(); ++i) words.push_back(WordOf(*type.value(i), prefix));
  return words;
}

absl::StatusOr<int> ParseEnumWord(const google::protobuf::EnumDescriptor& type,
                                  std::string_view prefix, const std::string& word,
                                  std::string_view option) {
  for (int i = 1; i < type.value_count(); ++i) {
    if (WordOf(*type.value(i), prefix) == word) return type.value(i)->number();
  }
  const auto words = EnumWords(type, prefix);
  const std::string nearest = NearestName(word, words);
  return Error(absl::StatusCode::kInvalidArgument, "USAGE")
      .Field(option, word)
      .With("allowed", Join(words, ", "))
      .With("nearest", nearest)
      .Says("{} must be one of {}, not `{}`{}", option, Join(words, ", "), word,
            nearest.empty() ? "" : fmt::format("; did you mean `{}`?", nearest));
}

}  // namespace forebay::cli
