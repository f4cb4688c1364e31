#pragma once

// Between protobuf's well-known types and ours, resource names and their parts, page sizes. Pure;
// thread-safe.

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/repeated_field.h>
#include <google/protobuf/timestamp.pb.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/uuid.h"

namespace forebay::server {

void ToProto(absl::Time time, google::protobuf::Timestamp& proto);
absl::Time FromProto(const google::protobuf::Timestamp& proto);
void ToProto(absl::Duration duration, google::protobuf::Duration& proto);
absl::Duration FromProto(const google::protobuf::Duration& proto);

// INVALID_ARGUMENT (INVALID_MESSAGE): what came for `request` is no message of its kind.
absl::Status NotThatMessage(const google::protobuf::Message& request, std::string_view why);

// INVALID_ARGUMENT (OUT_OF_RANGE) naming the field and what is allowed.
absl::Status CheckDuration(std::string_view field, const google::protobuf::Duration& given,
                           absl::Duration least, absl::Duration most);

// Fills the field that `field()` makes only when there is a time, so that an absent time stays
// absent.
template <typename Field>
void SetTime(const std::optional<absl::Time>& time, Field&& field) {
  if (time.has_value()) ToProto(*time, *field());
}

// "workPools/x" or "x" -> "x". INVALID_ARGUMENT (INVALID_NAME) when what is left is not a name.
absl::StatusOr<std::string> PoolNameOf(std::string_view name, std::string_view field);

struct QueueName {
  std::string pool;
  std::string queue;
};
// "workPools/x/queues/y" or "x/y".
absl::StatusOr<QueueName> QueueNameOf(std::string_view name, std::string_view field);

struct DeploymentName {
  // With `_` turned to `-`.
  std::string flow;
  std::string deployment;
};
// "teams/t/flows/x/deployments/y" or "x/y".
absl::StatusOr<DeploymentName> DeploymentNameOf(std::string_view name, std::string_view field);

// "teams/t/concurrencyLimits/x" or "x".
absl::StatusOr<std::string> LimitNameOf(std::string_view name, std::string_view field);

struct ScheduleName {
  DeploymentName deployment;
  std::string slug;
};
// "teams/t/flows/x/deployments/y/schedules/z" or "x/y/z".
absl::StatusOr<ScheduleName> ScheduleNameOf(std::string_view name, std::string_view field);

// "<collection>/<uuid>" or the bare id.
absl::StatusOr<Uuid> IdOf(std::string_view name, std::string_view collection,
                          std::string_view field);

// 0 = 100, larger than 1000 = 1000. INVALID_ARGUMENT for a negative one.
absl::StatusOr<int> PageSize(int requested);

// A page token is the key of the last row, opaque to callers.
std::string MakePageToken(std::string_view key);
// INVALID_ARGUMENT (INVALID_PAGE_TOKEN); nothing for an empty token.
absl::StatusOr<std::optional<std::string>> ReadPageToken(std::string_view token);

// Moves the first `size` (> 0) of the items, one more of which were asked for, to the page. Answers
// the last one moved, from whose key the next page's token is made, or null when there is no next.
template <typename Item>
const Item* FillPage(std::vector<Item> items, int size,
                     google::protobuf::RepeatedPtrField<Item>& page) {
  for (Item& item : items) {
    if (page.size() == size) return &page[size - 1];
    *page.Add() = std::move(item);
  }
  return nullptr;
}

}  // namespace forebay::server
