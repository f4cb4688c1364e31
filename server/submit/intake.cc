#include "server/submit/intake.h"

#include <atomic>
#include <map>

#include "common/base/status.h"
#include "server/api/messages.h"
#include "server/store/deployments.h"

namespace forebay::server {
namespace {

// How often a request is checked anew because its deployment changed under it.
constexpr int kMostRounds = 3;

}  // namespace

struct Intake::Order {
  struct Line {
    RunOrder order;
    // Empty when the name is no name.
    std::string name;
    std::shared_ptr<const DeploymentSnapshot> deployment;
    bool settled = false;
  };
  Caller caller;
  std::vector<Line> lines;
  Outcomes outcomes;
  std::function<void(Outcomes&)> done;
  bool receipts = false;
  int rounds = 0;
  // Of this round: what is still with the submitter, and whether another round is needed.
  std::atomic<size_t> outstanding = 0;
  std::atomic<bool> changed = false;
};

void Intake::Submit(const Caller& caller, std::vector<RunOrder> orders, bool receipts,
                    std::function<void(Outcomes&)> done) {
  auto order = std::make_shared<Order>();
  order->caller = caller;
  order->done = std::move(done);
  order->receipts = receipts;
  order->outcomes.assign(orders.size(), absl::InternalError("not settled"));
  for (RunOrder& asked : orders) {
    Order::Line& line = order->lines.emplace_back();
    line.order = std::move(asked);
    const auto name = DeploymentNameOf(line.order.request.deployment(), "deployment");
    if (name.ok()) {
      line.name = name->flow + "/" + name->deployment;
    } else {
      order->outcomes[order->lines.size() - 1] = name.status();
      line.settled = true;
    }
  }
  Start(order);
}

void Intake::Start(const std::shared_ptr<Order>& order) {
  bool known = order->rounds == 0;
  for (Order::Line& line : order->lines) {
    if (line.settled || !known) continue;
    const auto id = snapshots_.RememberedName(order->caller.team, line.name);
    if (id.has_value()) line.deployment = snapshots_.RememberedDeployment(*id);
    known = line.deployment != nullptr;
  }
  if (known) return Send(order);
  const absl::Status queued =
      executor_.Submit([this, order](Session& session) { Resolve(session, order); });
  if (queued.ok()) return;
  for (size_t i = 0; i < order->lines.size(); ++i) {
    if (!order->lines[i].settled) order->outcomes[i] = queued;
  }
  order->done(order->outcomes);
}

void Intake::Resolve(Session& session, const std::shared_ptr<Order>& order) {
  std::map<std::string, absl::StatusOr<std::shared_ptr<const DeploymentSnapshot>>> resolved;
  for (size_t i = 0; i < order->lines.size(); ++i) {
    Order::Line& line = order->lines[i];
    if (line.settled) continue;
    auto it = resolved.find(line.name);
    if (it == resolved.end()) {
      const auto name = DeploymentNameOf(line.name, "deployment");
      const auto id = FindDeployment(session, order->caller.team, *name);
      if (id.ok()) snapshots_.RememberName(order->caller.team, line.name, *id);
      it = resolved
               .emplace(
                   line.name,
                   id.ok() ? snapshots_.RefreshDeployment(session, *id)
                           : absl::StatusOr<std::shared_ptr<const DeploymentSnapshot>>(id.status()))
               .first;
    }
    if (it->second.ok()) {
      line.deployment = *it->second;
    } else {
      order->outcomes[i] = it->second.status();
      line.settled = true;
    }
  }
  Send(order);
}

void Intake::Send(const std::shared_ptr<Order>& order) {
  std::vector<SubmitRequest> batch;
  ++order->rounds;
  order->changed = false;
  for (size_t i = 0; i < order->lines.size(); ++i) {
    Order::Line& line = order->lines[i];
    if (line.settled) continue;
    auto submission = PrepareSubmission(line.order, order->caller, line.deployment, ids_, random_);
    if (!submission.ok()) {
      order->outcomes[i] = submission.status();
      line.settled = true;
      continue;
    }
    batch.push_back({*std::move(submission), order->receipts,
                     [this, order, i](absl::StatusOr<Accepted> outcome) {
                       Settle(order, i, std::move(outcome));
                     }});
  }
  if (batch.empty()) return order->done(order->outcomes);
  order->outstanding = batch.size();
  submitter_.Submit(std::move(batch));
}

void Intake::Settle(const std::shared_ptr<Order>& order, size_t index,
                    absl::StatusOr<Accepted> outcome) {
  const std::string reason = outcome.ok() ? "" : ReasonOf(outcome.status());
  // A remembered name may lead to a row that was deleted and made anew: look it up once more.
  const bool again = (reason == "DEPLOYMENT_CHANGED" || reason == "DEPLOYMENT_NOT_FOUND") &&
                     order->rounds < kMostRounds;
  order->lines[index].settled = !again;
  order->outcomes[index] = std::move(outcome);
  if (again) {
    order->changed = true;
    snapshots_.ForgetName(order->caller.team, order->lines[index].name);
  }
  if (--order->outstanding > 0) return;
  order->changed ? Start(order) : order->done(order->outcomes);
}

}  // namespace forebay::server
