#pragma once

// What our containers carry, so that they are found again and people see whose they are.

#include <map>
#include <string>

#include "common/json/json.h"

namespace forebay::worker {

// Beside the attribution that every launcher is given (LaunchSpec::labels).
// `name` of the job, for people.
inline constexpr char kNameLabel[] = "forebay.io/name";
inline constexpr char kPoolIdLabel[] = "forebay.io/pool-id";
// Lines that the worker wrote to the run's log before the container's own.
inline constexpr char kPreparationLinesLabel[] = "forebay.io/preparation-lines";
// "true": it stays after its end (auto_remove=false).
inline constexpr char kKeepLabel[] = "forebay.io/keep";
// "false": its output is not read (stream_output).
inline constexpr char kStreamOutputLabel[] = "forebay.io/stream-output";

// `labels` of a container as the engine tells them; empty when there is none of that name.
std::string LabelOf(const Json& labels, const std::string& name);

}  // namespace forebay::worker
