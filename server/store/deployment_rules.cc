#include "server/store/deployment_rules.h"

#include <algorithm>
#include <array>

#include "common/base/status.h"
#include "common/base/text.h"
#include "server/api/messages.h"

namespace forebay::server {
namespace {

constexpr int kMostRetries = 100;
constexpr int kMostDelays = 100;
constexpr int kMostNamedLimits = 10;
constexpr absl::Duration kMostDelay = absl::Hours(24 * 7);
constexpr absl::Duration kMostTimeout = absl::Hours(24 * 365);

struct CauseName {
  v1::RetryCause cause;
  std::string_view name;
};
constexpr std::array kCauses = {CauseName{v1::RETRY_CAUSE_FAILED, "FAILED"},
                                CauseName{v1::RETRY_CAUSE_CRASHED, "CRASHED"},
                                CauseName{v1::RETRY_CAUSE_TIMED_OUT, "TIMED_OUT"},
                                CauseName{v1::RETRY_CAUSE_LAUNCH_FAILED, "LAUNCH_FAILED"}};

absl::Status CheckNumber(std::string_view field, double value, double least, double most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "OUT_OF_RANGE")
      .Field(field, fmt::format("{}", value))
      .With("allowed", fmt::format("{} to {}", least, most))
      .Says("{} is {}; it must be between {} and {}", field, value, least, most);
}

absl::Status CheckRetry(const v1::RetryPolicy& retry) {
  RETURN_IF_ERROR(CheckNumber("retry.retries", retry.retries(), 0, kMostRetries));
  RETURN_IF_ERROR(CheckNumber("retry.jitter", retry.jitter(), 0, 1));
  RETURN_IF_ERROR(CheckNumber("retry.delays", retry.delays_size(), 0, kMostDelays));
  for (const auto& delay : retry.delays())
    RETURN_IF_ERROR(CheckDuration("retry.delays", delay, absl::ZeroDuration(), kMostDelay));
  for (const int cause : retry.on()) {
    const bool known = std::any_of(kCauses.begin(), kCauses.end(),
                                   [&](const CauseName& name) { return name.cause == cause; });
    if (!known) return CheckNumber("retry.on", cause, 1, kCauses.size());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckRules(const v1::Deployment& deployment) {
  if (deployment.has_concurrency_limit())
    RETURN_IF_ERROR(CheckNumber("concurrency_limit", deployment.concurrency_limit(), 0, 1'000'000));
  RETURN_IF_ERROR(CheckNumber("collision", deployment.collision(), 0, 2));
  RETURN_IF_ERROR(
      CheckNumber("concurrency_limits", deployment.concurrency_limits_size(), 0, kMostNamedLimits));
  RETURN_IF_ERROR(CheckRetry(deployment.retry()));
  if (!deployment.has_timeout()) return absl::OkStatus();
  return CheckDuration("timeout", deployment.timeout(), absl::Seconds(1), kMostTimeout);
}

void AddRules(const v1::Deployment& deployment, Args& args) {
  deployment.has_concurrency_limit() ? args.Int(deployment.concurrency_limit()) : args.Null();
  args.Text(deployment.collision() == v1::COLLISION_STRATEGY_CANCEL_NEW ? "CANCEL_NEW" : "ENQUEUE");
  const v1::RetryPolicy& retry = deployment.retry();
  args.Int(retry.retries());
  ArrayLiteral delays;
  for (const auto& delay : retry.delays()) delays.Int(absl::ToInt64Milliseconds(FromProto(delay)));
  args.Array(delays.Take()).Double(retry.jitter());
  std::vector<std::string> causes;
  for (const CauseName& known : kCauses) {
    const bool named =
        std::find(retry.on().begin(), retry.on().end(), known.cause) != retry.on().end();
    const bool usual =
        known.cause == v1::RETRY_CAUSE_FAILED || known.cause == v1::RETRY_CAUSE_TIMED_OUT;
    if (retry.on().empty() ? usual : named) causes.emplace_back(known.name);
  }
  args.Array(TextArray(causes));
  deployment.has_timeout() ? args.Int(absl::ToInt64Milliseconds(FromProto(deployment.timeout())))
                           : args.Null();
}

void ReadRules(const Rows& rows, size_t row, int column, v1::Deployment& deployment) {
  if (const auto limit = rows.OptionalInt(row, column))
    deployment.set_concurrency_limit(static_cast<int>(*limit));
  deployment.set_collision(rows.Text(row, column + 1) == "CANCEL_NEW"
                               ? v1::COLLISION_STRATEGY_CANCEL_NEW
                               : v1::COLLISION_STRATEGY_ENQUEUE);
  v1::RetryPolicy& retry = *deployment.mutable_retry();
  retry.set_retries(static_cast<int>(rows.Int(row, column + 2)));
  for (const std::string& ms : rows.TextArray(row, column + 3))
    ToProto(absl::Milliseconds(ParseInt(ms).value_or(0)), *retry.add_delays());
  retry.set_jitter(rows.Double(row, column + 4));
  const std::vector<std::string> causes = rows.TextArray(row, column + 5);
  for (const CauseName& known : kCauses) {
    if (std::find(causes.begin(), causes.end(), known.name) != causes.end())
      retry.add_on(known.cause);
  }
  if (const auto ms = rows.OptionalInt(row, column + 6))
    ToProto(absl::Milliseconds(*ms), *deployment.mutable_timeout());
}

}  // namespace forebay::server
