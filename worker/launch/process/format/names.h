#pragma once

// Names that the worker and the holder agree on.

#include <string_view>

namespace forebay::holder {

// Files in the run's directory.
inline constexpr char kSpecFile[] = "spec";
inline constexpr char kStatusFile[] = "status";
inline constexpr char kOutputFile[] = "output";
inline constexpr char kLockFile[] = "lock";
inline constexpr char kControlSocket[] = "control";
inline constexpr char kWorkDirectory[] = "work";
inline constexpr char kLabelsFile[] = "labels.json";

// The variable in a run's environment by which its processes are known when nothing watches over
// them any more.
inline constexpr std::string_view kInfrastructureVariable = "FOREBAY_INFRASTRUCTURE";

}  // namespace forebay::holder
