#pragma once

// The gRPC half of service_table.h: included where frequent methods are registered, and by the
// generic service.

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/codegen/rpc_service_method.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/codegen/service_type.h>
#include <grpcpp/support/server_callback.h>

#include <list>
#include <string>

#include "common/rpc/status_wire.h"
#include "server/api/service_table.h"

namespace forebay::server {

// grpc::Service is what generated code derives from; this one is filled at run time.
class ServiceTable::DynamicService : public grpc::Service {
 public:
  void Add(const std::string& path, grpc::internal::MethodHandler* handler) {
    paths_.push_back(path);
    AddMethod(new grpc::internal::RpcServiceMethod(paths_.back().c_str(),
                                                   grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
    MarkMethodCallback(static_cast<int>(paths_.size()) - 1, handler);
  }
  bool empty() const { return paths_.empty(); }

 private:
  // gRPC keeps pointers to the texts.
  std::list<std::string> paths_;
};

// gRPC deletes nothing of ours: the reactor keeps its state alive until OnDone.
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  class State final : public CallState {
   public:
    explicit State(UnaryCall& reactor) : reactor_(reactor) {}

   private:
    void Finish(const absl::Status& status) override { reactor_.Finish(ToGrpc(status)); }
    UnaryCall& reactor_;
  };

  UnaryCall() : state_(std::make_shared<State>(*this)) {}
  const std::shared_ptr<State>& state() const { return state_; }

 private:
  // Only a parked call's hook answers early: a handler at work still reads the request, which goes
  // with the call.
  void OnCancel() override { state_->Cancelled(); }
  void OnDone() override { delete this; }

  std::shared_ptr<State> state_;
};

inline std::string AuthorizationOf(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto header = metadata.find("authorization");
  return header == metadata.end() ? "" : std::string(header->second.data(), header->second.size());
}

template <typename Request, typename Response>
void ServiceTable::Frequent(const std::string& method) {
  Entry& entry = methods_["forebay.v1." + method];
  entry.install = [this, &entry](DynamicService& service, const std::string& path) {
    auto serve = [this, &entry](grpc::CallbackServerContext* context, const Request* request,
                                Response* response) -> grpc::ServerUnaryReactor* {
      auto* reactor = new UnaryCall;
      std::shared_ptr<CallState> call = reactor->state();
      Admit(AuthorizationOf(*context), entry.method, call,
            [&entry, call, request, response](const Caller& caller) {
              entry.method.handle(caller, call, *request, *response);
            });
      return reactor;
    };
    service.Add(path,
                new grpc::internal::CallbackUnaryHandler<Request, Response>(std::move(serve)));
  };
}

}  // namespace forebay::server
