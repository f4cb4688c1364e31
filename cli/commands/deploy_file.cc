#include "cli/commands/deploy_file.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "cli/commands/deploy_file_parts.h"
#include "cli/deployment_fields.h"
#include "cli/names.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/config/yaml.h"
#include "common/json/json.h"

namespace forebay::cli {
namespace {

constexpr char kSchedules[] = "schedules";

// False when the value is not of the key's type; an error when it is, and says something wrong.
using Setter = std::function<absl::StatusOr<bool>(const Json&, v1::Deployment&)>;

struct Key {
  std::string name;
  std::string wanted;
  bool required;
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
      {"name", "text", true, Text([](const S& v, D& d) { d.set_name(v); })},
      {"flow", "text", true, Text([](const S& v, D& d) { d.set_flow(v); })},
      {"pool", "text", true, Text([](const S& v, D& d) { d.set_work_pool(PoolResource(v)); })},
      {"command", "a list of words", true, Texts(&D::mutable_command)},
      {"queue", "text", false, Text([](const S& v, D& d) { d.set_work_queue(v); })},
      {"parameters", "keys and values", false,
       Object([](const S& v, D& d) { d.set_parameters(v); })},
      {"job_variables", "keys and values", false,
       Object([](const S& v, D& d) { d.set_job_variables(v); })},
      {"description", "text", false, Text([](const S& v, D& d) { d.set_description(v); })},
      {"version", "text", false, SetVersion},
      {"tags", "a list of texts", false, Texts(&D::mutable_tags)},
      {"crash_retries", "a whole number from 0 on", false,
       Count([](int32_t v, D& d) { d.set_crash_retries(v); })},
      {"retries", "a whole number from 0 on", false,
       Count([](int32_t v, D& d) { d.mutable_retry()->set_retries(v); })},
      {"retry_delay", "pauses like 10s, [10s, 30s] or exponential:10s..10m", false, SetDelay},
      {"retry_jitter", "a share from 0 to 1", false, Typed(SetJitter, "retry_jitter")},
      {"retry_on", "a list of failed, timed-out, crashed, launch-failed", false, SetCauses},
      {"timeout", "a duration", false, Typed(SetTimeout, "timeout")},
      {"concurrency_limit", "a whole number from 0 on", false,
       Count([](int32_t v, D& d) { d.set_concurrency_limit(v); })},
      {"collision", "enqueue or cancel-new", false, Typed(SetCollision, "collision")},
      {"limits", "a list of names", false, Texts(&D::mutable_concurrency_limits)},
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
  return UnknownKey(where, name, known);
}

absl::StatusOr<v1::ApplyDeploymentRequest> ParseEntry(const std::string& where, const Json& entry,
                                                      const Here& here) {
  if (!entry.is_object()) return NotThat(where, "deployments", "a list of keys and values", entry);
  v1::ApplyDeploymentRequest request;
  v1::Deployment& deployment = *request.mutable_deployment();
  for (const auto& [name, value] : entry.items()) {
    if (name == kSchedules) {
      ASSIGN_OR_RETURN(const auto schedules, ParseFileSchedules(where, value, here));
      for (const v1::Schedule& schedule : schedules) *request.add_schedules() = schedule;
    } else {
      RETURN_IF_ERROR(SetKey(where, name, value, deployment));
    }
  }
  for (const Key& key : Keys()) {
    if (!key.required || entry.contains(key.name)) continue;
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_CONFIG_VALUE")
        .Field(key.name, "")
        .Says("{}: `{}` is missing", where, key.name);
  }
  deployment.set_name(fmt::format("{}/{}", deployment.flow(), deployment.name()));
  return request;
}

}  // namespace

absl::StatusOr<std::vector<v1::ApplyDeploymentRequest>> ParseDeployFile(std::string_view text,
                                                                        std::string_view file,
                                                                        const Here& here) {
  ASSIGN_OR_RETURN(const Json document, ParseYaml(text, file));
  if (!document.is_object()) return NotThat(file, "the file", "keys and values", document);
  for (const auto& [name, value] : document.items()) {
    if (name != "deployments") return UnknownKey(file, name, {"deployments"});
  }
  const auto entries = document.find("deployments");
  if (entries == document.end() || !entries->is_array() || entries->empty()) {
    return NotThat(file, "deployments", "a list of deployments",
                   entries == document.end() ? Json() : *entries);
  }
  std::vector<v1::ApplyDeploymentRequest> deployments;
  for (size_t i = 0; i < entries->size(); ++i) {
    ASSIGN_OR_RETURN(auto deployment,
                     ParseEntry(fmt::format("{}: deployments[{}]", file, i), (*entries)[i], here));
    deployments.push_back(std::move(deployment));
  }
  return deployments;
}

}  // namespace forebay::cli
