#pragma once

// Shell completion from the descriptions of the commands, with live names from the server.

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/session.h"

namespace forebay::cli {

// A candidate that stands for "names of files".
inline constexpr char kFilesCandidate[] = "__files__";

// What may stand for the last of `words`, which may be empty. Asks the server only for names, and
// for one second at most; without an answer there are none.
std::vector<std::string> Candidates(Session& session, const std::vector<Command>& commands,
                                    const std::vector<std::string>& words);

}  // namespace forebay::cli
