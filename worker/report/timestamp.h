#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <optional>

#include "absl/time/time.h"

namespace forebay::worker {

inline void SetTimestamp(absl::Time time, google::protobuf::Timestamp& timestamp) {
  const int64_t nanos = absl::ToUnixNanos(time);
  timestamp.set_seconds(nanos / 1'000'000'000);
  timestamp.set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
}

inline absl::Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

inline absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

// Of a ReportResult or an AppendResult; nothing: the pool's.
template <typename Result>
std::optional<absl::Duration> StopGraceOf(const Result& result) {
  if (!result.has_stop_grace()) return std::nullopt;
  return ToDuration(result.stop_grace());
}

}  // namespace forebay::worker
