#include "common/job_template/layers.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/job_template/job_template.h"

namespace forebay {
namespace {

using Keys = std::vector<std::string>;

Keys KeyParts(std::string_view key) {
  Keys parts;
  for (size_t dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.')) {
    // Without a bound, a long key would nest deeper than recursion can follow.
    if (parts.size() + 1 >= static_cast<size_t>(kMaxJsonDepth)) break;
    if (parts.size() == 1 && parts.front() == kEnvVariable) break;
    parts.emplace_back(key.substr(0, dot));
    key.remove_prefix(dot + 1);
  }
  parts.emplace_back(key);
  return parts;
}

// Sets the value below `target` unless something is there, or something that is no object is in the
// way.
void SetIfAbsent(Json& target, const Keys& parts, const Json& value) {
  Json* at = &target;
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    at = &at->emplace(parts[i], Json::object()).first.value();
    if (!at->is_object()) return;
  }
  at->emplace(parts.back(), Json(value));
}

void MergeEnv(const Json& layer, Origin origin, LayeredValue& env) {
  env.origin = origin;
  if (!layer.is_object() || !env.value.is_object()) {
    env.value = layer;
    env.member_origins.clear();
  }
  if (!layer.is_object()) return;
  for (const auto& [name, value] : layer.items()) {
    env.value[name] = value;
    env.member_origins[name] = origin;
  }
}

}  // namespace

Json SchemaDefaults(const Json& schema) {
  Json defaults = Json::object();
  const auto properties = schema.find("properties");
  if (properties == schema.end()) return defaults;
  for (const auto& [name, declaration] : properties->items()) {
    if (!declaration.is_object()) continue;
    const auto value = declaration.find("default");
    if (value != declaration.end() && !value->is_null()) defaults.emplace(name, Json(*value));
  }
  return defaults;
}

absl::StatusOr<LayeredValues> LayerVariables(const JobTemplate& job_template,
                                             const Json& deployment, const Json& run) {
  LayeredValues values;
  LayOver(job_template.defaults(), Origin::kDefault, values);
  const std::pair<const Json*, Origin> layers[] = {{&deployment, Origin::kDeployment},
                                                   {&run, Origin::kRun}};
  for (const auto& [layer, origin] : layers) {
    if (!layer->is_object()) {
      return Error(absl::StatusCode::kInvalidArgument, "INVALID_JOB_VARIABLE")
          .Field(OriginName(origin), DumpJson(*layer))
          .Says("job variables must be an object, not {}", JsonTypeName(*layer));
    }
    LayOver(ExpandDottedKeys(*layer), origin, values);
  }
  // A literal `env` would take what the template does not declare.
  const auto& names = job_template.variables();
  if (std::find(names.begin(), names.end(), kEnvVariable) == names.end()) {
    values.erase(std::string(kEnvVariable));
  }
  return values;
}

std::string_view VariableOfKey(std::string_view key) { return key.substr(0, key.find('.')); }

Json ExpandDottedKeys(const Json& layer) {
  Json expanded = Json::object();
  std::vector<std::pair<Keys, const Json*>> dotted;
  for (const auto& [key, value] : layer.items()) {
    if (key.find('.') == std::string::npos) {
      expanded.emplace(key, Json(value));
    } else {
      dotted.emplace_back(KeyParts(key), &value);
    }
  }
  // The fewer dots, the more of the value stands in nested form.
  std::stable_sort(dotted.begin(), dotted.end(),
                   [](const auto& a, const auto& b) { return a.first.size() < b.first.size(); });
  for (const auto& [parts, value] : dotted) SetIfAbsent(expanded, parts, *value);
  return expanded;
}

void LayOver(Json layer, Origin origin, LayeredValues& values) {
  for (auto& [name, value] : layer.get_ref<Json::object_t&>()) {
    LayeredValue& slot = values[name];
    if (name == kEnvVariable) {
      MergeEnv(value, origin, slot);
    } else {
      slot = {std::move(value), origin, {}};
    }
  }
}

}  // namespace forebay
