#pragma once

// From a granted run to what its worker is told.

#include <string>

#include "absl/time/time.h"
#include "common/base/uuid.h"
#include "forebay/v1/worker_protocol.pb.h"
#include "server/store/snapshots.h"

namespace forebay::server {

// What a grant knows of its run beside the deployment.
struct GrantedRun {
  Uuid run;
  int attempt = 0;
  int64_t epoch = 0;
  std::string ticket;
  std::string parameters;
  std::string job_variables;
  std::string display_name;
  absl::Time start_deadline;
};

v1::Assignment MakeAssignment(const GrantedRun& granted, const DeploymentSnapshot& deployment);
v1::PoolSnapshot ToProto(const PoolSnapshot& pool);

}  // namespace forebay::server
