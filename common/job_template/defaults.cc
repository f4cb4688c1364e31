#include <algorithm>
#include <array>

#include "common/job_template/job_template.h"

namespace forebay {
namespace embedded {

extern const std::string_view kDefaultTemplates[];

}  // namespace embedded

namespace {

// In the order of the files in CMakeLists.txt.
const std::array<std::string, 4>& Types() {
  static const std::array<std::string, 4> types = {"docker", "kubernetes", "process", "scripted"};
  return types;
}

}  // namespace

std::string_view DefaultJobTemplate(std::string_view pool_type) {
  const auto& types = Types();
  const auto found = std::find(types.begin(), types.end(), pool_type);
  if (found == types.end()) return {};
  return embedded::kDefaultTemplates[found - types.begin()];
}

std::span<const std::string> PoolTypes() { return Types(); }

}  // namespace forebay
