#pragma once

// Processes of a run whose holder is gone. Thread-safe.

#include <string>

namespace forebay::worker {

// Kills every process that carries the run's name in its environment, in whatever session it hides.
// Returns when none is left, or after a second of finding new ones.
void KillLeftovers(const std::string& name);

}  // namespace forebay::worker
