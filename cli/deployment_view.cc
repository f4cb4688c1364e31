#include "cli/deployment_view.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/deployment_fields.h"
#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "cli/proto_values.h"
#include "common/base/text.h"

namespace forebay::cli {
namespace {

std::string StatusText(const v1::Deployment& deployment) {
  if (!deployment.quarantine_reason().empty()) return "QUARANTINED";
  return deployment.paused() ? "PAUSED" : "READY";
}

std::string CommandText(const v1::Deployment& deployment) {
  return Join(std::vector<std::string>(deployment.command().begin(), deployment.command().end()),
              " ");
}

std::string TagsText(const v1::Deployment& deployment) {
  return Join(std::vector<std::string>(deployment.tags().begin(), deployment.tags().end()), ", ");
}

std::string LimitText(const v1::Deployment& deployment) {
  if (!deployment.has_concurrency_limit()) return "none";
  return fmt::format("{} of {} in use; when full: {}", deployment.held_attempts(),
                     deployment.concurrency_limit(), CollisionText(deployment));
}

std::string NamedLimitsText(const v1::Deployment& deployment,
                            const std::vector<std::string>& named_limits) {
  if (!named_limits.empty()) return Join(named_limits, ", ");
  const auto& names = deployment.concurrency_limits();
  return Join(std::vector<std::string>(names.begin(), names.end()), ", ");
}

}  // namespace

Card DeploymentCard(Session& session, const v1::Deployment& deployment,
                    const std::vector<std::string>& named_limits) {
  const std::string name = DeploymentShortName(deployment.name());
  return {name,
          {{"Name", name},
           {"Status", StatusText(deployment)},
           {"Quarantined", deployment.quarantine_reason()},
           {"Description", deployment.description()},
           {"Work pool", LastSegment(deployment.work_pool())},
           {"Work queue", LastSegment(deployment.work_queue())},
           {"Entrypoint", deployment.entrypoint()},
           {"Command", CommandText(deployment)},
           {"Parameters", deployment.parameters()},
           {"Job variables", deployment.job_variables()},
           {"Concurrency limit", LimitText(deployment)},
           {"Limits", NamedLimitsText(deployment, named_limits)},
           {"Retries", RetryText(deployment.retry())},
           {"Crash retries", std::to_string(deployment.crash_retries())},
           {"Timeout", deployment.has_timeout() ? TypedDuration(deployment.timeout()) : ""},
           {"Version", deployment.version()},
           {"Tags", TagsText(deployment)},
           {"Revision", std::to_string(deployment.revision())},
           {"Created", When(session, deployment.create_time())},
           {"Updated", When(session, deployment.update_time())},
           {"Creator", deployment.creator()},
           {"UID", deployment.uid()}},
          ToJson(deployment)};
}

Listing DeploymentListing() {
  Listing listing;
  listing.columns = {{"NAME"},    {"POOL"},          {"QUEUE"},      {"STATUS", false, false, true},
                     {"UPDATED"}, {"VERSION", true}, {"TAGS", true}, {"COMMAND"}};
  return listing;
}

Row DeploymentRow(Session& session, const v1::Deployment& deployment) {
  const std::string name = DeploymentShortName(deployment.name());
  return {name,
          {name, LastSegment(deployment.work_pool()), LastSegment(deployment.work_queue()),
           StatusText(deployment), When(session, deployment.update_time()), deployment.version(),
           TagsText(deployment), CommandText(deployment)},
          ToJson(deployment)};
}

}  // namespace forebay::cli
