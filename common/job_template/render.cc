#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/status.h"
#include "common/job_template/job_template.h"
#include "common/job_template/layers.h"
#include "common/job_template/placeholder.h"
#include "common/job_template/pointer.h"
#include "common/job_template/references.h"
#include "common/job_template/rendered_job.h"

namespace forebay {
namespace {

class Renderer {
 public:
  explicit Renderer(const LayeredValues& values) : values_(values) {}

  RenderedJob Render(const Json& configuration) {
    job_.configuration = Json::object();
    for (const auto& [key, node] : configuration.items()) {
      const Descend descend(pointer_, key);
      if (key == kEnvVariable && node.is_object()) {
        job_.configuration[key] = RenderLiteralEnv(node);
      } else if (auto value = RenderNode(node)) {
        job_.configuration[key] = std::move(*value);
      }
    }
    if (job_.configuration.empty()) Note(Origin::kTemplate);
    return std::move(job_);
  }

 private:
  void Note(Origin origin) { job_.origins.push_back({pointer_, origin}); }

  // Notes the origin of each leaf of a value that stands at the pointer.
  void NoteValue(const Json& value, Origin origin, const LayeredValue* env) {
    if (!value.is_structured() || value.empty()) return Note(origin);
    size_t index = 0;
    for (const auto& [key, child] : value.items()) {
      const Descend descend(pointer_, value.is_array() ? std::to_string(index++) : key);
      NoteValue(child, env != nullptr ? env->member_origins.find(key)->second : origin, nullptr);
    }
  }

  // Nothing when the node goes.
  std::optional<Json> RenderNode(const Json& node) {
    if (node.is_string()) return RenderText(node.get_ref<const std::string&>());
    if (node.is_array()) return RenderArray(node);
    if (node.is_object()) return RenderObject(node);
    Note(Origin::kTemplate);
    return node;
  }

  Json RenderObject(const Json& node) {
    Json object = Json::object();
    for (const auto& [key, child] : node.items()) {
      const Descend descend(pointer_, key);
      if (auto value = RenderNode(child)) object.emplace(key, std::move(*value));
    }
    if (object.empty()) Note(Origin::kTemplate);
    return object;
  }

  Json RenderArray(const Json& node) {
    Json array = Json::array();
    for (const Json& child : node) {
      const Descend descend(pointer_, std::to_string(array.size()));
      if (auto value = RenderNode(child)) array.push_back(std::move(*value));
    }
    if (array.empty()) Note(Origin::kTemplate);
    return array;
  }

  std::optional<Json> RenderText(const std::string& text) {
    const auto parts = SplitPlaceholders(text);
    if (parts.size() == 1 && parts.front().path.has_value())
      return RenderWhole(*parts.front().path);
    std::string rendered;
    Origin origin = Origin::kTemplate;
    for (const TextPart& part : parts) {
      if (!part.path.has_value()) {
        rendered += part.text;
      } else if (auto found = Find(*part.path)) {
        AppendText(*found->first, rendered);
        origin = std::max(origin, found->second);
      }
    }
    Note(origin);
    return rendered;
  }

  // A reference stays one, so that it is resolved or refused and never taken for text.
  static void AppendText(const Json& value, std::string& text) {
    if (value.is_string()) {
      text += value.get_ref<const std::string&>();
    } else {
      text += IsReference(value) ? ReferenceText(value) : DumpJson(value);
    }
  }

  std::optional<Json> RenderWhole(const PlaceholderPath& path) {
    const auto found = Find(path);
    if (!found.has_value()) return std::nullopt;
    const bool whole_env = path.root() == kEnvVariable && path.steps().size() == 1;
    NoteValue(
        *found->first, found->second,
        whole_env && found->first->is_object() ? &values_.find(kEnvVariable)->second : nullptr);
    return *found->first;
  }

  // The value at the path and who set it.
  std::optional<std::pair<const Json*, Origin>> Find(const PlaceholderPath& path) const {
    const auto variable = values_.find(path.root());
    if (variable == values_.end()) return std::nullopt;
    const LayeredValue& layered = variable->second;
    const Json* value = path.Find(layered.value);
    if (value == nullptr) return std::nullopt;
    Origin origin = layered.origin;
    if (!layered.member_origins.empty() && path.steps().size() > 1) {
      const auto* name = std::get_if<std::string_view>(&path.steps()[1]);
      if (name != nullptr) origin = layered.member_origins.find(*name)->second;
    }
    return std::pair(value, origin);
  }

  // A literal `env` is the lowest layer of the variable `env`.
  Json RenderLiteralEnv(const Json& node) {
    const auto variable = values_.find(kEnvVariable);
    if (variable == values_.end() || !variable->second.value.is_object()) return RenderObject(node);
    const LayeredValue& over = variable->second;
    Json env = Json::object();
    for (const auto& [name, child] : node.items()) {
      const Descend descend(pointer_, name);
      if (const auto covering = over.value.find(name); covering != over.value.end()) {
        env.emplace(name, NotedMember(over, name, *covering));
      } else if (auto value = RenderNode(child)) {
        env.emplace(name, std::move(*value));
      }
    }
    for (const auto& [name, value] : over.value.items()) {
      if (env.contains(name)) continue;
      const Descend descend(pointer_, name);
      env.emplace(name, NotedMember(over, name, value));
    }
    if (env.empty()) Note(Origin::kTemplate);
    return env;
  }

  Json NotedMember(const LayeredValue& env, const std::string& name, const Json& value) {
    NoteValue(value, env.member_origins.find(name)->second, nullptr);
    return value;
  }

  const LayeredValues& values_;
  RenderedJob job_;
  std::string pointer_;
};

}  // namespace

std::string_view OriginName(Origin origin) {
  constexpr std::string_view kNames[] = {"template", "default", "deployment", "run", "launcher"};
  return kNames[static_cast<size_t>(origin)];
}

absl::StatusOr<RenderedJob> JobTemplate::Render(const Json& deployment, const Json& run) const {
  ASSIGN_OR_RETURN(const LayeredValues values, LayerVariables(*this, deployment, run));
  return Renderer(values).Render(job_configuration());
}

}  // namespace forebay
