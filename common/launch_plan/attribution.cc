#include "common/launch_plan/attribution.h"

namespace forebay {

std::map<std::string, std::string> AttributionEnvironment(const Attribution& attribution) {
  return {{"FOREBAY_PARAMETERS", attribution.parameters.empty() ? "{}" : attribution.parameters},
          {"FOREBAY_RUN_ID", attribution.run_id},
          {"FOREBAY_RUN_NAME", attribution.run_name},
          {"FOREBAY_ATTEMPT", attribution.attempt},
          {"FOREBAY_EPOCH", attribution.epoch},
          {"FOREBAY_FLOW", attribution.flow},
          {"FOREBAY_DEPLOYMENT", attribution.deployment},
          {"FOREBAY_DEPLOYMENT_ID", attribution.deployment_id},
          {"FOREBAY_WORK_POOL", attribution.work_pool},
          {"FOREBAY_WORK_QUEUE", attribution.work_queue},
          {"FOREBAY_SERVER", attribution.server},
          {"FOREBAY_WORKER_ID", attribution.worker_id},
          {"FOREBAY_WORKER_NAME", attribution.worker_name}};
}

std::map<std::string, std::string> OwnGateEnvironment(const OwnGate& gate) {
  std::map<std::string, std::string> environment = {{"FOREBAY_LAUNCH_TICKET", gate.ticket},
                                                    {"FOREBAY_API_URL", gate.api_url}};
  if (!gate.authority.empty()) environment["FOREBAY_CA_PEM"] = gate.authority;
  return environment;
}

std::map<std::string, std::string> AttributionLabels(const Attribution& attribution) {
  return {
      {"forebay.io/run-id", attribution.run_id},  {"forebay.io/attempt", attribution.attempt},
      {"forebay.io/flow", attribution.flow},      {"forebay.io/deployment", attribution.deployment},
      {"forebay.io/pool", attribution.work_pool}, {"forebay.io/worker", attribution.worker_name}};
}

}  // namespace forebay
