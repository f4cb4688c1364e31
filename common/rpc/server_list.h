#pragma once

// The servers that a client may call: any of them serves any call. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace forebay {

inline constexpr size_t kMostServers = 16;

// "host:port" or "host1:port,host2:port,…", at most 16; doubles are dropped, order is kept.
// INVALID_ARGUMENT (INVALID_SERVER) naming the entry.
absl::StatusOr<std::vector<std::string>> ParseServerList(std::string_view text);

// Whether two such texts name a server in common: any server serves all, so they stand for the
// same.
bool ShareServer(std::string_view one, std::string_view other);

}  // namespace forebay
