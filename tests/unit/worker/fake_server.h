#pragma once

// A server in memory that plays the worker protocol for one worker, with knobs for what goes wrong.

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/base/sync.h"
#include "worker/session/server_api.h"

namespace forebay::worker {

v1::Assignment MakeAssignment(int number, const std::string& job_variables = "{}");

// Calls `done` until it says true, at most 30 s; whether it did.
bool Eventually(const std::function<bool()>& done);

class FakeServer final : public ServerApi {
 public:
  FakeServer();

  // What the next polls bring.
  void Grant(const v1::Assignment& assignment);
  void Command(const v1::PollResponse& response);
  // All calls fail with this until it is OK again.
  void FailWith(const absl::Status& status);
  // The answer to the next poll with slots is lost on its way.
  void LoseNextPollAnswer();
  // The server forgets the worker: its id is unknown from now on.
  void ForgetWorker();
  // Answers of reports and adoptions; the default accepts everything, and adopts nothing.
  std::function<v1::ReportResult(const v1::AttemptReport&)> on_report;
  std::function<v1::Adoption(const v1::Sighting&)> on_sighting;

  // The kinds of facts about a run, in order: "launching", "gate", …
  std::vector<std::string> Facts(const std::string& run_id);
  std::vector<v1::AttemptReport> Reports();
  std::vector<std::string> Lines(const std::string& run_id);
  // As after a crash that lost the tail of the log.
  void CutLines(const std::string& run_id, size_t count);
  std::vector<v1::RegisterWorkerRequest> Registrations();
  std::vector<v1::PollRequest> Polls();
  std::vector<v1::HeartbeatRequest> Beats();
  bool drained();
  bool deregistered();
  int report_calls();

  absl::StatusOr<v1::RegisterWorkerResponse> Register(
      const v1::RegisterWorkerRequest& request) override;
  absl::StatusOr<v1::PollResponse> Poll(const v1::PollRequest& request,
                                        Cancellation& cancellation) override;
  absl::StatusOr<v1::ReportAttemptsResponse> Report(
      const v1::ReportAttemptsRequest& request) override;
  absl::StatusOr<v1::AppendAttemptLogsResponse> AppendLogs(
      const v1::AppendAttemptLogsRequest& request) override;
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request) override;
  absl::StatusOr<v1::AdoptAttemptsResponse> Adopt(const v1::AdoptAttemptsRequest& request) override;
  absl::StatusOr<v1::DrainWorkerResponse> Drain(const v1::DrainWorkerRequest& request) override;
  absl::StatusOr<v1::DeregisterWorkerResponse> Deregister(
      const v1::DeregisterWorkerRequest& request) override;

 private:
  absl::Status Admit(const std::string& worker_id) REQUIRES(mutex_);
  bool HasNews(const v1::PollRequest& request) REQUIRES(mutex_);

  Mutex mutex_;
  CondVar changed_;
  absl::Status failure_ GUARDED_BY(mutex_);
  int registrations_made_ GUARDED_BY(mutex_) = 0;
  std::string worker_id_ GUARDED_BY(mutex_);
  bool lose_poll_answer_ GUARDED_BY(mutex_) = false;
  bool drained_ GUARDED_BY(mutex_) = false;
  bool deregistered_ GUARDED_BY(mutex_) = false;
  int report_calls_ GUARDED_BY(mutex_) = 0;
  std::deque<v1::Assignment> waiting_ GUARDED_BY(mutex_);
  std::deque<v1::PollResponse> commands_ GUARDED_BY(mutex_);
  std::map<std::string, std::vector<v1::Assignment>> granted_ GUARDED_BY(mutex_);
  std::vector<v1::RegisterWorkerRequest> registrations_ GUARDED_BY(mutex_);
  std::vector<v1::PollRequest> polls_ GUARDED_BY(mutex_);
  std::vector<v1::HeartbeatRequest> beats_ GUARDED_BY(mutex_);
  std::vector<v1::AttemptReport> reports_ GUARDED_BY(mutex_);
  std::map<std::string, std::vector<std::string>> lines_ GUARDED_BY(mutex_);
};

}  // namespace forebay::worker
