#include "common/base/status.h"
#include "common/base/text.h"
#include "worker/launch/docker/docker_launcher.h"
#include "worker/launch/kubernetes/kubernetes_launcher.h"
#include "worker/launch/launcher.h"
#include "worker/launch/process/process_launcher.h"
#include "worker/launch/scripted/scripted_launcher.h"

namespace forebay::worker {
namespace {

struct LauncherType {
  std::string name;
  absl::StatusOr<std::unique_ptr<Launcher>> (*make)(LauncherOptions options);
};

const std::vector<LauncherType>& Types() {
  static const auto* const types = new std::vector<LauncherType>{
      {"docker", MakeDockerLauncher},
      {"kubernetes", MakeKubernetesLauncher},
      {"process", MakeProcessLauncher},
      {"scripted", MakeScriptedLauncher},
  };
  return *types;
}

absl::Status UnknownType(const std::string& type) {
  std::vector<std::string> names;
  for (const LauncherType& known : Types()) names.push_back(known.name);
  return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_POOL_TYPE")
      .Field("type", type)
      .With("allowed", Join(names, ", "))
      .With("nearest", NearestName(type, names))
      .Says("this worker cannot serve pools of type '{}'; it knows: {}", type, Join(names, ", "));
}

char ToUpper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

absl::StatusOr<std::unique_ptr<Launcher>> MakeLauncher(const std::string& type,
                                                       LauncherOptions options) {
  for (const LauncherType& known : Types()) {
    if (known.name == type) return known.make(std::move(options));
  }
  return UnknownType(type);
}

std::string WorkerClassName(const std::string& type) {
  std::string name;
  for (std::string_view word : Split(type, '-')) {
    if (word.empty()) continue;
    name += ToUpper(word[0]);
    name += word.substr(1);
  }
  return name + "Worker";
}

}  // namespace forebay::worker
