#pragma once

// Every RPC of the server, by name: the one place where a call is authenticated, authorised and
// answered.
//
// Services are built from the proto descriptors, not from generated stubs: a method is served only
// if its proto names an access level and a handler is registered, and Build fails otherwise, so a
// new RPC can neither be forgotten nor be reached by default. The handlers take and give messages
// and know nothing of gRPC.
//
// Register everything, then Build once, at start. Afterwards thread-safe.

#include <google/protobuf/descriptor.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/api/call.h"
#include "server/auth/authenticator.h"
#include "server/db/executor.h"

namespace grpc {
class Service;
}

namespace forebay::server {

template <typename Request, typename Response>
using AsyncHandler = std::function<void(const Caller&, const Request&, Responder<Response>)>;
template <typename Request, typename Response>
using BlockingHandler =
    std::function<absl::StatusOr<Response>(Session&, const Caller&, const Request&)>;

class ServiceTable {
 public:
  ServiceTable(Authenticator& authenticator, Executor& executor);
  ~ServiceTable();

  // A handler that answers by itself; it runs on an RPC thread and must not block.
  template <typename Request, typename Response>
  void Async(const std::string& method, AsyncHandler<Request, Response> handler);
  // A handler that may use the database; it runs on an executor thread.
  template <typename Request, typename Response>
  void Blocking(const std::string& method, BlockingHandler<Request, Response> handler) {
    Async<Request, Response>(
        method, [this, handler = std::move(handler)](const Caller& caller, const Request& request,
                                                     Responder<Response> respond) {
          const absl::Status queued =
              executor_.Submit([handler, caller, &request, respond](Session& session) {
                respond(handler(session, caller, request));
              });
          if (!queued.ok()) respond(queued);
        });
  }

  // The services to hand to the gRPC server, those of the handlers; they live as long as the table.
  // INTERNAL when a method of one of them has no access option or no handler.
  absl::StatusOr<std::vector<grpc::Service*>> Build();

 private:
  class DynamicService;
  // Makes the transport's handler of one method and installs it.
  using Install = std::function<void(DynamicService&, int index, v1::Access access)>;

  void Admit(const std::string& authorization, v1::Access access,
             const std::shared_ptr<CallState>& call, std::function<void(const Caller&)> go);

  Authenticator& authenticator_;
  Executor& executor_;
  // By full name: "forebay.v1.FlowRunService.GetFlowRun".
  std::map<std::string, Install> methods_;
  std::vector<std::unique_ptr<DynamicService>> services_;
};

}  // namespace forebay::server
