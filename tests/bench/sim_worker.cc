#include "tests/bench/sim_worker.h"

#include <fmt/format.h>

#include "common/base/clock.h"
#include "common/base/uuid.h"

namespace forebay::bench {
namespace {

constexpr std::chrono::seconds kPollDeadline(120);
constexpr std::chrono::seconds kCallDeadline(60);
constexpr char kTokenHeader[] = "authorization";

std::string FreshUuid() { return UuidSource(SystemClock(), SystemRandom()).Next().ToString(); }

void SetInfrastructure(const v1::AttemptRef& ref, v1::AttemptReport& report) {
  *report.mutable_attempt() = ref;
  report.mutable_launching()->set_infrastructure_name(
      fmt::format("forebay-{}-{}", ref.run_id(), ref.attempt()));
}

}  // namespace

SimWorker::SimWorker(WorkerGroup& group, int number)
    : group_(group), number_(number), free_(group.slots) {}

void SimWorker::Start() {
  stub_ = v1::WorkerService::NewStub(OwnConnection(group_.server));
  v1::RegisterWorkerRequest request;
  request.set_pool(group_.pool);
  request.set_name(fmt::format("bench-{}", number_));
  request.set_instance_id(FreshUuid());
  request.set_type("process");
  request.set_slots(group_.slots);
  request.set_version("bench");
  grpc::ClientContext context;
  context.AddMetadata(kTokenHeader, "Bearer " + group_.token);
  v1::RegisterWorkerResponse response;
  const grpc::Status status = stub_->RegisterWorker(&context, request, &response);
  if (!status.ok()) return Fault("register: " + status.error_message());
  worker_id_ = response.worker_id();
  if (response.has_heartbeat_interval())
    beat_interval_ = absl::Seconds(response.heartbeat_interval().seconds());
  Poll();
}

void SimWorker::Tick(absl::Duration now) {
  if (now < next_beat_ || group_.stopping || worker_id_.empty()) return;
  next_beat_ = now + beat_interval_;
  v1::HeartbeatRequest request;
  request.set_worker_id(worker_id_);
  ++group_.calls_in_flight;
  AsyncCall<v1::HeartbeatResponse>::Start(
      group_.token, kCallDeadline,
      [&](grpc::ClientContext* context) {
        return stub_->PrepareAsyncHeartbeat(context, request, group_.queue);
      },
      [this](const grpc::Status& status, v1::HeartbeatResponse&) {
        --group_.calls_in_flight;
        // One that is on its way while the lease is given up finds none.
        if (!status.ok() && !group_.stopping) Fault("heartbeat: " + status.error_message());
      });
}

void SimWorker::Leave() {
  if (worker_id_.empty()) return;
  v1::DeregisterWorkerRequest request;
  request.set_worker_id(worker_id_);
  grpc::ClientContext context;
  context.AddMetadata(kTokenHeader, "Bearer " + group_.token);
  v1::DeregisterWorkerResponse response;
  stub_->DeregisterWorker(&context, request, &response);
}

void SimWorker::Poll() {
  if (polling_ || free_ == 0 || group_.stopping) return;
  polling_ = true;
  v1::PollRequest request;
  request.set_worker_id(worker_id_);
  request.set_free_slots(free_);
  request.set_pool_revision(1);
  request.set_request_id(FreshUuid());
  ++group_.calls_in_flight;
  AsyncCall<v1::PollResponse>::Start(
      group_.token, kPollDeadline,
      [&](grpc::ClientContext* context) {
        return stub_->PrepareAsyncPoll(context, request, group_.queue);
      },
      [this](const grpc::Status& status, v1::PollResponse& response) { OnPoll(status, response); });
}

void SimWorker::OnPoll(const grpc::Status& status, const v1::PollResponse& response) {
  --group_.calls_in_flight;
  polling_ = false;
  if (!status.ok() && !group_.stopping) Fault("poll: " + status.error_message());
  const absl::Duration now = SystemClock().Monotonic();
  for (const v1::Assignment& assignment : response.assignments()) {
    group_.pickup->Assigned(assignment.attempt().run_id(), now);
    --free_;
    SetInfrastructure(assignment.attempt(), *facts_.add_reports());
    v1::AttemptReport& gate = *facts_.add_reports();
    *gate.mutable_attempt() = assignment.attempt();
    gate.mutable_gate()->set_launch_ticket(assignment.launch_ticket());
  }
  Report();
  Poll();
}

void SimWorker::Report() {
  if (facts_.reports().empty() || !reporting_.reports().empty()) return;
  reporting_.Swap(&facts_);
  reporting_.set_worker_id(worker_id_);
  ++group_.calls_in_flight;
  AsyncCall<v1::ReportAttemptsResponse>::Start(
      group_.token, kCallDeadline,
      [&](grpc::ClientContext* context) {
        return stub_->PrepareAsyncReportAttempts(context, reporting_, group_.queue);
      },
      [this](const grpc::Status& status, v1::ReportAttemptsResponse& response) {
        OnReport(status, response);
      });
}

void SimWorker::OnReport(const grpc::Status& status, const v1::ReportAttemptsResponse& response) {
  --group_.calls_in_flight;
  v1::ReportAttemptsRequest sent;
  sent.Swap(&reporting_);
  if (!status.ok()) return Fault("report: " + status.error_message());
  for (int i = 0; i < response.results_size(); ++i) {
    const v1::AttemptReport& fact = sent.reports(i);
    if (response.results(i).verdict() != v1::REPORT_VERDICT_ACCEPTED) {
      Fault(fmt::format("report {} answered {}", static_cast<int>(fact.fact_case()),
                        static_cast<int>(response.results(i).verdict())));
    } else if (fact.has_gate()) {
      v1::AttemptReport& exited = *facts_.add_reports();
      *exited.mutable_attempt() = fact.attempt();
      exited.mutable_exited()->set_exit_code(0);
      exited.mutable_exited()->set_reason("EXITED");
    } else if (fact.has_exited()) {
      ++free_;
      ++group_.completed;
    }
  }
  Report();
  Poll();
}

void SimWorker::Fault(std::string what) {
  ++group_.faults;
  if (group_.first_fault.empty()) group_.first_fault = std::move(what);
}

}  // namespace forebay::bench
