#pragma once

// One connection to PostgreSQL that replays a run's life with the server's own statements. One
// thread.

#include <libpq-fe.h>

#include <string>
#include <vector>

namespace forebay::bench {

// Ids that the deployment, its pool and its queue have in the database.
struct Target {
  std::string team;
  std::string user;
  std::string deployment;
  std::string pool;
  std::string queue;
  // A worker with a lease that outlives the replay.
  std::string worker;
};

class SqlBatch {
 public:
  // Ends the process when the database cannot be reached.
  SqlBatch(const std::string& database_url, Target target);
  ~SqlBatch();

  // `count` runs through submit, grant, start and end: four commits.
  void RunLifecycles(int count);

 private:
  using Params = std::vector<std::string>;

  void Submit(const std::vector<std::string>& runs);
  void Grant(int count);
  void Start(const std::vector<std::string>& runs);
  void End(const std::vector<std::string>& runs);
  void Execute(const char* name, const Params& params);
  void Command(const char* sql);

  PGconn* connection_;
  const Target target_;
};

}  // namespace forebay::bench
