// Templates without a server: for trying them out, and for the tests of those who write them.

#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands/commands.h"
#include "cli/job_view.h"
#include "cli/session.h"
#include "cli/values.h"
#include "common/base/status.h"
#include "common/config/yaml.h"
#include "common/job_template/job_template.h"
#include "common/launch_plan/preview.h"
#include "common/launch_plan/preview_proto.h"
#include "common/os/files.h"
#include "common/policy/policy.h"

namespace forebay::cli {
namespace {

absl::StatusOr<Json> ReadObject(const Arguments& arguments, const char* option) {
  if (!arguments.Has(option)) return Json::object();
  const std::string path = arguments.Get(option);
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path));
  ASSIGN_OR_RETURN(Json value, ParseYaml(text, path));
  return value.is_null() ? Json::object() : value;
}

absl::StatusOr<JobTemplate> ReadTemplate(const Arguments& arguments) {
  if (!arguments.Has("template")) {
    return JobTemplate::Parse(DefaultJobTemplate(arguments.Get("type")));
  }
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(arguments.Get("template")));
  return JobTemplate::Parse(text);
}

struct Values {
  Json deployment;
  Json run;
};

absl::StatusOr<Values> ReadValues(const Arguments& arguments, const JobTemplate& job_template) {
  Values values;
  ASSIGN_OR_RETURN(values.deployment, ReadObject(arguments, "values"));
  values.run = Json::object();
  RETURN_IF_ERROR(LayAssignments(arguments.All("set"), "--set", values.run));
  RETURN_IF_ERROR(job_template.CheckJobVariables(values.deployment, "values"));
  RETURN_IF_ERROR(job_template.CheckJobVariables(values.run, "set"));
  return values;
}

std::string TypeOf(const Arguments& arguments) {
  return arguments.Has("type") ? arguments.Get("type") : "docker";
}

absl::Status Render(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const JobTemplate job_template, ReadTemplate(arguments));
  ASSIGN_OR_RETURN(const Values values, ReadValues(arguments, job_template));
  const std::string type = TypeOf(arguments);
  std::string policy_text;
  if (arguments.Has("policy")) {
    ASSIGN_OR_RETURN(const Json policy, ReadObject(arguments, "policy"));
    policy_text = DumpJson(policy);
  }
  ASSIGN_OR_RETURN(const Policy policy, Policy::Parse(type, policy_text));
  const JobPreview preview = PreviewJob(
      {type, job_template, policy, values.deployment, values.run, {}, StandInAttribution()});
  return ShowJob(session, fmt::format("Job of type {}:", type), ToProto(preview));
}

absl::Status Validate(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const JobTemplate job_template, ReadTemplate(arguments));
  RETURN_IF_ERROR(ReadValues(arguments, job_template).status());
  session.Say(fmt::format("The template is good: {} variables.", job_template.variables().size()));
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> JobTemplateCommands() {
  const auto types = PoolTypes();
  const auto file = [](const char* names, const char* help) {
    return Option{names, "FILE", help, false, false, false, {}, Completes::kFiles};
  };
  const std::vector<Option> options = {
      file("--template", "Base job template, JSON; the type's own without it"),
      file("--values", "Job variables as of a deployment, JSON or YAML"),
      {"--set", "NAME=VALUE", "Job variable as of a run", false, true},
      {"-t,--type",
       "TYPE",
       "Pool type (docker)",
       false,
       false,
       false,
       {types.begin(), types.end()}},
  };
  std::vector<Option> render = options;
  render.push_back(file("--policy", "Policy to decide by, YAML or JSON"));
  return {
      {"template render",
       "What a template and values make, without a server",
       {},
       render,
       false,
       false,
       Render},
      {"template validate",
       "Whether a template, and values for it, would be accepted",
       {},
       options,
       false,
       false,
       Validate},
  };
}

}  // namespace forebay::cli
