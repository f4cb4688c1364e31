#pragma once

// What a worker and a holder say to each other: one packet each over the socket `control` of the
// run's directory (SOCK_SEQPACKET). Any number of workers may be connected; a closed connection
// means: look at the files.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace forebay::holder {

struct Command {
  enum class Kind { kGo, kStop };
  Kind kind = Kind::kGo;
  // kStop: milliseconds from the gentle request to force.
  int64_t grace_millis = 0;
};

// Sent at connection and on changes. The files are written before it is sent.
struct Notice {
  bool started = false;
  int64_t log_lines = 0;
};

std::string Serialize(const Command& command);
std::optional<Command> ParseCommand(std::string_view packet);
std::string Serialize(const Notice& notice);
std::optional<Notice> ParseNotice(std::string_view packet);

inline constexpr size_t kMostPacket = 64;

}  // namespace forebay::holder
