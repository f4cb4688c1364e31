#include "common/job_spec/kubernetes_volumes.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/job_spec/kubernetes_pod.h"
#include "common/job_spec/kubernetes_schema.h"

namespace forebay {
namespace {

std::string With(const std::string& kind, const std::string& what) {
  return what.empty() ? kind : kind + ":" + what;
}

std::string SimpleText(const std::string& kind, const Json& source) {
  constexpr std::pair<std::string_view, const char*> kKeys[] = {
      {"secret", "secretName"}, {"configMap", "name"},
      {"hostPath", "path"},     {"persistentVolumeClaim", "claimName"},
      {"csi", "driver"},        {"image", "reference"},
  };
  for (const auto& [name, key] : kKeys) {
    if (kind == name) return With(kind, TextOf(&source, key));
  }
  if (kind == "nfs") return With(kind, TextOf(&source, "server") + ":" + TextOf(&source, "path"));
  return kind;
}

std::string PartText(const std::string& kind, const Json& part) {
  return With(kind, TextOf(&part, kind == "serviceAccountToken" ? "audience" : "name"));
}

void AddProjected(const Json& volume, const std::string& pointer, std::vector<VolumeText>& texts) {
  const Json* sources = MemberOf(&volume, "sources");
  if (sources == nullptr || sources->empty()) texts.push_back({"projected", "", pointer});
  for (size_t i = 0; sources != nullptr && i < sources->size(); ++i) {
    const std::string at = pointer + "/sources/" + std::to_string(i);
    for (const auto& [kind, part] : (*sources)[i].items()) {
      texts.push_back({PartText(kind, part), "", fmt::format("{}/{}", at, kind)});
    }
  }
}

}  // namespace

std::vector<VolumeText> VolumesOf(const Json& manifest) {
  std::vector<VolumeText> texts;
  const Json* volumes = MemberOf(PodOf(manifest), "volumes");
  for (size_t i = 0; volumes != nullptr && i < volumes->size(); ++i) {
    for (const auto& [kind, source] : (*volumes)[i].items()) {
      if (!IsVolumeKind(kind)) continue;
      const std::string pointer =
          std::string(kPodPointer) + "/volumes/" + std::to_string(i) + "/" + kind;
      if (kind == "projected") {
        AddProjected(source, pointer, texts);
      } else {
        const std::string image = kind == "image" ? TextOf(&source, "reference") : "";
        texts.push_back({SimpleText(kind, source), image, pointer});
      }
    }
  }
  return texts;
}

}  // namespace forebay
