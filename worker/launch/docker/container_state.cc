#include "worker/launch/docker/container_state.h"

#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "worker/launch/docker/log_frames.h"

namespace forebay::worker {
namespace {

// A shell, and the engine, tell a signal so.
constexpr int kSignalBase = 128;
constexpr int kMostSignals = 64;
constexpr int kKill = 9;

const Json& StateOf(const Json& container) {
  static const Json none = Json::object();
  const auto found = container.find("State");
  return found != container.end() && found->is_object() ? *found : none;
}

std::string TextOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool BoolOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

int ExitCodeOf(const Json& state) {
  const auto found = state.find("ExitCode");
  return found != state.end() && found->is_number_integer() ? found->get<int>() : 0;
}

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

ExitRecord EndOf(const Json& state) {
  ExitRecord end;
  const int code = ExitCodeOf(state);
  end.exit_code = code;
  end.reason = "EXITED";
  if (code > kSignalBase && code <= kSignalBase + kMostSignals) {
    end.signal = code - kSignalBase;
    end.reason = "SIGNALED";
    end.message = fmt::format("ended by signal {} ({}), exit code {}", end.signal,
                              ::strsignal(end.signal), code);
  } else if (code != 0) {
    end.message = fmt::format("exit code {}", code);
  }
  // Set also when only a child ran out of memory, which the command may have coped with.
  if (BoolOf(state, "OOMKilled") && code == kSignalBase + kKill) {
    end.reason = "OOM_KILLED";
    end.signal = kKill;
    end.message = fmt::format("the container ran out of memory, exit code {}", code);
  }
  return end;
}

ExitRecord FailedStart(const std::string& error) {
  ExitRecord end;
  end.reason = "NEVER_STARTED";
  end.launch_failure = LaunchFailureOf(error);
  end.message = error;
  return end;
}

}  // namespace

bool HasBegun(const Json& container) {
  const std::string begun = TextOf(StateOf(container), "StartedAt");
  return EngineTimeMicros(begun) > 0;
}

bool HasEnded(const Json& container) {
  const std::string status = TextOf(StateOf(container), "Status");
  return HasBegun(container) && (status == "exited" || status == "dead");
}

Observation ObservationOf(const Json& container) {
  const Json& state = StateOf(container);
  Observation seen;
  seen.infrastructure_id = TextOf(container, "Id");
  const std::string error = TextOf(state, "Error");
  if (HasEnded(container)) {
    seen.stage = Stage::kExited;
    seen.exit = EndOf(state);
  } else if (HasBegun(container)) {
    seen.stage = Stage::kStarted;
  } else if (!error.empty()) {
    seen.stage = Stage::kExited;
    seen.exit = FailedStart(error);
  }
  return seen;
}

std::string LaunchFailureOf(std::string_view engine_says) {
  const std::string text = ToLower(engine_says);
  if (Has(text, "no space left")) return "NO_SPACE";
  if (Has(text, "does not match the specified platform")) return "IMAGE_WRONG_PLATFORM";
  if (Has(text, "executable file not found") || Has(text, "no such file or directory: unknown") ||
      (Has(text, "stat ") && Has(text, "no such file"))) {
    return "COMMAND_NOT_FOUND";
  }
  if (Has(text, "permission denied")) return "PERMISSION_DENIED";
  return "INVALID_JOB";
}

}  // namespace forebay::worker
