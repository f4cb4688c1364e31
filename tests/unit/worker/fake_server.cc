#include "tests/unit/worker/fake_server.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "common/job_template/job_template.h"

namespace forebay::worker {
namespace {

constexpr int kBeatMillis = 200;

void SetMillis(int64_t millis, google::protobuf::Duration& duration) {
  duration.set_seconds(millis / 1000);
  duration.set_nanos(static_cast<int32_t>(millis % 1000) * 1'000'000);
}

std::string FactName(const v1::AttemptReport& report) {
  switch (report.fact_case()) {
    case v1::AttemptReport::kLaunching:
      return "launching";
    case v1::AttemptReport::kLaunched:
      return "launched";
    case v1::AttemptReport::kGate:
      return "gate";
    case v1::AttemptReport::kExited:
      return "exited";
    case v1::AttemptReport::kLaunchFailed:
      return "launch_failed";
    default:
      return "";
  }
}

}  // namespace

v1::Assignment MakeAssignment(int number, const std::string& job_variables) {
  v1::Assignment assignment;
  assignment.mutable_attempt()->set_run_id(fmt::format("01890000-0000-7000-8000-{:012}", number));
  assignment.mutable_attempt()->set_attempt(1);
  assignment.mutable_attempt()->set_epoch(1);
  assignment.set_launch_ticket(fmt::format("ticket-{}", number));
  assignment.set_flow("flow");
  assignment.set_deployment("flow/one");
  assignment.set_run_display_name(fmt::format("run-{}", number));
  assignment.add_command("true");
  assignment.set_run_job_variables(job_variables);
  return assignment;
}

bool Eventually(const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

FakeServer::FakeServer() {
  on_report = [](const v1::AttemptReport&) {
    v1::ReportResult result;
    result.set_verdict(v1::REPORT_VERDICT_ACCEPTED);
    return result;
  };
  on_sighting = [](const v1::Sighting&) {
    v1::Adoption adoption;
    adoption.set_verdict(v1::ADOPT_VERDICT_STALE);
    return adoption;
  };
}

void FakeServer::Grant(const v1::Assignment& assignment) {
  MutexLock lock(mutex_);
  waiting_.push_back(assignment);
  changed_.NotifyAll();
}

void FakeServer::Command(const v1::PollResponse& response) {
  MutexLock lock(mutex_);
  commands_.push_back(response);
  changed_.NotifyAll();
}

void FakeServer::FailWith(const absl::Status& status) {
  MutexLock lock(mutex_);
  failure_ = status;
  changed_.NotifyAll();
}

void FakeServer::LoseNextPollAnswer() {
  MutexLock lock(mutex_);
  lose_poll_answer_ = true;
}

void FakeServer::ForgetWorker() {
  MutexLock lock(mutex_);
  worker_id_.clear();
  granted_.clear();
  changed_.NotifyAll();
}

absl::Status FakeServer::Admit(const std::string& worker_id) {
  RETURN_IF_ERROR(failure_);
  if (worker_id == worker_id_) return absl::OkStatus();
  return Error(absl::StatusCode::kNotFound, "WORKER_UNKNOWN").Says("no worker {}", worker_id);
}

absl::StatusOr<v1::RegisterWorkerResponse> FakeServer::Register(
    const v1::RegisterWorkerRequest& request) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(failure_);
  registrations_.push_back(request);
  if (request.type() != "scripted") {
    return Error(absl::StatusCode::kFailedPrecondition, "POOL_TYPE_MISMATCH")
        .Field("type", request.type())
        .With("allowed", "scripted")
        .Says("the pool is scripted");
  }
  worker_id_ = fmt::format("worker-{}", ++registrations_made_);
  v1::RegisterWorkerResponse response;
  response.set_worker_id(worker_id_);
  v1::PoolSnapshot& pool = *response.mutable_pool();
  pool.set_pool("alpha");
  pool.set_type("scripted");
  pool.set_revision(1);
  pool.set_base_job_template(std::string(DefaultJobTemplate("scripted")));
  SetMillis(60'000, *pool.mutable_lease_ttl());
  SetMillis(1'000, *pool.mutable_cancel_grace());
  SetMillis(kBeatMillis, *response.mutable_heartbeat_interval());
  return response;
}

bool FakeServer::HasNews(const v1::PollRequest& request) {
  if (request.replay() && granted_.contains(request.request_id())) return true;
  return !commands_.empty() || (request.free_slots() > 0 && !waiting_.empty());
}

absl::StatusOr<v1::PollResponse> FakeServer::Poll(const v1::PollRequest& request,
                                                  Cancellation& cancellation) {
  cancellation.Arm([this] { changed_.NotifyAll(); });
  v1::PollResponse response;
  absl::Status status;
  {
    MutexLock lock(mutex_);
    polls_.push_back(request);
    status = Admit(request.worker_id());
    while (status.ok() && !HasNews(request) && !cancellation.raised()) {
      changed_.WaitFor(mutex_, absl::Milliseconds(20));
      status = Admit(request.worker_id());
    }
    if (status.ok() && cancellation.raised()) status = absl::CancelledError("cancelled");
    if (status.ok() && !commands_.empty()) {
      response = commands_.front();
      commands_.pop_front();
    } else if (status.ok()) {
      std::vector<v1::Assignment>& mine = granted_[request.request_id()];
      while (static_cast<int>(mine.size()) < request.free_slots() && !waiting_.empty()) {
        mine.push_back(waiting_.front());
        waiting_.pop_front();
      }
      for (const v1::Assignment& assignment : mine) *response.add_assignments() = assignment;
      if (std::exchange(lose_poll_answer_, false)) status = absl::UnavailableError("lost");
    }
  }
  cancellation.Disarm();
  RETURN_IF_ERROR(status);
  return response;
}

absl::StatusOr<v1::ReportAttemptsResponse> FakeServer::Report(
    const v1::ReportAttemptsRequest& request) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(Admit(request.worker_id()));
  ++report_calls_;
  v1::ReportAttemptsResponse response;
  for (const v1::AttemptReport& report : request.reports()) {
    reports_.push_back(report);
    const bool missing =
        report.has_exited() && report.exited().log_lines() >
                                   static_cast<int64_t>(lines_[report.attempt().run_id()].size());
    *response.add_results() = on_report(report);
    if (missing) {
      response.mutable_results()->rbegin()->set_verdict(v1::REPORT_VERDICT_LOGS_MISSING);
    }
  }
  return response;
}

absl::StatusOr<v1::AppendAttemptLogsResponse> FakeServer::AppendLogs(
    const v1::AppendAttemptLogsRequest& request) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(Admit(request.worker_id()));
  v1::AppendAttemptLogsResponse response;
  for (const v1::AttemptLogs& logs : request.logs()) {
    std::vector<std::string>& lines = lines_[logs.attempt().run_id()];
    int64_t sequence = logs.first_sequence();
    for (const v1::LogEntry& entry : logs.entries()) {
      if (sequence++ == static_cast<int64_t>(lines.size())) lines.push_back(entry.text());
    }
    v1::AppendResult& result = *response.add_results();
    result.set_verdict(v1::REPORT_VERDICT_ACCEPTED);
    result.set_next_sequence(static_cast<int64_t>(lines.size()));
  }
  return response;
}

absl::StatusOr<v1::HeartbeatResponse> FakeServer::Heartbeat(const v1::HeartbeatRequest& request) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(Admit(request.worker_id()));
  beats_.push_back(request);
  v1::HeartbeatResponse response;
  SetMillis(60'000, *response.mutable_lease_ttl());
  SetMillis(kBeatMillis, *response.mutable_heartbeat_interval());
  return response;
}

absl::StatusOr<v1::AdoptAttemptsResponse> FakeServer::Adopt(
    const v1::AdoptAttemptsRequest& request) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(Admit(request.worker_id()));
  v1::AdoptAttemptsResponse response;
  for (const v1::Sighting& sighting : request.sightings()) {
    *response.add_adoptions() = on_sighting(sighting);
  }
  return response;
}

absl::StatusOr<v1::DrainWorkerResponse> FakeServer::Drain(const v1::DrainWorkerRequest& request) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(Admit(request.worker_id()));
  drained_ = true;
  // The parked poll is answered with nothing.
  commands_.emplace_back();
  changed_.NotifyAll();
  return v1::DrainWorkerResponse();
}

absl::StatusOr<v1::DeregisterWorkerResponse> FakeServer::Deregister(
    const v1::DeregisterWorkerRequest& request) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(Admit(request.worker_id()));
  deregistered_ = true;
  return v1::DeregisterWorkerResponse();
}

std::vector<std::string> FakeServer::Facts(const std::string& run_id) {
  MutexLock lock(mutex_);
  std::vector<std::string> facts;
  for (const v1::AttemptReport& report : reports_) {
    if (report.attempt().run_id() == run_id) facts.push_back(FactName(report));
  }
  return facts;
}

std::vector<v1::AttemptReport> FakeServer::Reports() {
  MutexLock lock(mutex_);
  return reports_;
}

std::vector<std::string> FakeServer::Lines(const std::string& run_id) {
  MutexLock lock(mutex_);
  return lines_[run_id];
}

void FakeServer::CutLines(const std::string& run_id, size_t count) {
  MutexLock lock(mutex_);
  lines_[run_id].resize(count);
}

std::vector<v1::RegisterWorkerRequest> FakeServer::Registrations() {
  MutexLock lock(mutex_);
  return registrations_;
}

std::vector<v1::PollRequest> FakeServer::Polls() {
  MutexLock lock(mutex_);
  return polls_;
}

std::vector<v1::HeartbeatRequest> FakeServer::Beats() {
  MutexLock lock(mutex_);
  return beats_;
}

bool FakeServer::drained() {
  MutexLock lock(mutex_);
  return drained_;
}

bool FakeServer::deregistered() {
  MutexLock lock(mutex_);
  return deregistered_;
}

int FakeServer::report_calls() {
  MutexLock lock(mutex_);
  return report_calls_;
}

}  // namespace forebay::worker
