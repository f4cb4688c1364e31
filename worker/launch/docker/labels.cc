#include "worker/launch/docker/labels.h"

#include <nlohmann/json.hpp>

namespace forebay::worker {

std::string LabelOf(const Json& labels, const std::string& name) {
  if (!labels.is_object()) return "";
  const auto found = labels.find(name);
  return found != labels.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace forebay::worker
