#include "server/claim/parking.h"

#include <utility>

namespace forebay::server {
namespace {

// How long a deadline waits for a grant under way.
constexpr absl::Duration kGrantPatience = absl::Milliseconds(200);
// A repeat comes within seconds; later the attempts are taken back by their start deadline.
constexpr absl::Duration kRepeatPatience = absl::Seconds(60);

}  // namespace

// Called outside of the lock: gRPC may run its completion on this very thread.
void Parking::Send(Answers& answers) {
  for (auto& [respond, response] : answers) respond(std::move(response));
}

uint64_t Parking::Park(Poll poll) {
  Answers answers;
  uint64_t id = 0;
  {
    MutexLock lock(mutex_);
    id = next_id_++;
    const auto left = undelivered_.find(poll.worker);
    if (left != undelivered_.end() && left->second.request == poll.request) {
      answers.emplace_back(*poll.respond, std::move(left->second.granted));
      undelivered_.erase(left);
    } else {
      Insert(id, std::move(poll));
    }
  }
  Send(answers);
  return id;
}

void Parking::Insert(uint64_t id, Poll poll) {
  const Uuid pool = poll.pool;
  auto& desk = desks_[pool];
  if (desk == nullptr) desk = std::make_unique<Desk>();
  desk->matcher.Park({id, poll.worker, poll.request, poll.free_slots, poll.queues});
  deadlines_.emplace(poll.deadline, id);
  pool_of_[id] = pool;
  last_of_[poll.worker] = id;
  desk->polls.emplace(id, Parked{std::move(poll), 0, {}});
}

void Parking::DropUndelivered(const Uuid& worker) {
  MutexLock lock(mutex_);
  undelivered_.erase(worker);
}

std::optional<Poll> Parking::Take(const Uuid& pool, uint64_t id) {
  const auto desk = desks_.find(pool);
  if (desk == desks_.end()) return std::nullopt;
  const auto it = desk->second->polls.find(id);
  if (it == desk->second->polls.end()) return std::nullopt;
  Poll poll = std::move(it->second.poll);
  desk->second->polls.erase(it);
  desk->second->matcher.Leave(id);
  pool_of_.erase(id);
  if (const auto last = last_of_.find(poll.worker); last != last_of_.end() && last->second == id)
    last_of_.erase(last);
  for (auto [from, to] = deadlines_.equal_range(poll.deadline); from != to; ++from) {
    if (from->second != id) continue;
    deadlines_.erase(from);
    break;
  }
  return poll;
}

void Parking::Leave(uint64_t id) {
  Answers answers;
  {
    MutexLock lock(mutex_);
    const auto pool = pool_of_.find(id);
    if (pool == pool_of_.end()) return;
    if (auto poll = Take(pool->second, id))
      answers.emplace_back(*poll->respond, absl::CancelledError("poll given up"));
  }
  Send(answers);
}

void Parking::ReplaceEarlier(const Uuid& worker) {
  uint64_t id = 0;
  {
    MutexLock lock(mutex_);
    const auto last = last_of_.find(worker);
    if (last == last_of_.end()) return;
    id = last->second;
  }
  Leave(id);
}

std::optional<Reservation> Parking::Reserve(const Uuid& pool, const Uuid& queue) {
  MutexLock lock(mutex_);
  const auto desk = desks_.find(pool);
  if (desk == desks_.end()) return std::nullopt;
  const auto taken = desk->second->matcher.Take(queue);
  if (!taken.has_value()) return std::nullopt;
  ++desk->second->polls.at(taken->poll).reserved;
  return Reservation{taken->poll, taken->worker, taken->request};
}

void Parking::Settle(const Uuid& pool, uint64_t id, Answers& answers) {
  Parked& parked = desks_.at(pool)->polls.at(id);
  if (--parked.reserved > 0 || parked.granted.assignments().empty()) return;
  v1::PollResponse response = std::move(parked.granted);
  if (auto poll = Take(pool, id)) answers.emplace_back(*poll->respond, std::move(response));
}

void Parking::GiveBack(const Uuid& pool, const std::vector<Reservation>& reservations) {
  Answers answers;
  {
    MutexLock lock(mutex_);
    for (const Reservation& reservation : reservations) {
      if (!pool_of_.contains(reservation.poll)) continue;
      Desk& desk = *desks_.at(pool);
      const bool answering = !desk.polls.at(reservation.poll).granted.assignments().empty();
      if (!answering) desk.matcher.GiveBack(reservation.poll);
      Settle(pool, reservation.poll, answers);
    }
  }
  Send(answers);
}

std::optional<uint64_t> Parking::StandIn(const Reservation& reservation) const {
  const auto last = last_of_.find(reservation.worker);
  if (last == last_of_.end()) return std::nullopt;
  const Parked& parked = desks_.at(pool_of_.at(last->second))->polls.at(last->second);
  if (parked.poll.request != reservation.request) return std::nullopt;
  return last->second;
}

void Parking::LeaveFor(const Reservation& reservation, v1::Assignment assignment) {
  Undelivered& left = undelivered_[reservation.worker];
  if (left.request != reservation.request) left = {reservation.request, {}, {}};
  *left.granted.add_assignments() = std::move(assignment);
}

void Parking::ForgetUndelivered(absl::Duration now) {
  absl::erase_if(undelivered_, [now](auto& entry) {
    Undelivered& left = entry.second;
    if (!left.until.has_value()) left.until = now + kRepeatPatience;
    return now >= *left.until;
  });
}

void Parking::Deliver(const Uuid& pool, std::vector<Delivery> deliveries) {
  Answers answers;
  {
    MutexLock lock(mutex_);
    std::vector<uint64_t> settled;
    for (Delivery& delivery : deliveries) {
      uint64_t id = delivery.reservation.poll;
      if (!pool_of_.contains(id)) {
        // The call has gone; its repeat under the same request id gets what it was granted.
        const auto stand_in = StandIn(delivery.reservation);
        if (!stand_in.has_value()) {
          LeaveFor(delivery.reservation, std::move(delivery.assignment));
          continue;
        }
        id = *stand_in;
        ++desks_.at(pool)->polls.at(id).reserved;
      }
      Desk& desk = *desks_.at(pool);
      *desk.polls.at(id).granted.add_assignments() = std::move(delivery.assignment);
      desk.matcher.Close(id);
      settled.push_back(id);
    }
    for (const uint64_t id : settled) {
      if (pool_of_.contains(id)) Settle(pool, id, answers);
    }
  }
  Send(answers);
}

void Parking::Fail(const Uuid& pool, uint64_t id, const absl::Status& status) {
  Answers answers;
  {
    MutexLock lock(mutex_);
    if (auto poll = Take(pool, id)) answers.emplace_back(*poll->respond, status);
  }
  Send(answers);
}

int Parking::TotalSlots(const Uuid& pool) const {
  MutexLock lock(mutex_);
  const auto desk = desks_.find(pool);
  return desk == desks_.end() ? 0 : desk->second->matcher.TotalSlots();
}

int Parking::SlotsFor(const Uuid& pool, const Uuid& queue) const {
  MutexLock lock(mutex_);
  const auto desk = desks_.find(pool);
  return desk == desks_.end() ? 0 : desk->second->matcher.SlotsFor(queue);
}

std::vector<Uuid> Parking::PoolsWithDemand() const {
  MutexLock lock(mutex_);
  std::vector<Uuid> pools;
  for (const auto& [pool, desk] : desks_) {
    if (desk->matcher.TotalSlots() > 0) pools.push_back(pool);
  }
  return pools;
}

size_t Parking::size() const {
  MutexLock lock(mutex_);
  return pool_of_.size();
}

bool Parking::Command(const Uuid& worker, const v1::PollResponse& response) {
  Answers answers;
  {
    MutexLock lock(mutex_);
    const auto last = last_of_.find(worker);
    if (last == last_of_.end()) return false;
    const uint64_t id = last->second;
    const Uuid pool = pool_of_.at(id);
    // With a grant under way the delivery answers it; the worker's next poll or beat gets the
    // command.
    if (desks_.at(pool)->polls.at(id).reserved > 0) return false;
    if (auto poll = Take(pool, id)) answers.emplace_back(*poll->respond, response);
  }
  Send(answers);
  return true;
}

void Parking::AnswerOutdated(const Uuid& pool, int64_t revision, const v1::PollResponse& response) {
  Answers answers;
  {
    MutexLock lock(mutex_);
    const auto desk = desks_.find(pool);
    if (desk == desks_.end()) return;
    std::vector<uint64_t> outdated;
    for (const auto& [id, parked] : desk->second->polls) {
      if (parked.poll.pool_revision < revision && parked.reserved == 0) outdated.push_back(id);
    }
    for (const uint64_t id : outdated) {
      if (auto poll = Take(pool, id)) answers.emplace_back(*poll->respond, response);
    }
  }
  Send(answers);
}

std::optional<absl::Duration> Parking::Expire(absl::Duration now) {
  Answers answers;
  std::optional<absl::Duration> next;
  {
    MutexLock lock(mutex_);
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
      const uint64_t id = deadlines_.begin()->second;
      const Uuid pool = pool_of_.at(id);
      Parked& parked = desks_.at(pool)->polls.at(id);
      if (parked.reserved > 0) {
        deadlines_.erase(deadlines_.begin());
        parked.poll.deadline = now + kGrantPatience;
        deadlines_.emplace(parked.poll.deadline, id);
        continue;
      }
      if (auto poll = Take(pool, id)) answers.emplace_back(*poll->respond, v1::PollResponse());
    }
    ForgetUndelivered(now);
    if (!deadlines_.empty()) next = deadlines_.begin()->first;
  }
  Send(answers);
  return next;
}

void Parking::Clear(const absl::Status& status) {
  Answers answers;
  {
    MutexLock lock(mutex_);
    std::vector<std::pair<Uuid, uint64_t>> all;
    for (const auto& [id, pool] : pool_of_) all.emplace_back(pool, id);
    for (const auto& [pool, id] : all) {
      if (auto poll = Take(pool, id)) answers.emplace_back(*poll->respond, status);
    }
  }
  Send(answers);
}

}  // namespace forebay::server
