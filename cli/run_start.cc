#include "cli/run_start.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/follow.h"
#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "common/base/status.h"

namespace forebay::cli {
namespace {

Card RunCard(const v1::FlowRun& run) {
  const std::string id = LastSegment(run.name());
  return {id,
          {{"ID", id}, {"Name", run.display_name()}, {"State", StateName(run.state())}},
          ToJson(run)};
}

}  // namespace

absl::Status StartRun(Session& session, const v1::CreateFlowRunRequest& request, bool watch,
                      std::optional<absl::Duration> timeout) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::CreateFlowRunResponse>(request));
  const v1::FlowRun& run = response.flow_run();
  const Card card = RunCard(run);
  RETURN_IF_ERROR(AnswerChange(
      session,
      fmt::format("Flow run `{}` ({}) {}.{}", run.display_name(), card.name,
                  response.existed() ? "existed already under this idempotency key" : "created",
                  watch ? "" : fmt::format(" Follow it: forebay flow-run watch {}", card.name)),
      card));
  return watch ? FollowRun(session, run.name(), timeout) : absl::OkStatus();
}

}  // namespace forebay::cli
