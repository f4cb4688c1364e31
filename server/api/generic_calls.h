#pragma once

// Serves by their bytes the methods that gRPC has no handler of its own for (service_table.h). What
// the table does not have is answered UNIMPLEMENTED. Made by app.cc once the table is built;
// outlives the gRPC server; thread-safe.

#include <grpcpp/generic/async_generic_service.h>

#include "server/api/service_table.h"

namespace forebay::server {

class GenericCalls final : public grpc::CallbackGenericService {
 public:
  explicit GenericCalls(ServiceTable& table) : table_(table) {}

 private:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;

  ServiceTable& table_;
};

}  // namespace forebay::server
