#pragma once

// One connection to PostgreSQL that replays a run's life with the server's own statements. One
// thread.

#include <libpq-fe.h>

#include <string>
#include <vector>

#include "common/base/uuid.h"
#include "server/db/columns.h"

namespace forebay::bench {

// Ids that the deployment, its pool and its queue have in the database.
struct Target {
  Uuid team;
  Uuid user;
  Uuid deployment;
  Uuid pool;
  Uuid queue;
  // A worker with a lease that outlives the replay.
  Uuid worker;
  // Of each run, as JSON.
  std::string parameters;
};

class SqlBatch {
 public:
  // Ends the process when the database cannot be reached.
  SqlBatch(const std::string& database_url, Target target);
  ~SqlBatch();

  // `count` runs through submit, grant, start and end: four commits.
  void RunLifecycles(int count);

 private:
  void Submit(const std::vector<Uuid>& runs);
  void Grant(int count);
  void Start(const std::vector<Uuid>& runs);
  void End(const std::vector<Uuid>& runs);
  // The caller's to clear.
  PGresult* Answer(const char* name, const server::BinaryParams& params);
  void Execute(const char* name, const server::BinaryParams& params);
  void Command(const char* sql);

  PGconn* connection_;
  const Target target_;
};

}  // namespace forebay::bench
