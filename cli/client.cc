#include "cli/client.h"

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <future>
#include <mutex>
#include <set>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "cli/exit_code.h"
#include "common/base/status.h"
#include "common/base/sync.h"
#include "common/rpc/channel.h"
#include "common/rpc/status_wire.h"

namespace forebay::cli {
namespace {

using google::protobuf::Message;
using Stub = grpc::TemplatedGenericStub<Message, Message>;

// "/forebay.v1.WorkPoolService/GetWorkPool".
std::string MethodOf(const google::protobuf::Descriptor& request) {
  const auto& file = *request.file();
  for (int s = 0; s < file.service_count(); ++s) {
    const auto& service = *file.service(s);
    for (int m = 0; m < service.method_count(); ++m) {
      if (service.method(m)->input_type() != &request) continue;
      return fmt::format("/{}/{}", service.full_name(), service.method(m)->name());
    }
  }
  return {};
}

absl::Status Unreachable(const std::string& server, std::string_view why) {
  return Error(absl::StatusCode::kUnavailable, kServerUnreachable)
      .Field("server", server)
      .Next("forebay dev")
      .Says("cannot reach the server at {}: {}", server, why);
}

// What the server itself said carries a reason; the transport's own failures do not.
absl::Status Explain(const grpc::Status& answer, const std::string& server) {
  absl::Status status = FromGrpc(answer);
  if (status.ok() || DetailOf(status).has_value()) return status;
  if (status.code() == absl::StatusCode::kUnavailable)
    return Unreachable(server, MessageOf(status));
  if (status.code() == absl::StatusCode::kDeadlineExceeded)
    return Unreachable(server, "no answer in time");
  if (status.code() == absl::StatusCode::kUnimplemented) {
    return Error(absl::StatusCode::kUnimplemented, "METHOD_UNKNOWN")
        .Field("server", server)
        .Next("forebay version")
        .Says("the server at {} does not know this method; it may be older than this command line",
              server);
  }
  return status;
}

}  // namespace

struct Client::Connection {
  std::once_flag once;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<Stub> stub;
  Mutex mutex;
  std::set<grpc::ClientContext*> live GUARDED_BY(mutex);
  bool cancelled GUARDED_BY(mutex) = false;

  // False when no call may begin any more.
  bool Enter(grpc::ClientContext& context) {
    MutexLock lock(mutex);
    if (!cancelled) live.insert(&context);
    return !cancelled;
  }
  void Leave(grpc::ClientContext& context) {
    MutexLock lock(mutex);
    live.erase(&context);
  }
};

Client::Client(Options options)
    : options_(std::move(options)), connection_(std::make_unique<Connection>()) {}

Client::~Client() = default;

void Client::CancelCalls() {
  MutexLock lock(connection_->mutex);
  connection_->cancelled = true;
  for (grpc::ClientContext* context : connection_->live) context->TryCancel();
}

absl::Status Client::CallUntyped(const Message& request, Message& response,
                                 absl::Duration deadline) {
  std::call_once(connection_->once, [this] {
    connection_->channel = OpenChannel({options_.server, options_.tls_ca_pem});
    connection_->stub = std::make_unique<Stub>(connection_->channel);
  });
  grpc::ClientContext context;
  if (!options_.credential.empty()) Authorize(context, options_.credential);
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(deadline));
  if (!connection_->Enter(context)) return absl::CancelledError("the command is ending");
  const absl::Cleanup leave = [&] { connection_->Leave(context); };
  std::promise<grpc::Status> answer;
  connection_->stub->UnaryCall(
      &context, MethodOf(*request.GetDescriptor()), grpc::StubOptions(), &request, &response,
      [&answer](grpc::Status status) { answer.set_value(std::move(status)); });
  return Explain(answer.get_future().get(), options_.server);
}

}  // namespace forebay::cli
