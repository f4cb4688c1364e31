#include "cli/deploy/flow_inspection.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/deploy/python_package.h"
#include "cli/proto_values.h"
#include "common/base/status.h"
#include "common/json/json.h"

namespace forebay::cli {

absl::StatusOr<InspectedFlow> InspectFlow(const std::string& entrypoint,
                                          const std::string& directory) {
  ASSIGN_OR_RETURN(const Json answer, AskPython({"flow", "inspect", entrypoint}, directory));
  InspectedFlow flow;
  flow.name = answer.value("name", "");
  flow.interpreter = answer.value("interpreter", "");
  flow.description = answer.value("description", "");
  flow.version = answer.value("version", "");
  flow.parameter_schema = DumpJson(answer.value("parameter_schema", Json::object()));
  flow.retry.set_retries(answer.value("retries", 0));
  for (const Json& delay : answer.value("retry_delays", Json::array()))
    SetDuration(absl::Seconds(delay.get<double>()), *flow.retry.add_delays());
  if (answer.contains("timeout_seconds") && answer["timeout_seconds"].is_number())
    flow.timeout_seconds = answer["timeout_seconds"].get<double>();
  return flow;
}

void CompleteFromFlow(const InspectedFlow& flow, PlannedDeployment& planned) {
  v1::Deployment& deployment = *planned.request.mutable_deployment();
  planned.interpreter = flow.interpreter;
  deployment.set_flow(flow.name);
  deployment.set_name(fmt::format("{}/{}", flow.name, deployment.name()));
  deployment.set_parameter_schema(flow.parameter_schema);
  if (deployment.description().empty()) deployment.set_description(flow.description);
  if (deployment.version().empty()) deployment.set_version(flow.version);
  if (!deployment.has_retry() && flow.retry.retries() > 0) *deployment.mutable_retry() = flow.retry;
  if (!deployment.has_timeout() && flow.timeout_seconds > 0)
    SetDuration(absl::Seconds(std::max(1.0, flow.timeout_seconds)), *deployment.mutable_timeout());
}

}  // namespace forebay::cli
