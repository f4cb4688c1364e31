#pragma once

// Time as the kernel counts it.

#include <cstdint>

namespace forebay::holder {

// Since the epoch.
int64_t WallMicros();
// Since some fixed point; counts suspended time, never goes back.
int64_t SteadyMillis();

}  // namespace forebay::holder
