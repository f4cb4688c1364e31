#include "worker/policy_floor.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/config/yaml.h"
#include "common/os/files.h"

namespace forebay::worker {

absl::StatusOr<std::optional<Policy>> ReadPolicyFloor(const std::string& pool_type,
                                                      const std::string& path) {
  if (path.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path));
  ASSIGN_OR_RETURN(const Json document, ParseYaml(text, path));
  auto policy = Policy::Parse(pool_type, document.is_null() ? "" : DumpJson(document));
  if (!policy.ok()) return Annotate(policy.status(), path);
  return *std::move(policy);
}

}  // namespace forebay::worker
