#pragma once

// The server as a worker sees it: the calls of forebay.v1.WorkerService, each blocking until the
// answer or its deadline.
//
// Called by every part that talks to the server; the one place behind it that knows gRPC is
// grpc_server_api. Thread-safe. Errors carry the server's reason and metadata; every call may be
// repeated (worker_protocol.proto says why).

#include "absl/status/statusor.h"
#include "common/base/backoff.h"
#include "forebay/v1/worker_protocol.pb.h"
#include "worker/session/cancellation.h"

namespace forebay::worker {

class ServerApi {
 public:
  virtual ~ServerApi() = default;

  virtual absl::StatusOr<v1::RegisterWorkerResponse> Register(
      const v1::RegisterWorkerRequest& request) = 0;
  // CANCELLED when `cancellation` is raised: whether the server acted is then not known.
  virtual absl::StatusOr<v1::PollResponse> Poll(const v1::PollRequest& request,
                                                Cancellation& cancellation) = 0;
  virtual absl::StatusOr<v1::ReportAttemptsResponse> Report(
      const v1::ReportAttemptsRequest& request) = 0;
  virtual absl::StatusOr<v1::AppendAttemptLogsResponse> AppendLogs(
      const v1::AppendAttemptLogsRequest& request) = 0;
  virtual absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request) = 0;
  virtual absl::StatusOr<v1::AdoptAttemptsResponse> Adopt(
      const v1::AdoptAttemptsRequest& request) = 0;
  virtual absl::StatusOr<v1::DrainWorkerResponse> Drain(const v1::DrainWorkerRequest& request) = 0;
  virtual absl::StatusOr<v1::DeregisterWorkerResponse> Deregister(
      const v1::DeregisterWorkerRequest& request) = 0;
};

// What an error of a call means for the worker.
enum class Verdict {
  // The way to the server or the server itself: the same call again after a pause.
  kRetry,
  // The registration is over: register anew, then adopt.
  kUnknownWorker,
  // A person has to do something: the worker ends.
  kFatal,
};
Verdict VerdictOn(const absl::Status& error);

// The pauses between tries of one call on kRetry.
Backoff RetryPauses(Random& random);

}  // namespace forebay::worker
