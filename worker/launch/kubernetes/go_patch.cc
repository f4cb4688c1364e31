#include "worker/launch/kubernetes/go_patch.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "worker/launch/kubernetes/labels.h"

namespace forebay::worker {
namespace {

Json Step(const char* operation, const std::string& path) {
  return {{"op", operation}, {"path", path}};
}

Json Step(const char* operation, const std::string& path, const std::string& value) {
  return {{"op", operation}, {"path", path}, {"value", value}};
}

// A slash in a key of a JSON pointer is written so.
constexpr char kGoPath[] = "/metadata/annotations/forebay.io~1go";

}  // namespace

Json GoPatch(const PodDigest& pod) {
  const std::string gate = fmt::format("/spec/schedulingGates/{}", pod.scheduling_gate.value_or(0));
  return Json::array({Step("test", "/metadata/uid", pod.uid),
                      Step("test", gate + "/name", kSchedulingGate), Step("remove", gate),
                      Step("add", kGoPath, pod.uid)});
}

Json PreparationPatch(const PodDigest& pod, int64_t lines) {
  return {{"metadata",
           // A condition: a patch for another Pod's is refused.
           {{"uid", pod.uid},
            {"annotations", {{kPreparationLinesAnnotation, std::to_string(lines)}}}}}};
}

}  // namespace forebay::worker
