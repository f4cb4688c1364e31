#pragma once

// Where a committed change's signals go: to those who wait on this server, and to the other
// servers.

#include <atomic>

#include "server/claim/commands.h"
#include "server/claim/dispatcher.h"
#include "server/claim/parking.h"
#include "server/claim/signals.h"
#include "server/claim/worker_directory.h"
#include "server/db/executor.h"
#include "server/notify/notifier.h"
#include "server/runs/watchers.h"
#include "server/store/snapshots.h"

namespace forebay::server {

// Signals may come before Connect, while the parts are being built; they are then dropped, and the
// first look of each part makes up for it. Thread-safe after Connect.
class SignalHub final : public Signals {
 public:
  struct Ends {
    Executor* executor = nullptr;
    Snapshots* snapshots = nullptr;
    Parking* parking = nullptr;
    Dispatcher* dispatcher = nullptr;
    Commands* commands = nullptr;
    WorkerDirectory* workers = nullptr;
    Watchers* watchers = nullptr;
    Notifier* notifier = nullptr;
  };
  void Connect(const Ends& ends);
  void Disconnect();

  void WorkReady(const Uuid& pool) override;
  void SlotsFreed(const Uuid& pool) override;
  void RunsChanged(const std::vector<Uuid>& runs) override;
  void StopWanted(const Uuid& worker) override;
  void PoolChanged(const Uuid& pool) override;

  // The same, told by another server: not passed on again.
  void Heard(NoticeKind kind, const Uuid& id);

 private:
  void TellIfNobodyIsFree(const Uuid& pool);
  void RefreshPool(const Uuid& pool);

  std::atomic<bool> connected_ = false;
  Ends ends_;
};

}  // namespace forebay::server
