#pragma once

// Errors that launchers of every kind have.

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace forebay::worker {

// Of Launch: whatever keeps a worker from its infrastructure is not the run's fault. UNAVAILABLE
// (INFRASTRUCTURE_UNAVAILABLE) in the words of `ready`, unless that is OK.
absl::Status NotReadyNow(const absl::Status& ready);
// NOT_FOUND (INFRASTRUCTURE_NOT_FOUND); `kind`: "container".
absl::Status NoSuch(std::string_view kind, const std::string& name);

}  // namespace forebay::worker
