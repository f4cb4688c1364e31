#pragma once

// The server over gRPC. The only file but credential.cc that knows the stubs.

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "worker/session/server_api.h"

namespace forebay::worker {

// `key`: the worker key that every call carries.
std::unique_ptr<ServerApi> MakeGrpcServerApi(std::shared_ptr<grpc::Channel> channel,
                                             std::string key);

}  // namespace forebay::worker
