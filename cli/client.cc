#include "cli/client.h"

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <algorithm>
#include <array>
#include <future>
#include <set>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "cli/exit_code.h"
#include "common/base/status.h"
#include "common/base/sync.h"
#include "common/rpc/endpoints.h"
#include "common/rpc/server_list.h"
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

// How long one of several servers may take to be reached before the next is tried.
constexpr absl::Duration kConnect = absl::Seconds(2);

// Names of methods that only read.
constexpr std::array kReads = {"Get", "List", "Watch", "Render", "Check"};

// Whether the server may be asked again although it may have carried the call out.
bool HarmlessTwice(const Message& request) {
  const std::string name = request.GetDescriptor()->name();
  for (const char* read : kReads) {
    if (name.rfind(read, 0) == 0) return true;
  }
  for (const char* key : {"idempotency_key", "request_id"}) {
    const auto* field = request.GetDescriptor()->FindFieldByName(key);
    if (field != nullptr && !request.GetReflection()->GetString(request, field).empty())
      return true;
  }
  return false;
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
  // Set once, by the first call.
  std::unique_ptr<Endpoints> endpoints;
  Mutex mutex;
  std::set<grpc::ClientContext*> live GUARDED_BY(mutex);
  bool cancelled GUARDED_BY(mutex) = false;

  absl::Status Open(const Options& options);
  Endpoint Reachable(absl::Duration deadline);
  grpc::Status CallAt(const Endpoint& endpoint, const std::string& credential,
                      const Message& request, Message& response, absl::Duration deadline);

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

absl::Status Client::Connection::Open(const Options& options) {
  MutexLock lock(mutex);
  if (endpoints != nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(auto servers, ParseServerList(options.server));
  endpoints = std::make_unique<Endpoints>(std::move(servers), options.tls_ca_pem, 0);
  return absl::OkStatus();
}

// Moves on past servers that cannot be reached; the last one tried stays when none can.
Endpoint Client::Connection::Reachable(absl::Duration deadline) {
  for (size_t tries = 1; tries < endpoints->size(); ++tries) {
    const Endpoint endpoint = endpoints->Current();
    const auto patience = absl::ToChronoMilliseconds(std::min(deadline, kConnect));
    if (endpoint.channel->WaitForConnected(std::chrono::system_clock::now() + patience))
      return endpoint;
    endpoints->Failed(endpoint.index);
  }
  return endpoints->Current();
}

grpc::Status Client::Connection::CallAt(const Endpoint& endpoint, const std::string& credential,
                                        const Message& request, Message& response,
                                        absl::Duration deadline) {
  grpc::ClientContext context;
  if (!credential.empty()) Authorize(context, credential);
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(deadline));
  if (!Enter(context)) return {grpc::StatusCode::CANCELLED, "the command is ending"};
  const absl::Cleanup leave = [&] { Leave(context); };
  Stub stub(endpoint.channel);
  std::promise<grpc::Status> answer;
  stub.UnaryCall(&context, MethodOf(*request.GetDescriptor()), grpc::StubOptions(), &request,
                 &response,
                 [&answer](grpc::Status status) { answer.set_value(std::move(status)); });
  return answer.get_future().get();
}

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
  RETURN_IF_ERROR(connection_->Open(options_));
  const size_t servers = connection_->endpoints->size();
  grpc::Status answer;
  for (size_t tries = 0; tries < servers; ++tries) {
    const Endpoint endpoint = connection_->Reachable(deadline);
    answer = connection_->CallAt(endpoint, options_.credential, request, response, deadline);
    if (answer.error_code() != grpc::StatusCode::UNAVAILABLE) break;
    connection_->endpoints->Failed(endpoint.index);
    if (!HarmlessTwice(request)) break;
  }
  return Explain(answer, options_.server);
}

}  // namespace forebay::cli
