#include "cli/deploy/image_plan.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/deploy/python_package.h"
#include "common/base/status.h"
#include "common/json/json.h"

namespace forebay::cli {
namespace {

// Code that is fetched when the run starts is not looked for in the image.
bool IsInImage(const v1::Deployment& deployment) {
  return !deployment.entrypoint().empty() && deployment.pull_steps().empty();
}

absl::StatusOr<Json> Question(const PlannedDeployment& planned) {
  ASSIGN_OR_RETURN(Json question, ParseJsonObject(planned.image->settings, "build"));
  const v1::Deployment& deployment = planned.request.deployment();
  question["entrypoints"] =
      IsInImage(deployment) ? Json::array({deployment.entrypoint()}) : Json::array();
  question["build"] = planned.image->build;
  question["push"] = planned.image->push;
  return question;
}

// What is built later has the tag that was told, and not that of another second.
void Settle(const Json& image, ImagePlan& plan) {
  Json settings = ParseJsonObject(plan.settings, "build").value();
  settings["image"] = image;
  settings.erase("tag");
  plan.settings = DumpJson(settings);
}

absl::Status Place(const std::string& directory, PlannedDeployment& planned) {
  ASSIGN_OR_RETURN(const Json question, Question(planned));
  ASSIGN_OR_RETURN(const Json answer, AskPython({"image", "plan"}, directory, DumpJson(question)));
  v1::Deployment& deployment = *planned.request.mutable_deployment();
  ASSIGN_OR_RETURN(Json variables, ParseJsonObject(deployment.job_variables(), "job variables"));
  variables["image"] = answer["image"];
  deployment.set_job_variables(DumpJson(variables));
  Settle(answer["image"], *planned.image);
  if (!IsInImage(deployment)) return absl::OkStatus();
  const Json& place = answer["places"][deployment.entrypoint()];
  deployment.set_pull_steps(DumpJson(place["pull_steps"]));
  deployment.set_entrypoint(place["entrypoint"].get<std::string>());
  return absl::OkStatus();
}

}  // namespace

absl::Status PlaceInImages(const std::string& directory, std::vector<PlannedDeployment>& planned) {
  // Deployments that say the same have the same image, whenever it gets its name.
  std::map<std::string, std::string> settled;
  for (PlannedDeployment& deployment : planned) {
    if (!deployment.image.has_value()) continue;
    const std::string said = deployment.image->settings;
    if (const auto known = settled.find(said); known != settled.end())
      deployment.image->settings = known->second;
    RETURN_IF_ERROR(Place(directory, deployment));
    settled[said] = deployment.image->settings;
  }
  return absl::OkStatus();
}

absl::Status MakeImages(const std::string& directory,
                        const std::vector<PlannedDeployment>& planned) {
  std::set<std::string> made;
  for (const PlannedDeployment& deployment : planned) {
    if (!deployment.image.has_value()) continue;
    const auto& [settings, build, push] = *deployment.image;
    if (!build) continue;
    if (!made.insert(fmt::format("{} {} {}", settings, build, push)).second) continue;
    ASSIGN_OR_RETURN(Json question, ParseJsonObject(settings, "build"));
    question["entrypoints"] = Json::array();
    question["build"] = build;
    question["push"] = push;
    RETURN_IF_ERROR(AskPython({"image", "build"}, directory, DumpJson(question)).status());
  }
  return absl::OkStatus();
}

}  // namespace forebay::cli
