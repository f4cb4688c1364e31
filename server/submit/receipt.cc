#include "server/submit/receipt.h"

#include "server/api/messages.h"
#include "server/runs/run_row.h"

namespace forebay::server {
namespace {

void SetFirstState(const Written& written, v1::FlowRun& run) {
  if (written.granted_at.has_value()) {
    HeldPart held;
    held.attempt = 1;
    held.granted_at = *written.granted_at;
    return SetHeld(held, run);
  }
  QueuedPart queued;
  queued.attempt = 1;
  queued.queued_at = written.made_at;
  queued.due_at = written.due_at;
  SetQueued(queued, run);
}

}  // namespace

v1::FlowRun Receipt(const Submission& submission, const Written& written) {
  const DeploymentSnapshot& deployment = *submission.deployment;
  v1::FlowRun run;
  run.set_name("flowRuns/" + submission.run.ToString());
  run.set_display_name(submission.display_name);
  SetNames({deployment.team_name, deployment.flow_name, deployment.name, deployment.pool_name,
            deployment.queue_name},
           run);
  run.set_parameters(submission.parameters);
  run.set_job_variables(submission.job_variables);
  for (const std::string& tag : submission.tags) run.add_tags(tag);
  ToProto(written.due_at, *run.mutable_due_time());
  ToProto(written.made_at, *run.mutable_create_time());
  run.set_creator(submission.creator_name);
  SetFirstState(written, run);
  return run;
}

}  // namespace forebay::server
