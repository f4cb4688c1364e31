#include "cli/deploy/deploy_file.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "cli/deploy/deploy_file_parts.h"
#include "cli/deploy/flow_steps.h"
#include "cli/deployment_fields.h"
#include "cli/names.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/config/yaml.h"
#include "common/json/json.h"

namespace forebay::cli {
namespace {

constexpr char kDeployments[] = "deployments";
constexpr char kSchedules[] = "schedules";

// False when the value is not of the key's type; an error when it is, and says something wrong.
using Setter = std::function<absl::StatusOr<bool>(const Json&, v1::Deployment&)>;

struct Key {
  std::string name;
  std::string wanted;
  Setter set;
};

Setter Text(void (*set)(const std::string&, v1::Deployment&)) {
  return [set](const Json& value, v1::Deployment& deployment) {
    if (!value.is_string()) return false;
    set(value.get<std::string>(), deployment);
    return true;
  };
}

Setter Texts(google::protobuf::RepeatedPtrField<std::string>* (v1::Deployment::*field)()) {
  return [field](const Json& value, v1::Deployment& deployment) {
    if (!value.is_array()) return false;
    for (const Json& item : value) {
      // `command: [sleep, 5]` means the word "5".
      if (item.is_structured() || item.is_null()) return false;
      *(deployment.*field)()->Add() = item.is_string() ? item.get<std::string>() : DumpJson(item);
    }
    return true;
  };
}

Setter Object(void (*set)(const std::string&, v1::Deployment&)) {
  return [set](const Json& value, v1::Deployment& deployment) {
    if (!value.is_object()) return false;
    set(DumpJson(value), deployment);
    return true;
  };
}

Setter Count(void (*set)(int32_t, v1::Deployment&)) {
  return [set](const Json& value, v1::Deployment& deployment) {
    if (!value.is_number_integer() || value < 0 || value > INT32_MAX) return false;
    set(value.get<int32_t>(), deployment);
    return true;
  };
}

// Texts that the command line takes too: they are read by the same code.
Setter Typed(absl::Status (*set)(const std::string&, std::string_view, v1::Deployment&),
             std::string_view key) {
  return [set, key](const Json& value, v1::Deployment& deployment) -> absl::StatusOr<bool> {
    const auto text = ScalarText(value);
    if (!text.has_value()) return false;
    RETURN_IF_ERROR(set(*text, key, deployment));
    return true;
  };
}

absl::Status SetDelays(const std::string& text, std::string_view key, v1::Deployment& deployment) {
  return SetRetryDelay(text, key, *deployment.mutable_retry());
}

absl::Status SetJitter(const std::string& text, std::string_view key, v1::Deployment& deployment) {
  return SetRetryJitter(text, key, *deployment.mutable_retry());
}

absl::StatusOr<bool> SetDelay(const Json& value, v1::Deployment& deployment) {
  if (!value.is_array()) return Typed(SetDelays, "retry_delay")(value, deployment);
  std::vector<std::string> delays;
  for (const Json& item : value) {
    const auto text = ScalarText(item);
    if (!text.has_value()) return false;
    delays.push_back(*text);
  }
  RETURN_IF_ERROR(
      SetDelays(delays.empty() ? "none" : Join(delays, ","), "retry_delay", deployment));
  return true;
}

absl::StatusOr<bool> SetCauses(const Json& value, v1::Deployment& deployment) {
  std::vector<std::string> words;
  if (value.is_string()) {
    for (const std::string_view word : Split(value.get_ref<const std::string&>(), ','))
      words.emplace_back(Trim(word));
  } else if (value.is_array()) {
    for (const Json& item : value) {
      if (!item.is_string()) return false;
      words.push_back(item.get<std::string>());
    }
  } else {
    return false;
  }
  RETURN_IF_ERROR(SetRetryCauses(words, "retry_on", *deployment.mutable_retry()));
  return true;
}

// A version like 1.2 reads as a number.
bool SetVersion(const Json& value, v1::Deployment& deployment) {
  if (value.is_structured() || value.is_null()) return false;
  deployment.set_version(value.is_string() ? value.get<std::string>() : DumpJson(value));
  return true;
}

const std::vector<Key>& Keys() {
  using D = v1::Deployment;
  using S = std::string;
  static const std::vector<Key> keys = {
      {"name", "text", Text([](const S& v, D& d) { d.set_name(v); })},
      {"flow", "text", Text([](const S& v, D& d) { d.set_flow(v); })},
      {"pool", "text", Text([](const S& v, D& d) { d.set_work_pool(PoolResource(v)); })},
      {"command", "a list of words", Texts(&D::mutable_command)},
      {"entrypoint", "text like flows.py:hello",
       Text([](const S& v, D& d) { d.set_entrypoint(v); })},
      {"queue", "text", Text([](const S& v, D& d) { d.set_work_queue(v); })},
      {"parameters", "keys and values", Object([](const S& v, D& d) { d.set_parameters(v); })},
      {"job_variables", "keys and values",
       Object([](const S& v, D& d) { d.set_job_variables(v); })},
      {"description", "text", Text([](const S& v, D& d) { d.set_description(v); })},
      {"version", "text", SetVersion},
      {"tags", "a list of texts", Texts(&D::mutable_tags)},
      {"crash_retries", "a whole number from 0 on",
       Count([](int32_t v, D& d) { d.set_crash_retries(v); })},
      {"retries", "a whole number from 0 on",
       Count([](int32_t v, D& d) { d.mutable_retry()->set_retries(v); })},
      {"retry_delay", "pauses like 10s, [10s, 30s] or exponential:10s..10m", SetDelay},
      {"retry_jitter", "a share from 0 to 1", Typed(SetJitter, "retry_jitter")},
      {"retry_on", "a list of failed, timed-out, crashed, launch-failed", SetCauses},
      {"timeout", "a duration", Typed(SetTimeout, "timeout")},
      {"concurrency_limit", "a whole number from 0 on",
       Count([](int32_t v, D& d) { d.set_concurrency_limit(v); })},
      {"collision", "enqueue or cancel-new", Typed(SetCollision, "collision")},
      {"limits", "a list of names", Texts(&D::mutable_concurrency_limits)},
  };
  return keys;
}

absl::Status SetKey(const std::string& where, const std::string& name, const Json& value,
                    v1::Deployment& deployment) {
  std::vector<std::string> known;
  for (const Key& key : Keys()) {
    known.push_back(key.name);
    if (key.name != name) continue;
    const auto fits = key.set(value, deployment);
    if (!fits.ok()) return Annotate(fits.status(), where);
    return *fits ? absl::OkStatus() : NotThat(where, name, key.wanted, value);
  }
  known.emplace_back(kSchedules);
  known.insert(known.end(), FlowStepKeys().begin(), FlowStepKeys().end());
  return UnknownKey(where, name, known);
}

absl::Status CheckKeys(const std::string& where, const Json& entry) {
  const bool python = entry.contains("entrypoint");
  for (const char* key : {"name", "pool", "flow", "command"}) {
    const bool of_command = key == std::string_view("flow") || key == std::string_view("command");
    if (of_command && python && entry.contains(key))
      return NotThat(where, key, "left out where there is an `entrypoint`", entry[key]);
    if (entry.contains(key) || (of_command && python)) continue;
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_CONFIG_VALUE")
        .Field(key, "")
        .Says("{}: `{}` is missing{}", where, key,
              of_command ? "; a Python flow has an `entrypoint` instead" : "");
  }
  return absl::OkStatus();
}

absl::StatusOr<PlannedDeployment> ParseEntry(const std::string& where, const Json& entry,
                                             const Json& defaults, const Here& here) {
  if (!entry.is_object()) return NotThat(where, "deployments", "a list of keys and values", entry);
  PlannedDeployment planned;
  v1::Deployment& deployment = *planned.request.mutable_deployment();
  for (const auto& [name, value] : entry.items()) {
    if (IsFlowStep(name)) continue;
    if (name == kSchedules) {
      ASSIGN_OR_RETURN(const auto schedules, ParseFileSchedules(where, value, here));
      for (const v1::Schedule& schedule : schedules) *planned.request.add_schedules() = schedule;
    } else {
      RETURN_IF_ERROR(SetKey(where, name, value, deployment));
    }
  }
  RETURN_IF_ERROR(CheckKeys(where, entry));
  RETURN_IF_ERROR(SetFlowSteps(where, entry, defaults, planned));
  if (!IsPython(planned))
    deployment.set_name(fmt::format("{}/{}", deployment.flow(), deployment.name()));
  return planned;
}

}  // namespace

absl::StatusOr<std::vector<PlannedDeployment>> ParseDeployFile(std::string_view text,
                                                               std::string_view file,
                                                               const Here& here) {
  ASSIGN_OR_RETURN(const Json document, ParseYaml(text, file));
  if (!document.is_object()) return NotThat(file, "the file", "keys and values", document);
  std::vector<std::string> known = FlowStepKeys();
  known.emplace_back(kDeployments);
  Json defaults = Json::object();
  for (const auto& [name, value] : document.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      return UnknownKey(file, name, known);
    if (IsFlowStep(name)) defaults[name] = value;
  }
  const auto entries = document.find(kDeployments);
  if (entries == document.end() || !entries->is_array() || entries->empty()) {
    return NotThat(file, kDeployments, "a list of deployments",
                   entries == document.end() ? Json() : *entries);
  }
  std::vector<PlannedDeployment> deployments;
  for (size_t i = 0; i < entries->size(); ++i) {
    ASSIGN_OR_RETURN(auto deployment, ParseEntry(fmt::format("{}: deployments[{}]", file, i),
                                                 (*entries)[i], defaults, here));
    deployments.push_back(std::move(deployment));
  }
  return deployments;
}

}  // namespace forebay::cli
