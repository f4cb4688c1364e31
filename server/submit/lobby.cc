#include "server/submit/lobby.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"

namespace forebay::server {
namespace {

// For one run that goes on while many wait in the queue.
constexpr int64_t kEndsForOne = 2;
// What is claimed within it are few: whoever goes on before joins them.
constexpr absl::Duration kMoment = absl::Milliseconds(100);

}  // namespace

int64_t Lobby::FreeSlots(const Uuid& id, const Queue& queue) const {
  const int64_t slots = sight_.free_slots(queue.pool, id);
  if (slots == 0) return 0;
  return slots - queue.going - sight_.outlook(id).waiting;
}

int64_t Lobby::MayGoOn(const Uuid& id, Queue& queue) const {
  const Turnover::Outlook outlook = sight_.outlook(id);
  const int64_t ends = std::exchange(queue.ends_seen, outlook.ended);
  if (outlook.waiting == 0) return FreeSlots(id, queue);
  if (outlook.waiting * Turnover::kWindow < outlook.pace * kMoment) return 0;
  const int64_t runs = (outlook.ended - ends) / kEndsForOne;
  queue.ends_seen -= (outlook.ended - ends) % kEndsForOne;
  return runs;
}

bool Lobby::SlotComesSoon(const Uuid& id, const Queue& queue) const {
  const Turnover::Outlook outlook = sight_.outlook(id);
  const auto ahead = static_cast<int64_t>(queue.waiting.size());
  const int64_t ends_needed = outlook.waiting == 0 ? ahead : ahead * kEndsForOne;
  return ends_needed * Turnover::kWindow < outlook.pace * kHorizon;
}

void Lobby::Pass(Queue& queue, SubmitRequest request, std::vector<SubmitRequest>& passed) {
  ++queue.going;
  passed.push_back(std::move(request));
}

void Lobby::PassFirst(Queue& queue, std::vector<SubmitRequest>& passed) {
  --waiting_;
  Pass(queue, std::move(queue.waiting.front().request), passed);
  queue.waiting.pop_front();
}

std::vector<SubmitRequest> Lobby::Enter(std::vector<SubmitRequest> requests, absl::Duration now) {
  std::vector<SubmitRequest> passed;
  // Runs of a call start in its order: behind the first that waits the others wait as well.
  absl::flat_hash_set<Uuid> held;
  for (SubmitRequest& request : requests) {
    const DeploymentSnapshot& deployment = *request.submission.deployment;
    Queue& queue = queues_[deployment.queue];
    queue.pool = deployment.pool;
    const bool at_once = request.submission.due.has_value() || waiting_ >= kMost ||
                         (queue.waiting.empty() && FreeSlots(deployment.queue, queue) > 0);
    if (held.contains(deployment.queue) || (!at_once && SlotComesSoon(deployment.queue, queue))) {
      held.insert(deployment.queue);
      if (queue.waiting.empty()) queue.ends_seen = sight_.outlook(deployment.queue).ended;
      queue.waiting.push_back({std::move(request), now + kLongest});
      ++waiting_;
    } else {
      Pass(queue, std::move(request), passed);
    }
  }
  return passed;
}

std::vector<SubmitRequest> Lobby::Release(const Uuid& pool) {
  std::vector<SubmitRequest> passed;
  for (auto& [id, queue] : queues_) {
    if (queue.pool != pool || queue.waiting.empty()) continue;
    for (int64_t left = MayGoOn(id, queue); left > 0 && !queue.waiting.empty(); --left)
      PassFirst(queue, passed);
  }
  return passed;
}

std::vector<SubmitRequest> Lobby::Expire(absl::Duration now) {
  std::vector<SubmitRequest> passed;
  for (auto& [id, queue] : queues_) {
    while (!queue.waiting.empty() && queue.waiting.front().until <= now) PassFirst(queue, passed);
  }
  return passed;
}

std::vector<SubmitRequest> Lobby::Empty() { return Expire(absl::InfiniteDuration()); }

std::optional<absl::Duration> Lobby::NextExpiry() const {
  std::optional<absl::Duration> next;
  for (const auto& [id, queue] : queues_) {
    if (queue.waiting.empty()) continue;
    const absl::Duration until = queue.waiting.front().until;
    next = std::min(next.value_or(until), until);
  }
  return next;
}

void Lobby::Seated(const Submission& submission) {
  const auto it = queues_.find(submission.deployment->queue);
  if (it != queues_.end()) --it->second.going;
}

}  // namespace forebay::server
