// Parked polls: each is answered once, and a grant whose call has gone reaches the call's repeat.

#include "server/claim/parking.h"

#include <memory>
#include "tests/support/catch.h"
#include "tests/support/ids.h"

namespace forebay::server {
namespace {

const Uuid kPool = Id(1);
const Uuid kQueue = Id(2);
const Uuid kWorker = Id(3);
const Uuid kRequest = Id(4);

class FakeCall : public CallState {
 public:
  v1::PollResponse response;
  int answers = 0;
  absl::Status status;

 private:
  void Finish(const absl::Status& end) override {
    ++answers;
    status = end;
  }
};

class Lot {
 public:
  Parking parking;

  std::shared_ptr<FakeCall> Park(const Uuid& request, int slots = 2) {
    auto call = std::make_shared<FakeCall>();
    Poll poll;
    poll.worker = kWorker;
    poll.pool = kPool;
    poll.request = request;
    poll.free_slots = slots;
    poll.queues = {kQueue};
    poll.deadline = absl::Seconds(30);
    poll.respond.emplace(call, &call->response);
    last = parking.Park(std::move(poll));
    return call;
  }
  void Deliver(const Reservation& reservation) {
    v1::Assignment assignment;
    assignment.set_flow("flow");
    parking.Deliver(kPool, {{reservation, assignment}});
  }
  uint64_t last = 0;
};

}  // namespace

TEST_CASE("parking: a poll is answered when the last of its grants is settled", "[parking]") {
  Lot lot;
  const auto call = lot.Park(kRequest);
  const auto first = lot.parking.Reserve(kPool, kQueue);
  const auto second = lot.parking.Reserve(kPool, kQueue);
  REQUIRE((first.has_value() && second.has_value()));
  CHECK_FALSE(lot.parking.Reserve(kPool, kQueue).has_value());
  lot.Deliver(*first);
  CHECK(call->answers == 0);
  lot.parking.GiveBack(kPool, {*second});
  CHECK(call->answers == 1);
  CHECK(call->response.assignments_size() == 1);
  CHECK(lot.parking.size() == 0);
}

TEST_CASE("parking: a grant whose call has gone goes to the parked repeat", "[parking]") {
  Lot lot;
  const auto gone = lot.Park(kRequest);
  const auto reservation = lot.parking.Reserve(kPool, kQueue);
  lot.parking.Leave(lot.last);
  CHECK(absl::IsCancelled(gone->status));
  const auto repeat = lot.Park(kRequest);
  lot.Deliver(*reservation);
  CHECK(repeat->answers == 1);
  CHECK(repeat->response.assignments_size() == 1);
}

TEST_CASE("parking: a grant waits for a repeat that is still to come, not for another poll",
          "[parking]") {
  Lot lot;
  lot.Park(kRequest);
  const auto reservation = lot.parking.Reserve(kPool, kQueue);
  lot.parking.Leave(lot.last);
  lot.Deliver(*reservation);
  const auto other = lot.Park(Id(9));
  CHECK(other->answers == 0);
  const auto repeat = lot.Park(kRequest);
  CHECK(repeat->response.assignments_size() == 1);
  const auto once_more = lot.Park(kRequest);
  CHECK(once_more->answers == 0);
}

TEST_CASE("parking: what no repeat asks for is forgotten", "[parking]") {
  Lot lot;
  lot.Park(kRequest);
  const auto reservation = lot.parking.Reserve(kPool, kQueue);
  lot.parking.Leave(lot.last);
  lot.Deliver(*reservation);
  lot.parking.Expire(absl::Seconds(1));
  lot.parking.Expire(absl::Seconds(120));
  const auto repeat = lot.Park(kRequest);
  CHECK(repeat->answers == 0);
}

TEST_CASE("parking: a deadline answers with nothing, and waits for a grant under way",
          "[parking]") {
  Lot lot;
  const auto call = lot.Park(kRequest);
  const auto reservation = lot.parking.Reserve(kPool, kQueue);
  CHECK(lot.parking.Expire(absl::Seconds(31)) > absl::Seconds(31));
  CHECK(call->answers == 0);
  lot.parking.GiveBack(kPool, {*reservation});
  lot.parking.Expire(absl::Seconds(40));
  CHECK(call->answers == 1);
  CHECK(call->status.ok());
  CHECK(call->response.assignments().empty());
}

TEST_CASE("parking: a command answers an idle poll and leaves one with a grant under way alone",
          "[parking]") {
  Lot lot;
  v1::PollResponse drain;
  drain.set_drain(true);
  CHECK_FALSE(lot.parking.Command(kWorker, drain));
  const auto call = lot.Park(kRequest);
  const auto reservation = lot.parking.Reserve(kPool, kQueue);
  CHECK_FALSE(lot.parking.Command(kWorker, drain));
  lot.parking.GiveBack(kPool, {*reservation});
  CHECK(lot.parking.Command(kWorker, drain));
  CHECK(call->response.drain());
}

}  // namespace forebay::server
