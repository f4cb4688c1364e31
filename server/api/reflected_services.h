#pragma once

// gRPC's reflection, with the services that the generic service serves: by itself it lists only
// those that gRPC knows a method of. Used once, by app.cc, instead of gRPC's own plugin.

#include <grpcpp/impl/server_builder_option.h>

#include <memory>
#include <set>
#include <string>

namespace forebay::server {

std::unique_ptr<grpc::ServerBuilderOption> ReflectServices(std::set<std::string> names);

}  // namespace forebay::server
