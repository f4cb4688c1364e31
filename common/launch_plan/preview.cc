#include "common/launch_plan/preview.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/job_template/pointer.h"
#include "common/launch_plan/launch_plan.h"

namespace forebay {
namespace {

std::string ValueOf(const std::map<std::string, std::string>& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? "" : found->second;
}

void AddLeaves(const Json& value, const std::string& pointer, std::vector<LeafOrigin>& leaves) {
  if (!value.is_structured() || value.empty()) {
    leaves.push_back({pointer, Origin::kLauncher});
    return;
  }
  size_t index = 0;
  for (const auto& [key, child] : value.items()) {
    AddLeaves(child, pointer + "/" + PointerStep(value.is_array() ? std::to_string(index++) : key),
              leaves);
  }
}

// Puts the launcher's entries into an object of the configuration: below what stands there for env,
// above it for labels, which nobody else may set.
void AddEntries(const char* key, const std::map<std::string, std::string>& entries,
                JobPreview& preview) {
  Json& object = preview.configuration[key];
  if (object.is_null()) {
    object = Json::object();
  } else if (!object.is_object()) {
    return;
  }
  const std::string pointer = std::string("/") + key;
  std::erase_if(preview.leaves, [&](const LeafOrigin& leaf) { return leaf.pointer == pointer; });
  for (const auto& [name, value] : entries) {
    if (object.contains(name)) continue;
    object[name] = value;
    preview.leaves.push_back({pointer + "/" + PointerStep(name), Origin::kLauncher});
  }
}

void AddLauncherParts(const PreviewRequest& request, JobPreview& preview) {
  AddEntries("env", AttributionEnvironment(request.attribution), preview);
  AddEntries("labels", AttributionLabels(request.attribution), preview);
  if (!preview.configuration.contains("command") && !request.command.empty()) {
    preview.configuration["command"] = request.command;
    AddLeaves(preview.configuration["command"], "/command", preview.leaves);
  }
}

}  // namespace

JobProblem ProblemOf(const absl::Status& error) {
  const ErrorDetail detail = DetailOf(error).value_or(ErrorDetail());
  JobProblem problem;
  problem.reason = detail.reason;
  problem.pointer = ValueOf(detail.metadata, "pointer");
  if (problem.pointer.empty()) problem.pointer = ValueOf(detail.metadata, "field");
  problem.rule = ValueOf(detail.metadata, "rule");
  problem.value = ValueOf(detail.metadata, "value");
  problem.allowed = ValueOf(detail.metadata, "allowed");
  problem.nearest = ValueOf(detail.metadata, "nearest");
  problem.message = MessageOf(error);
  return problem;
}

Attribution StandInAttribution() {
  Attribution attribution;
  attribution.run_id = "<run id>";
  attribution.run_name = "<run name>";
  attribution.attempt = "<attempt>";
  attribution.epoch = "<epoch>";
  attribution.worker_id = "<worker id>";
  attribution.worker_name = "<worker name>";
  attribution.server = "<server>";
  return attribution;
}

namespace {

// What is wrong with the run's own variables, whatever the schema says of their values.
void AddRunProblem(const PreviewRequest& request, JobPreview& preview) {
  const absl::Status checked = request.job_template.CheckJobVariables(request.run, "job_variables");
  // Those are told one by one, with the other layers'.
  if (checked.ok() || ReasonOf(checked) == "INVALID_JOB_VARIABLE") return;
  preview.problems.push_back(ProblemOf(checked));
}

}  // namespace

JobPreview PreviewJob(const PreviewRequest& request) {
  JobPreview preview;
  AddRunProblem(request, preview);
  for (const SchemaViolation& violation :
       request.job_template.Violations(request.deployment, request.run)) {
    preview.problems.push_back(
        {violation.rule == "required" ? "MISSING_JOB_VARIABLE" : "INVALID_JOB_VARIABLE",
         violation.pointer, violation.rule, violation.value, violation.allowed, violation.nearest,
         violation.message});
  }
  auto rendered = request.job_template.Render(request.deployment, request.run);
  if (!rendered.ok()) {
    preview.problems.push_back(ProblemOf(rendered.status()));
    return preview;
  }
  const auto job =
      PlanJob(request.pool_type, request.job_template, request.deployment, request.run);
  if (job.ok()) {
    preview.denials = request.policy.Check(job->final_spec, job->origins);
  } else if (preview.problems.empty()) {
    preview.problems.push_back(ProblemOf(job.status()));
  }
  preview.configuration = std::move(rendered->configuration);
  preview.leaves = std::move(rendered->origins);
  AddLauncherParts(request, preview);
  return preview;
}

}  // namespace forebay
