#include "cli/run_filter.h"

#include <algorithm>
#include <set>

#include "cli/names.h"
#include "cli/proto_values.h"
#include "cli/values.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::cli {
namespace {

constexpr std::string_view kStatePrefix = "STATE_TYPE_";
constexpr char kLate[] = "late";
constexpr char kNext[] = "forebay flow-run ls --help";

std::string DidYouMean(std::string_view word, const std::vector<std::string>& known) {
  const std::string nearest = NearestName(word, known);
  return nearest.empty() ? "" : fmt::format("; did you mean `{}`?", nearest);
}

absl::Status Wrong(const RunCondition& condition, std::string_view wanted) {
  return Error(absl::StatusCode::kInvalidArgument, "USAGE")
      .Field(condition.key, condition.value)
      .Next(kNext)
      .Says("{} must be {}, not `{}`", condition.where, wanted, condition.value);
}

absl::Status AddState(const RunCondition& condition, v1::ListFlowRunsRequest& request) {
  if (condition.value == kLate) {
    request.set_late(true);
  } else {
    const auto words = RunStateWords();
    const auto found = std::find(words.begin(), words.end(), condition.value);
    if (found == words.end()) {
      return Error(absl::StatusCode::kInvalidArgument, "USAGE")
          .Field(condition.key, condition.value)
          .With("allowed", Join(words, ", "))
          .With("nearest", NearestName(condition.value, words))
          .Next(kNext)
          .Says("{} must be one of {}, not `{}`{}", condition.where, Join(words, ", "),
                condition.value, DidYouMean(condition.value, words));
    }
    ASSIGN_OR_RETURN(const int type, ParseEnumWord(*v1::StateType_descriptor(), kStatePrefix,
                                                   condition.value, condition.where));
    request.add_states(static_cast<v1::StateType>(type));
  }
  if (!request.late() || request.states().empty()) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "USAGE")
      .Field(condition.key, condition.value)
      .Next(kNext)
      .Says("{}: `late` stands alone; ask for the other states with a second command",
            condition.where);
}

absl::Status AddAge(const RunCondition& condition, absl::Time now,
                    v1::ListFlowRunsRequest& request) {
  const auto age = ParseDurationOption(condition.value, condition.where);
  if (!age.ok()) return Wrong(condition, "a duration like 90s, 15m or 2h");
  SetTime(now - *age, condition.key == "older" ? *request.mutable_create_time_before()
                                               : *request.mutable_create_time_from());
  return absl::OkStatus();
}

absl::Status Add(const RunCondition& condition, absl::Time now, v1::ListFlowRunsRequest& request) {
  const auto& [key, value, where] = condition;
  if (value.empty()) return Wrong(condition, "a value");
  if (key == "state") return AddState(condition, request);
  if (key == "older" || key == "newer") return AddAge(condition, now, request);
  if (key == "deployment" && value.find('/') == std::string::npos)
    return Wrong(condition, "a deployment like flow/name");
  if (key == "deployment") request.set_deployment(value);
  if (key == "pool") request.set_work_pool(PoolResource(value));
  if (key == "queue") request.set_work_queue(value);
  if (key == "flow") request.set_flow(value);
  if (key == "tag") request.add_tags(value);
  return absl::OkStatus();
}

}  // namespace

const std::vector<std::string>& RunFilterKeys() {
  static const std::vector<std::string> keys = {"state", "pool", "queue", "deployment",
                                                "flow",  "tag",  "older", "newer"};
  return keys;
}

std::vector<std::string> RunStateWords() {
  auto words = EnumWords(*v1::StateType_descriptor(), kStatePrefix);
  words.emplace_back(kLate);
  return words;
}

absl::StatusOr<std::vector<RunCondition>> SplitRunFilter(const std::string& text) {
  std::vector<RunCondition> conditions;
  if (Trim(text).empty()) return conditions;
  const auto& keys = RunFilterKeys();
  for (const std::string_view part : Split(text, ',')) {
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos) {
      return Error(absl::StatusCode::kInvalidArgument, "USAGE")
          .Field("filter", text)
          .Next(kNext)
          .Says("--filter must look like state=late,pool=my-pool; `{}` is no key=value", part);
    }
    const std::string key(Trim(part.substr(0, equals)));
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      return Error(absl::StatusCode::kInvalidArgument, "USAGE")
          .Field("filter", key)
          .With("allowed", Join(keys, ", "))
          .With("nearest", NearestName(key, keys))
          .Next(kNext)
          .Says("--filter has no key `{}`: it has {}{}", key, Join(keys, ", "),
                DidYouMean(key, keys));
    }
    conditions.push_back(
        {key, std::string(Trim(part.substr(equals + 1))), fmt::format("--filter {}", key)});
  }
  return conditions;
}

absl::StatusOr<std::vector<RunCondition>> RunConditionsOf(const Arguments& arguments) {
  std::vector<RunCondition> conditions;
  for (const std::string& text : arguments.All("filter")) {
    ASSIGN_OR_RETURN(const auto some, SplitRunFilter(text));
    conditions.insert(conditions.end(), some.begin(), some.end());
  }
  for (const std::string& key : RunFilterKeys()) {
    for (const std::string& value : arguments.All(key))
      conditions.push_back({key, value, "--" + key});
  }
  return conditions;
}

std::vector<Option> RunFilterOptions() {
  return {
      {"--state", "STATE", "Only in this state", false, true, false, RunStateWords()},
      {"--deployment",
       "NAME",
       "Only of this deployment",
       false,
       false,
       false,
       {},
       Completes::kDeployments},
      {"-p,--pool", "POOL", "Only of this pool", false, false, false, {}, Completes::kPools},
      {"-q,--queue", "QUEUE", "Only of this queue of the pool"},
      {"--flow", "FLOW", "Only of this flow"},
      {"--tag", "TAG", "Only with this tag", false, true},
      {"--older", "DURATION", "Only those created longer ago"},
      {"--newer", "DURATION", "Only those created since"},
      {"--filter", "CONDITIONS", "The same conditions in one word: state=late,pool=my-pool", false,
       true},
  };
}

absl::StatusOr<v1::ListFlowRunsRequest> RunRequestOf(const std::vector<RunCondition>& conditions,
                                                     absl::Time now) {
  v1::ListFlowRunsRequest request;
  std::set<std::string> seen;
  for (const RunCondition& condition : conditions) {
    const bool may_repeat = condition.key == "state" || condition.key == "tag";
    if (!seen.insert(condition.key).second && !may_repeat) {
      return Error(absl::StatusCode::kInvalidArgument, "USAGE")
          .Field(condition.key, condition.value)
          .Next(kNext)
          .Says("{}: `{}` is a second one; only state and tag may be given twice", condition.where,
                condition.value);
    }
    RETURN_IF_ERROR(Add(condition, now, request));
  }
  if (!request.work_queue().empty() && request.work_pool().empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field("queue", request.work_queue())
        .Next(kNext)
        .Says("queue `{}` needs its pool beside it: --pool, or pool= in --filter",
              request.work_queue());
  }
  return request;
}

}  // namespace forebay::cli
