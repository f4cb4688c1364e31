#pragma once

// Names of time zones for the sake of "did you mean": which names are good is what the host's zone
// data say.

#include <span>
#include <string>

namespace forebay::server {

// The zones of IANA's zone.tab and a few old names that people still type.
std::span<const std::string> ZoneNames();

}  // namespace forebay::server
