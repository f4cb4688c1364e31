#pragma once

// One unary call on a completion queue. The queue's thread runs `done` and then deletes the call.

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/support/async_unary_call.h>

#include <chrono>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"

namespace forebay::bench {

class Tag {
 public:
  virtual ~Tag() = default;
  virtual void Done() = 0;
};

// A connection of its own, without what the generator has no use for: it shall cost little itself.
inline std::shared_ptr<grpc::Channel> OwnConnection(const std::string& server) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_CHANNELZ, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  return grpc::CreateCustomChannel(server, grpc::InsecureChannelCredentials(), arguments);
}

template <typename Response>
class AsyncCall final : public Tag {
 public:
  using Reader = std::unique_ptr<grpc::ClientAsyncResponseReader<Response>>;
  using DoneFn = absl::AnyInvocable<void(const grpc::Status&, Response&)>;

  // `prepare(context)` makes the reader, e.g. by stub.PrepareAsyncPoll. Deletes itself after
  // `done`.
  template <typename Prepare>
  static void Start(const std::string& token, std::chrono::seconds deadline, Prepare prepare,
                    DoneFn done) {
    auto* call = new AsyncCall(std::move(done));
    call->context_.AddMetadata("authorization", "Bearer " + token);
    call->context_.set_deadline(std::chrono::system_clock::now() + deadline);
    call->reader_ = prepare(&call->context_);
    call->reader_->StartCall();
    call->reader_->Finish(&call->response_, &call->status_, call);
  }

  void Done() override {
    done_(status_, response_);
    delete this;
  }

 private:
  explicit AsyncCall(DoneFn done) : done_(std::move(done)) {}

  grpc::ClientContext context_;
  Response response_;
  grpc::Status status_;
  Reader reader_;
  DoneFn done_;
};

}  // namespace forebay::bench
