#pragma once

#include <string>

#include "common/base/random.h"

namespace forebay::server {

// Two words for people to recognise a run by, e.g. "brisk-heron". Not unique.
std::string MakeDisplayName(Random& random);

}  // namespace forebay::server
