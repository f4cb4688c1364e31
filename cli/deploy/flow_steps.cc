#include "cli/deploy/flow_steps.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/deploy/deploy_file_parts.h"
#include "common/base/status.h"

namespace forebay::cli {
namespace {

constexpr char kBuild[] = "build";
constexpr char kPush[] = "push";
constexpr char kPull[] = "pull";

Json Said(const std::string& key, const Json& entry, const Json& defaults) {
  const auto own = entry.find(key);
  if (own != entry.end()) return *own;
  const auto shared = defaults.find(key);
  return shared == defaults.end() ? Json() : *shared;
}

absl::Status SetBuild(const std::string& where, const Json& build, PlannedDeployment& planned) {
  if (build.is_null()) return absl::OkStatus();
  const Json settings = build.is_string() ? Json({{"image", build}}) : build;
  if (!settings.is_object() || !settings.value("image", Json()).is_string())
    return NotThat(where, kBuild, "the name of an image, or keys and values with an `image`",
                   build);
  for (const char* ours : {"entrypoints", "push", "build"}) {
    if (settings.contains(ours))
      return NotThat(fmt::format("{}: build", where), ours, "left out", settings[ours]);
  }
  planned.image.emplace().settings = DumpJson(settings);
  return absl::OkStatus();
}

absl::Status SetPush(const std::string& where, const Json& push, PlannedDeployment& planned) {
  if (push.is_null()) return absl::OkStatus();
  if (!push.is_boolean()) return NotThat(where, kPush, "true or false", push);
  if (planned.image.has_value()) planned.image->push = push.get<bool>();
  return absl::OkStatus();
}

// As docs/guide/from-source.md lists them, or a function of the user's own.
absl::Status CheckStep(const std::string& where, const std::string& name) {
  static const std::vector<std::string> known = {"git_clone", "download_archive",
                                                 "set_working_directory", "run_shell_script",
                                                 "pip_install_requirements"};
  if (name.find('.') != std::string::npos) return absl::OkStatus();
  if (std::find(known.begin(), known.end(), name) != known.end()) return absl::OkStatus();
  return UnknownKey(fmt::format("{}: pull", where), name, known);
}

absl::Status SetPull(const std::string& where, const Json& pull, PlannedDeployment& planned) {
  if (pull.is_null()) return absl::OkStatus();
  const auto is_step = [](const Json& step) { return step.is_object() && step.size() == 1; };
  if (pull.is_array() && std::all_of(pull.begin(), pull.end(), is_step)) {
    for (const Json& step : pull) RETURN_IF_ERROR(CheckStep(where, step.begin().key()));
  }
  if (!pull.is_array() || !std::all_of(pull.begin(), pull.end(), is_step))
    return NotThat(where, kPull, "a list of steps, each with its name and its arguments", pull);
  if (!pull.empty()) planned.request.mutable_deployment()->set_pull_steps(DumpJson(pull));
  return absl::OkStatus();
}

}  // namespace

const std::vector<std::string>& FlowStepKeys() {
  static const std::vector<std::string> keys = {kBuild, kPush, kPull};
  return keys;
}

bool IsFlowStep(const std::string& key) {
  const auto& keys = FlowStepKeys();
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

absl::Status SetFlowSteps(const std::string& where, const Json& entry, const Json& defaults,
                          PlannedDeployment& planned) {
  if (!IsPython(planned)) {
    for (const std::string& key : FlowStepKeys()) {
      if (entry.contains(key))
        return NotThat(where, key, "left out where there is no `entrypoint`", entry[key]);
    }
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(SetBuild(where, Said(kBuild, entry, defaults), planned));
  RETURN_IF_ERROR(SetPush(where, Said(kPush, entry, defaults), planned));
  return SetPull(where, Said(kPull, entry, defaults), planned);
}

}  // namespace forebay::cli
