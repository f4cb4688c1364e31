#include "cli/commands/deploy_file.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "cli/names.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/config/yaml.h"
#include "common/json/json.h"

namespace forebay::cli {
namespace {

// False when the value is not of the key's type.
using Setter = std::function<bool(const Json&, v1::Deployment&)>;

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

bool SetCrashRetries(const Json& value, v1::Deployment& deployment) {
  if (!value.is_number_integer() || value < 0 || value > INT32_MAX) return false;
  deployment.set_crash_retries(value.get<int32_t>());
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
      {"crash_retries", "a whole number from 0 on", false, SetCrashRetries},
  };
  return keys;
}

absl::Status UnknownKey(std::string_view where, const std::string& key,
                        const std::vector<std::string>& known) {
  const std::string nearest = NearestName(key, known);
  return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_CONFIG_KEY")
      .Field(key, "")
      .With("nearest", nearest)
      .With("allowed", Join(known, ", "))
      .Says("{}: unknown key `{}`{}", where, key,
            nearest.empty() ? "" : fmt::format("; did you mean `{}`?", nearest));
}

absl::Status NotThat(std::string_view where, std::string_view key, std::string_view wanted,
                     const Json& value) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_CONFIG_VALUE")
      .Field(key, DumpJson(value))
      .Says("{}: `{}` must be {}, not {}", where, key, wanted, DumpJson(value));
}

absl::Status SetKey(const std::string& where, const std::string& name, const Json& value,
                    v1::Deployment& deployment) {
  std::vector<std::string> known;
  for (const Key& key : Keys()) {
    known.push_back(key.name);
    if (key.name != name) continue;
    return key.set(value, deployment) ? absl::OkStatus() : NotThat(where, name, key.wanted, value);
  }
  return UnknownKey(where, name, known);
}

absl::StatusOr<v1::Deployment> ParseEntry(const std::string& where, const Json& entry) {
  if (!entry.is_object()) return NotThat(where, "deployments", "a list of keys and values", entry);
  v1::Deployment deployment;
  for (const auto& [name, value] : entry.items())
    RETURN_IF_ERROR(SetKey(where, name, value, deployment));
  for (const Key& key : Keys()) {
    if (!key.required || entry.contains(key.name)) continue;
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_CONFIG_VALUE")
        .Field(key.name, "")
        .Says("{}: `{}` is missing", where, key.name);
  }
  deployment.set_name(fmt::format("{}/{}", deployment.flow(), deployment.name()));
  return deployment;
}

}  // namespace

absl::StatusOr<std::vector<v1::Deployment>> ParseDeployFile(std::string_view text,
                                                            std::string_view file) {
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
  std::vector<v1::Deployment> deployments;
  for (size_t i = 0; i < entries->size(); ++i) {
    ASSIGN_OR_RETURN(auto deployment,
                     ParseEntry(fmt::format("{}: deployments[{}]", file, i), (*entries)[i]));
    deployments.push_back(std::move(deployment));
  }
  return deployments;
}

}  // namespace forebay::cli
