#include "server/claim/worker_directory.h"

#include <map>

#include "common/base/status.h"
#include "server/db/queries.h"

namespace forebay::server {
namespace {

// A queue named at registration that is gone by now serves nobody; one that is not there yet is
// found when the worker registers again.
absl::StatusOr<std::vector<Uuid>> QueueIds(Session& session, const Uuid& pool,
                                           const std::vector<std::string>& names) {
  std::vector<Uuid> ids;
  if (names.empty()) return ids;
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kQueueIds, Args().Id(pool)));
  std::map<std::string, Uuid, std::less<>> known;
  for (size_t row = 0; row < rows.size(); ++row) known.emplace(rows.Text(row, 0), rows.Id(row, 1));
  for (const std::string& name : names) {
    if (const auto it = known.find(name); it != known.end()) ids.push_back(it->second);
  }
  // Still narrow, never "all", when none of the names is left.
  if (ids.empty()) ids.push_back(Uuid{});
  return ids;
}

}  // namespace

absl::Status WorkerUnknown(const Uuid& id) {
  return Error(absl::StatusCode::kNotFound, "WORKER_UNKNOWN")
      .Field("worker_id", id.ToString())
      .Says("worker {} has no lease here; register anew", id.ToString());
}

absl::StatusOr<std::shared_ptr<const KnownWorker>> WorkerDirectory::Load(Session& session,
                                                                         const Uuid& id) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kReadWorker, Args().Id(id)));
  if (rows.empty() || !rows.Bool(0, 7)) {
    Forget(id);
    return WorkerUnknown(id);
  }
  auto worker = std::make_shared<KnownWorker>();
  worker->id = id;
  worker->pool = rows.Id(0, 1);
  worker->draining = rows.Bool(0, 3);
  worker->credential = rows.Id(0, 4);
  ASSIGN_OR_RETURN(worker->queues, QueueIds(session, worker->pool, rows.TextArray(0, 2)));
  MutexLock lock(mutex_);
  workers_[id] = worker;
  return std::shared_ptr<const KnownWorker>(worker);
}

std::shared_ptr<const KnownWorker> WorkerDirectory::Remembered(const Uuid& id) const {
  MutexLock lock(mutex_);
  const auto it = workers_.find(id);
  return it == workers_.end() ? nullptr : it->second;
}

void WorkerDirectory::Forget(const Uuid& id) {
  MutexLock lock(mutex_);
  workers_.erase(id);
}

absl::Status CheckSpeaksFor(const Caller& caller, const KnownWorker& worker) {
  if (caller.pool == worker.pool && caller.credential == worker.credential) return absl::OkStatus();
  return Error(absl::StatusCode::kPermissionDenied, "NOT_YOUR_WORKER")
      .Field("worker_id", worker.id.ToString())
      .Says("this key did not register worker {}", worker.id.ToString());
}

}  // namespace forebay::server
