#pragma once

// How a Pod is let go, and told what a later worker has to know. Pure.

#include <cstdint>

#include "common/json/json.h"
#include "worker/launch/kubernetes/digest.h"

namespace forebay::worker {

// For PatchPod: takes our scheduling gate, which it must have, from exactly this Pod, and no other
// of its name. It works once.
Json GoPatch(const PodDigest& pod);
// Notes the number of lines that stand before the Pod's own.
Json PreparationPatch(const PodDigest& pod, int64_t lines);

}  // namespace forebay::worker
