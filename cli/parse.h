#pragma once

// The words of the user -> one command and its arguments. Wraps CLI11. Pure.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/command.h"

namespace forebay::cli {

struct Invocation {
  // Null when there is only text to print (help, version).
  const Command* command = nullptr;
  Arguments arguments;
  std::string text;
};

// Options that every command takes.
const std::vector<Option>& GlobalOptions();

// `words` without argv[0]; what follows `--` is the command's own. INVALID_ARGUMENT (USAGE) names
// the word and the nearest known one.
absl::StatusOr<Invocation> ParseWords(const std::vector<Command>& commands,
                                      const std::vector<std::string>& words);

// "--queue" of "-q,--queue"; the first of several.
std::string LongName(const Option& option);

}  // namespace forebay::cli
