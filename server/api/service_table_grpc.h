#pragma once

// The gRPC half of service_table.h: included where handlers are registered, nowhere else.

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
  void Add(const std::string& path) {
    paths_.push_back(path);
    AddMethod(new grpc::internal::RpcServiceMethod(paths_.back().c_str(),
                                                   grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
  }
  void SetHandler(int index, grpc::internal::MethodHandler* handler) {
    MarkMethodCallback(index, handler);
  }

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

template <typename Request, typename Response>
void ServiceTable::Async(const std::string& method, AsyncHandler<Request, Response> handler) {
  Entry& entry = methods_["forebay.v1." + method];
  entry.method.request = &Request::default_instance();
  entry.method.response = &Response::default_instance();
  entry.method.handle = [handler = std::move(handler)](const Caller& caller,
                                                       const std::shared_ptr<CallState>& call,
                                                       const google::protobuf::Message& request,
                                                       google::protobuf::Message& response) {
    handler(caller, static_cast<const Request&>(request),
            Responder<Response>(call, static_cast<Response*>(&response)));
  };
  entry.install = [this, &entry](DynamicService& service, int index) {
    auto serve = [this, &entry](grpc::CallbackServerContext* context, const Request* request,
                                Response* response) -> grpc::ServerUnaryReactor* {
      auto* reactor = new UnaryCall;
      std::shared_ptr<CallState> call = reactor->state();
      const auto& metadata = context->client_metadata();
      const auto header = metadata.find("authorization");
      const std::string authorization =
          header == metadata.end() ? "" : std::string(header->second.data(), header->second.size());
      Admit(authorization, entry.method, call,
            [&entry, call, request, response](const Caller& caller) {
              entry.method.handle(caller, call, *request, *response);
            });
      return reactor;
    };
    service.SetHandler(
        index, new grpc::internal::CallbackUnaryHandler<Request, Response>(std::move(serve)));
  };
}

}  // namespace forebay::server
