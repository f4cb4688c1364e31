#include "tests/bench/parked_worker.h"

#include <fmt/format.h>

#include "common/base/clock.h"
#include "common/base/uuid.h"

namespace forebay::bench {
namespace {

constexpr std::chrono::seconds kCallDeadline(120);

std::string FreshUuid() { return UuidSource(SystemClock(), SystemRandom()).Next().ToString(); }

}  // namespace

ParkedWorker::ParkedWorker(ParkedGroup& group, const std::shared_ptr<grpc::Channel>& channel,
                           int number)
    : group_(group), number_(number), stub_(v1::WorkerService::NewStub(channel)) {}

void ParkedWorker::Register() {
  v1::RegisterWorkerRequest request;
  request.set_pool(group_.pool);
  request.set_name(fmt::format("parked-{}", number_));
  request.set_instance_id(FreshUuid());
  request.set_type("process");
  request.set_slots(4);
  request.set_version("bench");
  AsyncCall<v1::RegisterWorkerResponse>::Start(
      group_.token, kCallDeadline,
      [&](grpc::ClientContext* context) {
        return stub_->PrepareAsyncRegisterWorker(context, request, group_.queue);
      },
      [this](const grpc::Status& status, v1::RegisterWorkerResponse& response) {
        if (!status.ok()) return Fault("register: " + status.error_message());
        ++group_.registered;
        worker_id_ = response.worker_id();
        pool_revision_ = response.pool().revision();
        beat_interval_ = absl::Seconds(response.heartbeat_interval().seconds());
        next_beat_ = SystemClock().Monotonic() + beat_interval_;
        Poll();
      });
}

void ParkedWorker::Poll() {
  v1::PollRequest request;
  request.set_worker_id(worker_id_);
  request.set_free_slots(4);
  request.set_pool_revision(pool_revision_);
  request.set_request_id(FreshUuid());
  ++group_.polls;
  AsyncCall<v1::PollResponse>::Start(
      group_.token, kCallDeadline,
      [&](grpc::ClientContext* context) {
        return stub_->PrepareAsyncPoll(context, request, group_.queue);
      },
      [this](const grpc::Status& status, v1::PollResponse& response) {
        if (!status.ok()) return Fault("poll: " + status.error_message());
        if (response.assignments_size() > 0) Fault("a run, where none was submitted");
        Poll();
      });
}

void ParkedWorker::Tick(absl::Duration now) {
  if (now < next_beat_) return;
  next_beat_ = now + beat_interval_;
  Beat();
}

void ParkedWorker::Beat() {
  v1::HeartbeatRequest request;
  request.set_worker_id(worker_id_);
  ++group_.beats;
  AsyncCall<v1::HeartbeatResponse>::Start(
      group_.token, kCallDeadline,
      [&](grpc::ClientContext* context) {
        return stub_->PrepareAsyncHeartbeat(context, request, group_.queue);
      },
      [this](const grpc::Status& status, v1::HeartbeatResponse&) {
        if (!status.ok()) Fault("heartbeat: " + status.error_message());
      });
}

void ParkedWorker::Fault(const std::string& what) {
  ++group_.faults;
  if (group_.first_fault.empty()) group_.first_fault = what;
}

}  // namespace forebay::bench
