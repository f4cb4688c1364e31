#include "cli/deployment_fields.h"

#include "cli/proto_values.h"
#include "cli/retry_delay.h"
#include "cli/values.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::cli {
namespace {

using Paths = std::vector<std::string>;

constexpr std::string_view kCausePrefix = "RETRY_CAUSE_";
constexpr std::string_view kCollisionPrefix = "COLLISION_STRATEGY_";

absl::Status NotBoth(std::string_view one, std::string_view other) {
  return Error(absl::StatusCode::kInvalidArgument, "USAGE")
      .Field(one, "")
      .Next("forebay deployment update --help")
      .Says("{} and {} exclude each other: give one of them", one, other);
}

absl::Status SetDescription(const Arguments& arguments, v1::Deployment& deployment, Paths& paths) {
  if (arguments.Has("description")) {
    deployment.set_description(arguments.Get("description"));
    paths.emplace_back("description");
  }
  if (arguments.Has("version")) {
    deployment.set_version(arguments.Get("version"));
    paths.emplace_back("version");
  }
  if (arguments.Has("tag") && arguments.Has("no-tags")) return NotBoth("--tag", "--no-tags");
  if (arguments.Has("tag") || arguments.Has("no-tags")) {
    deployment.clear_tags();
    for (const std::string& tag : arguments.All("tag")) deployment.add_tags(tag);
    paths.emplace_back("tags");
  }
  return absl::OkStatus();
}

absl::Status SetLimits(const Arguments& arguments, v1::Deployment& deployment, Paths& paths) {
  if (arguments.Has("concurrency-limit")) {
    ASSIGN_OR_RETURN(const auto limit,
                     ParseLimitOption(arguments.Get("concurrency-limit"), "--concurrency-limit"));
    deployment.clear_concurrency_limit();
    if (limit.has_value()) deployment.set_concurrency_limit(*limit);
    paths.emplace_back("concurrency_limit");
  }
  if (arguments.Has("collision")) {
    RETURN_IF_ERROR(SetCollision(arguments.Get("collision"), "--collision", deployment));
    paths.emplace_back("collision");
  }
  if (arguments.Has("limit") && arguments.Has("no-limits"))
    return NotBoth("--limit", "--no-limits");
  if (arguments.Has("limit") || arguments.Has("no-limits")) {
    deployment.clear_concurrency_limits();
    for (const std::string& name : arguments.All("limit")) deployment.add_concurrency_limits(name);
    paths.emplace_back("concurrency_limits");
  }
  return absl::OkStatus();
}

absl::Status SetRetries(const Arguments& arguments, v1::Deployment& deployment, Paths& paths) {
  if (arguments.Has("crash-retries")) {
    ASSIGN_OR_RETURN(const int32_t retries,
                     ParseCountOption(arguments.Get("crash-retries"), "--crash-retries", 0));
    deployment.set_crash_retries(retries);
    paths.emplace_back("crash_retries");
  }
  if (!ChangesRetry(arguments)) return absl::OkStatus();
  v1::RetryPolicy& policy = *deployment.mutable_retry();
  if (arguments.Has("retries")) {
    ASSIGN_OR_RETURN(const int32_t retries,
                     ParseCountOption(arguments.Get("retries"), "--retries", 0));
    policy.set_retries(retries);
  }
  if (arguments.Has("retry-delay"))
    RETURN_IF_ERROR(SetRetryDelay(arguments.Get("retry-delay"), "--retry-delay", policy));
  if (arguments.Has("retry-jitter"))
    RETURN_IF_ERROR(SetRetryJitter(arguments.Get("retry-jitter"), "--retry-jitter", policy));
  if (arguments.Has("retry-on")) {
    Paths words;
    for (const std::string& given : arguments.All("retry-on")) {
      for (const std::string_view word : Split(given, ',')) words.emplace_back(Trim(word));
    }
    RETURN_IF_ERROR(SetRetryCauses(words, "--retry-on", policy));
  }
  paths.emplace_back("retry");
  return absl::OkStatus();
}

std::string DelaysText(const v1::RetryPolicy& policy) {
  Paths delays;
  for (const auto& delay : policy.delays()) delays.push_back(TypedDuration(delay));
  return Join(delays, ", ");
}

std::string CausesText(const v1::RetryPolicy& policy) {
  // What the API does when the list is empty.
  if (policy.on().empty()) return "failed or timed-out";
  const auto words = EnumWords(*v1::RetryCause_descriptor(), kCausePrefix);
  Paths causes;
  for (const int cause : policy.on()) {
    if (cause > 0 && static_cast<size_t>(cause) <= words.size())
      causes.push_back(words[static_cast<size_t>(cause) - 1]);
  }
  return Join(causes, " or ");
}

}  // namespace

absl::Status SetRetryDelay(const std::string& text, std::string_view where,
                           v1::RetryPolicy& policy) {
  ASSIGN_OR_RETURN(const auto delays, ParseRetryDelay(text, where));
  policy.clear_delays();
  for (const absl::Duration delay : delays) SetDuration(delay, *policy.add_delays());
  return absl::OkStatus();
}

absl::Status SetRetryCauses(const std::vector<std::string>& words, std::string_view where,
                            v1::RetryPolicy& policy) {
  policy.clear_on();
  for (const std::string& word : words) {
    ASSIGN_OR_RETURN(const int cause,
                     ParseEnumWord(*v1::RetryCause_descriptor(), kCausePrefix, word, where));
    policy.add_on(static_cast<v1::RetryCause>(cause));
  }
  return absl::OkStatus();
}

absl::Status SetRetryJitter(const std::string& text, std::string_view where,
                            v1::RetryPolicy& policy) {
  ASSIGN_OR_RETURN(const double jitter, ParseNumberOption(text, where));
  if (jitter < 0 || jitter > 1) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field(where, text)
        .Says("{} must be a share from 0 to 1, not `{}`", where, text);
  }
  policy.set_jitter(jitter);
  return absl::OkStatus();
}

absl::Status SetTimeout(const std::string& text, std::string_view where,
                        v1::Deployment& deployment) {
  deployment.clear_timeout();
  if (text == "none") return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto timeout, ParseDurationOption(text, where));
  SetDuration(timeout, *deployment.mutable_timeout());
  return absl::OkStatus();
}

absl::Status SetCollision(const std::string& word, std::string_view where,
                          v1::Deployment& deployment) {
  ASSIGN_OR_RETURN(const int strategy, ParseEnumWord(*v1::CollisionStrategy_descriptor(),
                                                     kCollisionPrefix, word, where));
  deployment.set_collision(static_cast<v1::CollisionStrategy>(strategy));
  return absl::OkStatus();
}

std::vector<Option> DeploymentFieldOptions() {
  return {
      {"--description", "TEXT", "For people"},
      {"--version,--deployment-version", "TEXT", "Your version of what is deployed"},
      {"--tag", "TAG", "For people", false, true},
      {"--crash-retries", "N", "Tries again so often when a run crashes (0)", false, false, true},
      {"--retries", "N", "Tries again so often when a run fails or runs too long (0)"},
      {"--retry-delay", "DELAYS",
       "Pauses before them: 10s, or 10s,30s,1m, or exponential:10s..10m"},
      {"--retry-jitter", "SHARE", "Makes each pause longer by up to this share of it, e.g. 0.2"},
      {"--retry-on", "CAUSES", "What is tried again: failed,timed-out,crashed,launch-failed", false,
       true},
      {"--timeout", "DURATION", "Stops an attempt that runs longer; or none"},
      {"--concurrency-limit", "N", "Most of its runs at once, or none"},
      {"--collision", "WHAT", "What becomes of a run that is due while that limit is reached",
       false, false, false, EnumWords(*v1::CollisionStrategy_descriptor(), kCollisionPrefix)},
      {"--limit",
       "NAME",
       "A concurrency limit that each run takes a slot of",
       false,
       true,
       false,
       {},
       Completes::kLimits},
  };
}

std::vector<Option> DeploymentClearOptions() {
  return {{"--no-limits", "", "Take no slots of any concurrency limit"},
          {"--no-tags", "", "Take all tags away"}};
}

bool ChangesRetry(const Arguments& arguments) {
  return arguments.Has("retries") || arguments.Has("retry-delay") ||
         arguments.Has("retry-jitter") || arguments.Has("retry-on");
}

absl::StatusOr<std::vector<std::string>> SetDeploymentFields(const Arguments& arguments,
                                                             v1::Deployment& deployment) {
  Paths paths;
  RETURN_IF_ERROR(SetDescription(arguments, deployment, paths));
  RETURN_IF_ERROR(SetLimits(arguments, deployment, paths));
  RETURN_IF_ERROR(SetRetries(arguments, deployment, paths));
  if (arguments.Has("timeout")) {
    RETURN_IF_ERROR(SetTimeout(arguments.Get("timeout"), "--timeout", deployment));
    paths.emplace_back("timeout");
  }
  return paths;
}

std::string RetryText(const v1::RetryPolicy& policy) {
  if (policy.retries() == 0) return "";
  std::string text = std::to_string(policy.retries());
  if (!policy.delays().empty()) text += ", after " + DelaysText(policy);
  if (policy.jitter() > 0) text += fmt::format(", up to {:.3g} % longer", policy.jitter() * 100);
  return text + ", when " + CausesText(policy);
}

std::string CollisionText(const v1::Deployment& deployment) {
  return deployment.collision() == v1::COLLISION_STRATEGY_CANCEL_NEW ? "cancel-new" : "enqueue";
}

}  // namespace forebay::cli
