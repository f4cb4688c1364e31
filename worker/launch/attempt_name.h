#pragma once

#include <string>

#include "forebay/v1/worker_protocol.pb.h"
#include "worker/launch/launcher.h"

namespace forebay::worker {

// Of the infrastructure of an attempt, whatever its epoch.
inline std::string NameOf(const v1::AttemptRef& ref) {
  return InfrastructureName(ref.run_id(), ref.attempt());
}

}  // namespace forebay::worker
