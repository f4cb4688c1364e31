#include <fmt/format.h>

#include "common/base/text.h"
#include "common/base/uuid.h"
#include "worker/launch/launcher.h"

namespace forebay::worker {
namespace {

constexpr std::string_view kPrefix = "forebay-";
constexpr size_t kUuidLength = 36;

}  // namespace

std::string InfrastructureName(const std::string& run_id, int attempt) {
  return fmt::format("{}{}-{}", kPrefix, run_id, attempt);
}

std::optional<RunAttempt> ParseInfrastructureName(const std::string& name) {
  std::string_view rest = name;
  if (!rest.starts_with(kPrefix)) return std::nullopt;
  rest.remove_prefix(kPrefix.size());
  if (rest.size() <= kUuidLength || rest[kUuidLength] != '-') return std::nullopt;
  const auto run = Uuid::Parse(rest.substr(0, kUuidLength));
  const auto attempt = ParseInt(rest.substr(kUuidLength + 1));
  if (!run.has_value() || !attempt.has_value() || *attempt < 0 || *attempt > INT32_MAX) {
    return std::nullopt;
  }
  RunAttempt parsed{run->ToString(), static_cast<int>(*attempt)};
  // Only what InfrastructureName makes, so that one run has one name.
  if (InfrastructureName(parsed.run_id, parsed.attempt) != name) return std::nullopt;
  return parsed;
}

}  // namespace forebay::worker
