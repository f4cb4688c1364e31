#pragma once

// Ways through a Job's manifest of the right shape (kubernetes_schema.h). Pure.

#include <string>
#include <string_view>
#include <vector>

#include "common/json/json.h"

namespace forebay {

// Null when it is not there or null, or `object` is no object.
const Json* MemberOf(const Json* object, std::string_view key);
// Empty when it is not there.
std::string TextOf(const Json* object, std::string_view key);
bool FlagOf(const Json* object, std::string_view key, bool otherwise);

inline constexpr std::string_view kPodPointer = "/spec/template/spec";
// The Pod's spec; null in a manifest without one.
const Json* PodOf(const Json& manifest);

struct ContainerPlace {
  const Json* container = nullptr;
  // JSON pointer into the manifest.
  std::string pointer;
  bool init = false;
  // An init container that runs beside the others.
  bool sidecar = false;
};
// Those of `containers`, then those of `initContainers`.
std::vector<ContainerPlace> ContainersOf(const Json& manifest);
// The same of a Pod's spec by itself; the pointers are those that it has within a manifest.
std::vector<ContainerPlace> ContainersOfPod(const Json* pod);

// "/spec/template" below "job_manifest" as InvalidJob names fields.
std::string ManifestField(std::string_view pointer);

}  // namespace forebay
