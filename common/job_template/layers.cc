#include "common/job_template/layers.h"

#include <algorithm>
#include <utility>
#include <vector>

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

void LayOver(const Json& layer, Origin origin, LayeredValues& values) {
  for (const auto& [name, value] : layer.items()) {
    LayeredValue& slot = values[name];
    if (name == kEnvVariable) {
      MergeEnv(value, origin, slot);
    } else {
      slot = {value, origin, {}};
    }
  }
}

}  // namespace forebay
