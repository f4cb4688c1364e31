#pragma once

// Registers the handlers of each service; one file per service beside this one. Called once, by
// app.cc.

#include <string>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/uuid.h"
#include "server/api/service_table.h"
#include "server/auth/authenticator.h"
#include "server/claim/commands.h"
#include "server/claim/dispatcher.h"
#include "server/claim/leases.h"
#include "server/claim/parking.h"
#include "server/claim/signals.h"
#include "server/claim/worker_directory.h"
#include "server/runs/log_append.h"
#include "server/runs/report.h"
#include "server/runs/watchers.h"
#include "server/store/snapshots.h"
#include "server/submit/intake.h"

namespace forebay::server {

// What handlers use; owned by the app, outliving the services.
struct Backend {
  const Clock& clock;
  Random& random;
  UuidSource& ids;
  Executor& executor;
  Authenticator& authenticator;
  Snapshots& snapshots;
  Signals& signals;
  Parking& parking;
  Dispatcher& dispatcher;
  Commands& commands;
  Leases& leases;
  WorkerDirectory& workers;
  Intake& intake;
  Submitter& submitter;
  Reporter& reporter;
  LogAppender& logs;
  Watchers& watchers;
  Uuid server_id;
  absl::Time start_time;
  bool private_database = false;
  absl::Duration poll_deadline;
  // Set before anything is served; empty: no HTTP listener.
  std::string http_url;
};

void RegisterWorkPools(ServiceTable& table, Backend& backend);
void RegisterJobPreviews(ServiceTable& table, Backend& backend);
void RegisterWorkQueues(ServiceTable& table, Backend& backend);
void RegisterDeployments(ServiceTable& table, Backend& backend);
void RegisterSchedules(ServiceTable& table, Backend& backend);
void RegisterConcurrencyLimits(ServiceTable& table, Backend& backend);
void RegisterRunControl(ServiceTable& table, Backend& backend);
void RegisterEvents(ServiceTable& table, Backend& backend);
void RegisterFlowRuns(ServiceTable& table, Backend& backend);
void RegisterLogs(ServiceTable& table, Backend& backend);
void RegisterFleet(ServiceTable& table, Backend& backend);
void RegisterTokens(ServiceTable& table, Backend& backend);
void RegisterServerInfo(ServiceTable& table, Backend& backend);
void RegisterWorkerProtocol(ServiceTable& table, Backend& backend);
void RegisterRunProtocol(ServiceTable& table, Backend& backend);

}  // namespace forebay::server
