#include "cli/deploy/pool_fit.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/names.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/job_template/job_template.h"
#include "common/json/json.h"

namespace forebay::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kProcessType[] = "process";
constexpr char kWorkingDir[] = "working_dir";
constexpr char kImage[] = "image";
constexpr char kPullPolicy[] = "image_pull_policy";
constexpr char kJobVariables[] = "job variables";

bool Declares(const JobTemplate& job_template, std::string_view variable) {
  const auto& names = job_template.variables();
  return std::find(names.begin(), names.end(), variable) != names.end();
}

bool HasDefault(const JobTemplate& job_template, const char* variable) {
  const Json& schema = job_template.variables_schema();
  const Json value =
      schema.value(Json::json_pointer(fmt::format("/properties/{}/default", variable)), Json());
  return !value.is_null();
}

std::string Quoted(const v1::Deployment& deployment) {
  return fmt::format("`{}`", DeploymentShortName(deployment.name()));
}

absl::Status CheckImage(const v1::WorkPool& pool, const JobTemplate& job_template) {
  if (Declares(job_template, kImage)) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "IMAGE_NOT_DECLARED")
      .Field(kImage, "")
      .With("allowed", Join(job_template.variables(), ", "))
      .Next("forebay work-pool create --type docker my-docker-pool")
      .Says("pool `{}` is of type {} and its job template declares no variable `image`; it has {}",
            LastSegment(pool.name()), pool.type(), Join(job_template.variables(), ", "));
}

// A file of this machine is seen by processes of this machine, and in an image that holds it.
absl::Status CheckSource(const v1::WorkPool& pool, const Json& variables,
                         const PlannedDeployment& planned) {
  const v1::Deployment& deployment = planned.request.deployment();
  const bool is_file = deployment.entrypoint().find(".py:") != std::string::npos;
  const bool is_there = pool.type() == kProcessType || planned.image.has_value() ||
                        variables.contains(kImage) || !deployment.pull_steps().empty();
  if (!is_file || is_there) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "SOURCE_MISSING")
      .Field("entrypoint", deployment.entrypoint())
      .Next("forebay deploy --help")
      .Says(
          "{} is a file of this machine, which the runs of pool `{}` do not see: build it into an "
          "image (--image NAME, or `build` in the file), or let it be pulled (`pull` in the file)",
          deployment.entrypoint(), LastSegment(pool.name()));
}

bool StartsHere(const v1::WorkPool& pool, const v1::Deployment& deployment) {
  return pool.type() == kProcessType && deployment.pull_steps().empty();
}

void FillWorkingDirectory(const JobTemplate& job_template, const fs::path& here, Json& variables,
                          const v1::Deployment& deployment, std::vector<std::string>& notes) {
  if (!Declares(job_template, kWorkingDir)) return;
  const auto given = variables.find(kWorkingDir);
  if (given == variables.end() && HasDefault(job_template, kWorkingDir)) return;
  if (given != variables.end() && !given->is_string()) return;
  const fs::path wanted =
      given == variables.end() ? fs::path() : fs::path(given->get<std::string>());
  if (wanted.is_absolute()) return;
  std::string directory = (here / wanted).lexically_normal().string();
  if (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  notes.push_back(
      fmt::format("{} runs in {} (job variable working_dir).", Quoted(deployment), directory));
  variables[kWorkingDir] = directory;
}

void FillInterpreter(const std::string& interpreter, v1::Deployment& deployment) {
  if (interpreter.empty()) return;
  for (const char* word : {interpreter.c_str(), "-m", "forebay", "flow-run", "execute"})
    deployment.add_command(word);
}

// No registry has the image, so none shall be asked, as one would be for a tag like `latest`.
void KeepToThisMachine(const JobTemplate& job_template, const PlannedDeployment& planned,
                       Json& variables) {
  const bool stays = planned.image.has_value() && planned.image->build && !planned.image->push;
  if (!stays || variables.contains(kPullPolicy)) return;
  if (!Declares(job_template, kPullPolicy) || HasDefault(job_template, kPullPolicy)) return;
  variables[kPullPolicy] = "IfNotPresent";
}

}  // namespace

absl::Status FitToPool(const v1::WorkPool& pool, const fs::path& here, PlannedDeployment& planned,
                       std::vector<std::string>& notes) {
  v1::Deployment& deployment = *planned.request.mutable_deployment();
  ASSIGN_OR_RETURN(const auto job_template, JobTemplate::Parse(pool.base_job_template()));
  ASSIGN_OR_RETURN(Json variables, ParseJsonObject(deployment.job_variables(), kJobVariables));
  RETURN_IF_ERROR(job_template.CheckJobVariables(variables, kJobVariables));
  if (planned.image.has_value()) RETURN_IF_ERROR(CheckImage(pool, job_template));
  RETURN_IF_ERROR(CheckSource(pool, variables, planned));
  if (StartsHere(pool, deployment)) {
    FillWorkingDirectory(job_template, here, variables, deployment, notes);
    FillInterpreter(planned.interpreter, deployment);
  }
  KeepToThisMachine(job_template, planned, variables);
  deployment.set_job_variables(DumpJson(variables));
  return absl::OkStatus();
}

}  // namespace forebay::cli
