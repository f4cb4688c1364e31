#include "server/signal_hub.h"

#include "server/claim/assignment.h"

namespace forebay::server {

void SignalHub::Connect(const Ends& ends) {
  ends_ = ends;
  connected_ = true;
}

void SignalHub::Disconnect() { connected_ = false; }

void SignalHub::WorkReady(const Uuid& pool) {
  if (!connected_) return;
  ends_.dispatcher->WorkReady(pool);
  TellIfNobodyIsFree(pool);
}

void SignalHub::SlotsFreed(const Uuid& pool) {
  if (!connected_) return;
  if (ends_.dispatcher->SlotsFreed(pool)) TellIfNobodyIsFree(pool);
}

// Somebody else's worker may have the free slot.
void SignalHub::TellIfNobodyIsFree(const Uuid& pool) {
  if (ends_.parking->TotalSlots(pool) == 0) ends_.notifier->Tell(NoticeKind::kWork, pool);
}

void SignalHub::RunsChanged(const std::vector<Uuid>& runs) {
  if (!connected_ || runs.empty()) return;
  ends_.watchers->RunsChanged(runs);
  ends_.notifier->Tell(NoticeKind::kRuns, Uuid());
}

void SignalHub::StopWanted(const Uuid& worker) {
  if (!connected_) return;
  ends_.workers->Forget(worker);
  ends_.commands->Raise(worker);
  ends_.notifier->Tell(NoticeKind::kCommand, worker);
}

void SignalHub::PoolChanged(const Uuid& pool) {
  if (!connected_) return;
  RefreshPool(pool);
  ends_.notifier->Tell(NoticeKind::kPool, pool);
}

void SignalHub::RefreshPool(const Uuid& pool) {
  ends_.snapshots->ForgetDeploymentsOf(pool);
  const absl::Status queued = ends_.executor->Submit([this, pool](Session& session) {
    const auto fresh = ends_.snapshots->RefreshPool(session, pool);
    if (!fresh.ok() || !connected_) return;
    v1::PollResponse response;
    *response.mutable_pool() = ToProto(**fresh);
    ends_.parking->AnswerOutdated(pool, (*fresh)->revision, response);
  });
  queued.IgnoreError();
}

void SignalHub::Heard(NoticeKind kind, const Uuid& id) {
  if (!connected_) return;
  switch (kind) {
    case NoticeKind::kWork:
      return ends_.dispatcher->WorkReady(id);
    case NoticeKind::kCommand:
      ends_.workers->Forget(id);
      return ends_.commands->Raise(id);
    case NoticeKind::kPool:
      return RefreshPool(id);
    case NoticeKind::kRuns:
      return ends_.watchers->AnyRunChanged();
  }
}

}  // namespace forebay::server
