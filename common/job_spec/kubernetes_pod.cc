#include "common/job_spec/kubernetes_pod.h"

#include <nlohmann/json.hpp>

#include "common/job_template/pointer.h"

namespace forebay {

const Json* MemberOf(const Json* object, std::string_view key) {
  if (object == nullptr || !object->is_object()) return nullptr;
  const auto found = object->find(std::string(key));
  return found == object->end() || found->is_null() ? nullptr : &*found;
}

std::string TextOf(const Json* object, std::string_view key) {
  const Json* found = MemberOf(object, key);
  return found != nullptr && found->is_string() ? found->get<std::string>() : "";
}

bool FlagOf(const Json* object, std::string_view key, bool otherwise) {
  const Json* found = MemberOf(object, key);
  return found != nullptr && found->is_boolean() ? found->get<bool>() : otherwise;
}

const Json* PodOf(const Json& manifest) {
  return MemberOf(MemberOf(MemberOf(&manifest, "spec"), "template"), "spec");
}

std::vector<ContainerPlace> ContainersOf(const Json& manifest) {
  return ContainersOfPod(PodOf(manifest));
}

std::vector<ContainerPlace> ContainersOfPod(const Json* pod) {
  std::vector<ContainerPlace> places;
  for (const char* key : {"containers", "initContainers"}) {
    const Json* list = MemberOf(pod, key);
    if (list == nullptr) continue;
    const bool init = std::string_view(key) == "initContainers";
    for (size_t i = 0; i < list->size(); ++i) {
      const Json& container = (*list)[i];
      places.push_back({&container, std::string(kPodPointer) + "/" + key + "/" + std::to_string(i),
                        init, init && TextOf(&container, "restartPolicy") == "Always"});
    }
  }
  return places;
}

std::string ManifestField(std::string_view pointer) {
  return "job_manifest" + DottedPointer(pointer);
}

}  // namespace forebay
