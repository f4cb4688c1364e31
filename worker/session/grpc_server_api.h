#pragma once

// The server over gRPC. The only file but credential.cc that knows the stubs.

#include <memory>
#include <string>

#include "common/rpc/endpoints.h"
#include "worker/session/server_api.h"

namespace forebay::worker {

// `key`: the worker key that every call carries.
std::unique_ptr<ServerApi> MakeGrpcServerApi(Endpoints& endpoints, std::string key);

}  // namespace forebay::worker
