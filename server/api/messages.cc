#include "server/api/messages.h"

#include <algorithm>

#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::server {
namespace {

absl::Status BadName(std::string_view field, std::string_view value, std::string_view form) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_NAME")
      .Field(field, value)
      .With("allowed", form)
      .Says(
          "{} '{}' is not a name of the form {}: 1-63 of a-z, 0-9, '-' and '_', beginning with a "
          "letter or digit",
          field, value, form);
}

// The parts between "a/", "/b/" …: Strip("workPools/x/queues/y", {"workPools/", "/queues/"}) = {x,
// y}.
std::vector<std::string> SplitResource(std::string_view name) {
  std::vector<std::string> parts;
  for (const std::string_view part : Split(name, '/')) parts.emplace_back(part);
  return parts;
}

}  // namespace

absl::Status NotThatMessage(const google::protobuf::Message& request, std::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_MESSAGE")
      .With("message", request.GetTypeName())
      .Says("the body is not a {}: {}", request.GetTypeName(), why);
}

void ToProto(absl::Time time, google::protobuf::Timestamp& proto) {
  const int64_t micros = absl::ToUnixMicros(time);
  int64_t seconds = micros / 1'000'000;
  int64_t rest = micros % 1'000'000;
  if (rest < 0) {
    --seconds;
    rest += 1'000'000;
  }
  proto.set_seconds(seconds);
  proto.set_nanos(static_cast<int32_t>(rest * 1000));
}

absl::Time FromProto(const google::protobuf::Timestamp& proto) {
  return absl::FromUnixSeconds(proto.seconds()) + absl::Nanoseconds(proto.nanos());
}

void ToProto(absl::Duration duration, google::protobuf::Duration& proto) {
  proto.set_seconds(absl::ToInt64Seconds(duration));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration % absl::Seconds(1))));
}

absl::Duration FromProto(const google::protobuf::Duration& proto) {
  return absl::Seconds(proto.seconds()) + absl::Nanoseconds(proto.nanos());
}

absl::Status CheckDuration(std::string_view field, const google::protobuf::Duration& given,
                           absl::Duration least, absl::Duration most) {
  const absl::Duration value = FromProto(given);
  if (value >= least && value <= most) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "OUT_OF_RANGE")
      .Field(field, absl::FormatDuration(value))
      .With("allowed", absl::FormatDuration(least) + " to " + absl::FormatDuration(most))
      .Says("{} is {}; it must be between {} and {}", field, absl::FormatDuration(value),
            absl::FormatDuration(least), absl::FormatDuration(most));
}

absl::StatusOr<std::string> PoolNameOf(std::string_view name, std::string_view field) {
  auto parts = SplitResource(name);
  if (parts.size() == 2 && parts[0] == "workPools") parts.erase(parts.begin());
  if (parts.size() != 1 || !IsResourceName(parts[0]))
    return BadName(field, name, "workPools/{pool}");
  return parts[0];
}

absl::StatusOr<QueueName> QueueNameOf(std::string_view name, std::string_view field) {
  auto parts = SplitResource(name);
  if (parts.size() == 4 && parts[0] == "workPools" && parts[2] == "queues")
    parts = {parts[1], parts[3]};
  if (parts.size() != 2 || !IsResourceName(parts[0]) || !IsResourceName(parts[1])) {
    return BadName(field, name, "workPools/{pool}/queues/{queue}");
  }
  return QueueName{parts[0], parts[1]};
}

absl::StatusOr<DeploymentName> DeploymentNameOf(std::string_view name, std::string_view field) {
  auto parts = SplitResource(name);
  if (parts.size() == 6 && parts[0] == "teams" && parts[2] == "flows" &&
      parts[4] == "deployments") {
    parts = {parts[3], parts[5]};
  }
  if (parts.size() == 2) std::replace(parts[0].begin(), parts[0].end(), '_', '-');
  if (parts.size() != 2 || !IsResourceName(parts[0]) || !IsResourceName(parts[1])) {
    return BadName(field, name, "{flow}/{deployment}");
  }
  return DeploymentName{parts[0], parts[1]};
}

absl::StatusOr<std::string> LimitNameOf(std::string_view name, std::string_view field) {
  auto parts = SplitResource(name);
  if (parts.size() == 4 && parts[0] == "teams" && parts[2] == "concurrencyLimits")
    parts = {parts[3]};
  if (parts.size() != 1 || !IsResourceName(parts[0]))
    return BadName(field, name, "teams/{team}/concurrencyLimits/{limit}");
  return parts[0];
}

absl::StatusOr<ScheduleName> ScheduleNameOf(std::string_view name, std::string_view field) {
  auto parts = SplitResource(name);
  if (parts.size() == 8 && parts[0] == "teams" && parts[2] == "flows" &&
      parts[4] == "deployments" && parts[6] == "schedules") {
    parts = {parts[3], parts[5], parts[7]};
  }
  if (parts.size() != 3 || !IsResourceName(parts[2]))
    return BadName(field, name, "{flow}/{deployment}/{slug}");
  ASSIGN_OR_RETURN(DeploymentName deployment, DeploymentNameOf(parts[0] + "/" + parts[1], field));
  return ScheduleName{std::move(deployment), parts[2]};
}

absl::StatusOr<Uuid> IdOf(std::string_view name, std::string_view collection,
                          std::string_view field) {
  std::string_view id = name;
  if (id.substr(0, collection.size()) == collection && id.size() > collection.size() &&
      id[collection.size()] == '/') {
    id.remove_prefix(collection.size() + 1);
  }
  if (const auto uuid = Uuid::Parse(id)) return *uuid;
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_NAME")
      .Field(field, name)
      .Says("{} '{}' is not an id of the form {}/{{uuid}}", field, name, collection);
}

absl::StatusOr<int> PageSize(int requested) {
  if (requested < 0) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_PAGE_SIZE")
        .Field("page_size", std::to_string(requested))
        .Says("page_size {} is negative", requested);
  }
  return requested == 0 ? 100 : std::min(requested, 1000);
}

std::string MakePageToken(std::string_view key) { return "p1" + HexEncode(key); }

absl::StatusOr<std::optional<std::string>> ReadPageToken(std::string_view token) {
  if (token.empty()) return std::optional<std::string>();
  if (token.substr(0, 2) == "p1") {
    if (auto key = HexDecode(token.substr(2)); key.has_value() && !key->empty())
      return std::optional<std::string>(*key);
  }
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_PAGE_TOKEN")
      .Field("page_token", token)
      .Says("page_token is not one that a list call of this server gave out");
}

}  // namespace forebay::server
