#pragma once

// Times, durations and enums between what people type and read and what API messages hold. Pure.

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace forebay::cli {

void SetDuration(absl::Duration duration, google::protobuf::Duration& field);
void SetTime(absl::Time time, google::protobuf::Timestamp& field);
absl::Duration DurationOf(const google::protobuf::Duration& field);
// "1m30s", as it can be typed again.
std::string TypedDuration(const google::protobuf::Duration& field);

// Words as people type them, "cancel-new", for the values of an enum that `prefix` begins, the
// unspecified one left out.
std::vector<std::string> EnumWords(const google::protobuf::EnumDescriptor& type,
                                   std::string_view prefix);
// The number of the value that `word` names. INVALID_ARGUMENT (USAGE) with the nearest.
absl::StatusOr<int> ParseEnumWord(const google::protobuf::EnumDescriptor& type,
                                  std::string_view prefix, const std::string& word,
                                  std::string_view option);

}  // namespace forebay::cli
