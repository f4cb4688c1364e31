// A call in flight: finished once, and nothing of it stays behind.

#include "server/api/call.h"

#include <memory>

#include "tests/support/catch.h"

namespace forebay::server {
namespace {

class FakeCall : public CallState {
 public:
  int answers = 0;
  absl::Status status;

 private:
  void Finish(const absl::Status& end) override {
    ++answers;
    status = end;
  }
};

}  // namespace

TEST_CASE("call: the first answer counts", "[api]") {
  const auto call = std::make_shared<FakeCall>();
  int response = 0;
  const Responder<int> respond(call, &response);
  respond(7);
  respond(absl::InternalError("late"));
  CHECK(call->answers == 1);
  CHECK(call->status.ok());
  CHECK(response == 7);
}

TEST_CASE("call: one that nobody answers is finished when the last responder goes", "[api]") {
  const auto call = std::make_shared<FakeCall>();
  int response = 0;
  { const Responder<int> respond(call, &response); }
  CHECK(call->answers == 1);
  CHECK(absl::IsCancelled(call->status));
}

TEST_CASE("call: the hook runs once, also when the client had gone before", "[api]") {
  const auto call = std::make_shared<FakeCall>();
  int runs = 0;
  call->OnCancelled([&runs] { ++runs; });
  call->Cancelled();
  call->Cancelled();
  CHECK(runs == 1);
  call->OnCancelled([&runs] { ++runs; });
  CHECK(runs == 2);
}

TEST_CASE("call: a hook that holds a responder does not keep a finished call alive", "[api]") {
  auto call = std::make_shared<FakeCall>();
  const std::weak_ptr<FakeCall> observed = call;
  int response = 0;
  bool after = false;
  SECTION("set before the answer") {}
  SECTION("set after the answer") { after = true; }
  {
    const Responder<int> respond(call, &response);
    if (after) respond(1);
    call->OnCancelled([respond] { respond(absl::CancelledError("gone")); });
    if (!after) respond(1);
  }
  call.reset();
  CHECK(observed.expired());
}

}  // namespace forebay::server
