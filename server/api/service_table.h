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
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/api/call.h"
#include "server/api/storable_text.h"
#include "server/auth/authenticator.h"
#include "server/db/executor.h"
#include "server/metrics/call_meter.h"

namespace grpc {
class Service;
}

namespace google::protobuf {
class Message;
}

namespace forebay::server {

template <typename Request, typename Response>
using AsyncHandler = std::function<void(const Caller&, const Request&, Responder<Response>)>;
template <typename Request, typename Response>
using BlockingHandler =
    std::function<absl::StatusOr<Response>(Session&, const Caller&, const Request&)>;

class ServiceTable {
 public:
  ServiceTable(Authenticator& authenticator, Executor& executor, const Clock& clock,
               CallMeters& meters);
  ~ServiceTable();

  // A handler that answers by itself; it runs on an RPC thread and must not block.
  template <typename Request, typename Response>
  void Async(const std::string& method, AsyncHandler<Request, Response> handler) {
    Method& made = methods_["forebay.v1." + method].method;
    made.request = &Request::default_instance();
    made.response = &Response::default_instance();
    made.handle = [handler = std::move(handler)](const Caller& caller,
                                                 const std::shared_ptr<CallState>& call,
                                                 const google::protobuf::Message& request,
                                                 google::protobuf::Message& response) {
      handler(caller, static_cast<const Request&>(request),
              Responder<Response>(call, static_cast<Response*>(&response)));
    };
  }
  // A handler that may use the database; it runs on an executor thread. What the database cannot
  // keep of a request is refused before it (CheckStorable), unless it is a program's: that has to
  // be taken as it comes.
  template <typename Request, typename Response>
  void Blocking(const std::string& method, BlockingHandler<Request, Response> handler) {
    Async<Request, Response>(
        method, [this, &entry = methods_["forebay.v1." + method], handler = std::move(handler)](
                    const Caller& caller, const Request& request, Responder<Response> respond) {
          if (entry.method.access != v1::ACCESS_RUN) {
            if (absl::Status kept = CheckStorable(request); !kept.ok()) return respond(kept);
          }
          const absl::Status queued =
              executor_.Submit([handler, caller, &request, respond](Session& session) {
                respond(handler(session, caller, request));
              });
          if (!queued.ok()) respond(queued);
        });
  }

  // Of a registered method that is called for every run or by every waiting worker: gRPC gets a
  // handler of its own for it. A call costs less than by way of the generic service, which serves
  // all others, and takes 3 kB less while it is parked; but each connection keeps 160 bytes for
  // each such method.
  template <typename Request, typename Response>
  void Frequent(const std::string& method);

  // One RPC without a transport.
  struct Method {
    v1::Access access = v1::ACCESS_UNSPECIFIED;
    CallMeter* meter = nullptr;
    // Prototypes.
    const google::protobuf::Message* request = nullptr;
    const google::protobuf::Message* response = nullptr;
    // Answers by way of `call`, once `response` is filled if it is OK. Both messages have to live
    // as long as the call.
    std::function<void(const Caller&, const std::shared_ptr<CallState>& call,
                       const google::protobuf::Message& request,
                       google::protobuf::Message& response)>
        handle;
  };
  // By "/forebay.v1.FlowRunService/GetFlowRun", once the table is built; null if there is none.
  const Method* Find(const std::string& path) const;
  // Calls `go` with the caller if the credential reaches the method, and finishes the call else.
  void Admit(const std::string& authorization, const Method& method,
             const std::shared_ptr<CallState>& call, std::function<void(const Caller&)> go);

  // The services to hand to the gRPC server, those with frequent methods; they live as long as the
  // table. INTERNAL when a method of a service with handlers has no access option or no handler.
  absl::StatusOr<std::vector<grpc::Service*>> Build();
  // The full names of all services.
  std::set<std::string> service_names() const;

 private:
  class DynamicService;
  struct Entry {
    Method method;
    // Makes gRPC's handler of the method and installs it; null without one.
    std::function<void(DynamicService&, const std::string& path)> install;
  };

  absl::Status BuildMethod(const google::protobuf::MethodDescriptor& method,
                           DynamicService& service);

  Authenticator& authenticator_;
  Executor& executor_;
  const Clock& clock_;
  CallMeters& meters_;
  // By full name: "forebay.v1.FlowRunService.GetFlowRun".
  std::map<std::string, Entry> methods_;
  std::vector<std::unique_ptr<DynamicService>> services_;
};

}  // namespace forebay::server
