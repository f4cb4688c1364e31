#pragma once

// Ctrl-C while something is followed: the process ends with 130, what is followed goes on.

#include <string>

namespace forebay::cli {

// From now on SIGINT writes `farewell` to standard error and ends the process with 130. Call once,
// before threads.
void DetachOnInterrupt(std::string farewell);

}  // namespace forebay::cli
