#include "server/claim/assignment.h"

#include "server/api/messages.h"

namespace forebay::server {

v1::Assignment MakeAssignment(const GrantedRun& granted, const DeploymentSnapshot& deployment) {
  v1::Assignment assignment;
  assignment.mutable_attempt()->set_run_id(granted.run.ToString());
  assignment.mutable_attempt()->set_attempt(granted.attempt);
  assignment.mutable_attempt()->set_epoch(granted.epoch);
  assignment.set_launch_ticket(granted.ticket);
  assignment.set_flow(deployment.flow_name);
  assignment.set_deployment(deployment.flow_name + "/" + deployment.name);
  assignment.set_deployment_id(deployment.id.ToString());
  assignment.set_flow_id(deployment.flow.ToString());
  assignment.set_run_display_name(granted.display_name);
  for (const std::string& argument : deployment.command) assignment.add_command(argument);
  assignment.set_entrypoint(deployment.entrypoint);
  assignment.set_parameters(granted.parameters);
  assignment.set_deployment_job_variables(deployment.job_variables);
  assignment.set_run_job_variables(granted.job_variables);
  ToProto(granted.start_deadline, *assignment.mutable_start_deadline());
  assignment.set_work_queue(deployment.queue_name);
  assignment.set_team(deployment.team_name);
  return assignment;
}

v1::PoolSnapshot ToProto(const PoolSnapshot& pool) {
  v1::PoolSnapshot proto;
  proto.set_pool(pool.name);
  proto.set_type(pool.type);
  proto.set_revision(pool.revision);
  proto.set_base_job_template(pool.base_job_template);
  proto.set_policy(pool.policy);
  proto.set_uid(pool.id.ToString());
  ToProto(pool.lease_ttl, *proto.mutable_lease_ttl());
  ToProto(pool.start_deadline, *proto.mutable_start_deadline());
  ToProto(pool.cancel_grace, *proto.mutable_cancel_grace());
  return proto;
}

}  // namespace forebay::server
