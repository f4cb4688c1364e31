#pragma once

// What the worker tells a holder: the file `spec` of the run's directory.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::holder {

struct UserIds {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

struct Limits {
  // 0 = no limit.
  int64_t cpu_seconds = 0;
  int64_t memory_bytes = 0;
  int64_t open_files = 0;
};

struct HolderSpec {
  std::string name;
  std::vector<std::string> argv;
  // "NAME=value"; the whole environment.
  std::vector<std::string> environment;
  std::string working_directory;
  // Whom to become; nothing: nobody else.
  std::optional<UserIds> user;
  Limits limits;
  // Whether output is written down, or read and thrown away.
  bool keep_output = true;
  int64_t log_rate_bytes = 0;
  int64_t log_burst_bytes = 0;
  // Grace of a stop that names none: the holder itself was told to end.
  int64_t grace_millis = 0;
};

std::string Serialize(const HolderSpec& spec);
// Nothing when the text is not one of Serialize.
std::optional<HolderSpec> ParseHolderSpec(std::string_view text);

}  // namespace forebay::holder
