#include "worker/launch/docker/container_state.h"

#include <nlohmann/json.hpp>

#include "worker/launch/docker/log_frames.h"

namespace forebay::worker {
namespace {

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

ExitRecord EndOf(const Json& state) {
  const int code = ExitCodeOf(state);
  // Set also when only a child ran out of memory, which the command may have coped with.
  if (BoolOf(state, "OOMKilled") && code == kKilledExitCode) return OutOfMemory();
  return EndByCode(code);
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

}  // namespace forebay::worker
