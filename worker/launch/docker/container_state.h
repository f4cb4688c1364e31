#pragma once

// What the engine says of a container, as an observation. Pure.

#include <string>

#include "common/json/json.h"
#include "worker/launch/engine_words.h"
#include "worker/launch/launcher.h"

namespace forebay::worker {

// `container`: the engine's answer to an inspection.

// Whether its command ran and is over.
bool HasEnded(const Json& container);
// Whether its command has ever begun.
bool HasBegun(const Json& container);
// Stage, id and, when it has ended or could not begin, its end without usage. Of one that is
// created and has not begun: kWaiting.
Observation ObservationOf(const Json& container);

}  // namespace forebay::worker
