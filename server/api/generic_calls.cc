#include "server/api/generic_calls.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include "common/base/status.h"
#include "common/rpc/status_wire.h"
#include "server/api/messages.h"
#include "server/api/service_table_grpc.h"

namespace forebay::server {
namespace {

using google::protobuf::Message;
using Bytes = grpc::SerializationTraits<Message>;

// To gRPC a stream each way; here one message comes and one goes. Goes by itself, as UnaryCall.
class GenericCall final : public grpc::ServerGenericBidiReactor {
 public:
  GenericCall(ServiceTable& table, const ServiceTable::Method& method, std::string authorization)
      : table_(table),
        method_(method),
        authorization_(std::move(authorization)),
        state_(std::make_shared<State>(*this, method)) {
    StartRead(&state_->bytes);
  }

 private:
  // The messages live as long as whoever may still answer, which may be longer than the reactor.
  class State final : public CallState {
   public:
    State(GenericCall& reactor, const ServiceTable::Method& method)
        : request(method.request->New()), response(method.response->New()), reactor_(reactor) {}

    // What came, then what goes.
    grpc::ByteBuffer bytes;
    const std::unique_ptr<Message> request;
    const std::unique_ptr<Message> response;

   private:
    void Finish(const absl::Status& status) override {
      if (!status.ok()) return reactor_.Finish(ToGrpc(status));
      bool own_buffer = false;
      const grpc::Status written = Bytes::Serialize(*response, &bytes, &own_buffer);
      if (!written.ok()) return reactor_.Finish(written);
      reactor_.StartWriteAndFinish(&bytes, grpc::WriteOptions(), grpc::Status::OK);
    }
    GenericCall& reactor_;
  };

  void OnReadDone(bool ok) override {
    if (!ok) return state_->FinishOnce(NotThatMessage(*state_->request, "none came"));
    // Only who may call has a body looked into.
    table_.Admit(
        authorization_, method_, state_, [call = state_, &method = method_](const Caller& caller) {
          if (!Bytes::Deserialize(&call->bytes, call->request.get()).ok())
            return call->FinishOnce(NotThatMessage(*call->request, "malformed binary message"));
          method.handle(caller, call, *call->request, *call->response);
        });
  }
  void OnCancel() override { state_->Cancelled(); }
  void OnDone() override { delete this; }

  ServiceTable& table_;
  const ServiceTable::Method& method_;
  const std::string authorization_;
  const std::shared_ptr<State> state_;
};

}  // namespace

grpc::ServerGenericBidiReactor* GenericCalls::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  const ServiceTable::Method* method = table_.Find(context->method());
  if (method == nullptr) return CallbackGenericService::CreateReactor(context);
  return new GenericCall(table_, *method, AuthorizationOf(*context));
}

}  // namespace forebay::server
