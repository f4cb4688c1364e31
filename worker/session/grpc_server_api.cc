#include "worker/session/grpc_server_api.h"

#include <chrono>
#include <utility>

#include "common/rpc/status_wire.h"
#include "forebay/v1/worker_protocol.grpc.pb.h"

namespace forebay::worker {
namespace {

using std::chrono::seconds;

constexpr seconds kQuick{5};
constexpr seconds kBatch{20};
// Above the longest time that a server parks a poll.
constexpr seconds kLongPoll{75};

using Stub = v1::WorkerService::Stub;

class GrpcServerApi final : public ServerApi {
 public:
  GrpcServerApi(Endpoints& endpoints, std::string key)
      : endpoints_(endpoints), key_(std::move(key)) {}

  absl::StatusOr<v1::RegisterWorkerResponse> Register(
      const v1::RegisterWorkerRequest& request) override {
    return Call(&Stub::RegisterWorker, request, kQuick);
  }
  absl::StatusOr<v1::PollResponse> Poll(const v1::PollRequest& request,
                                        Cancellation& cancellation) override {
    grpc::ClientContext context;
    cancellation.Arm([&context] { context.TryCancel(); });
    auto response = Call(&Stub::Poll, request, kLongPoll, context);
    cancellation.Disarm();
    return response;
  }
  absl::StatusOr<v1::ReportAttemptsResponse> Report(
      const v1::ReportAttemptsRequest& request) override {
    return Call(&Stub::ReportAttempts, request, kBatch);
  }
  absl::StatusOr<v1::AppendAttemptLogsResponse> AppendLogs(
      const v1::AppendAttemptLogsRequest& request) override {
    return Call(&Stub::AppendAttemptLogs, request, kBatch);
  }
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request) override {
    return Call(&Stub::Heartbeat, request, kQuick);
  }
  absl::StatusOr<v1::AdoptAttemptsResponse> Adopt(
      const v1::AdoptAttemptsRequest& request) override {
    return Call(&Stub::AdoptAttempts, request, kBatch);
  }
  absl::StatusOr<v1::DrainWorkerResponse> Drain(const v1::DrainWorkerRequest& request) override {
    return Call(&Stub::DrainWorker, request, kQuick);
  }
  absl::StatusOr<v1::DeregisterWorkerResponse> Deregister(
      const v1::DeregisterWorkerRequest& request) override {
    return Call(&Stub::DeregisterWorker, request, kQuick);
  }

 private:
  template <typename Request, typename Response>
  using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(Method<Request, Response> method, const Request& request,
                                seconds most) {
    grpc::ClientContext context;
    return Call(method, request, most, context);
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(Method<Request, Response> method, const Request& request,
                                seconds most, grpc::ClientContext& context) {
    Authorize(context, key_);
    context.set_deadline(std::chrono::system_clock::now() + most);
    Response response;
    const Endpoint endpoint = endpoints_.Current();
    const auto stub = v1::WorkerService::NewStub(endpoint.channel);
    const grpc::Status status = (stub.get()->*method)(&context, request, &response);
    if (status.ok()) return response;
    // Gone, shutting down, or without its database: the callers try again, at the next one.
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE) endpoints_.Failed(endpoint.index);
    return FromGrpc(status);
  }

  Endpoints& endpoints_;
  const std::string key_;
};

}  // namespace

std::unique_ptr<ServerApi> MakeGrpcServerApi(Endpoints& endpoints, std::string key) {
  return std::make_unique<GrpcServerApi>(endpoints, std::move(key));
}

}  // namespace forebay::worker
