#include "server/runs/retry_policy.h"

#include <algorithm>
#include <array>
#include <utility>

namespace forebay::server {

unsigned RetryCauseBit(std::string_view name) {
  static constexpr std::array kNames = {
      std::pair{std::string_view("FAILED"), RetryCause::kFailed},
      std::pair{std::string_view("CRASHED"), RetryCause::kCrashed},
      std::pair{std::string_view("TIMED_OUT"), RetryCause::kTimedOut},
      std::pair{std::string_view("LAUNCH_FAILED"), RetryCause::kLaunchFailed}};
  for (const auto& [known, cause] : kNames) {
    if (known == name) return static_cast<unsigned>(cause);
  }
  return 0;
}

bool RetryPolicy::Allows(RetryCause cause, int used) const {
  return (on & static_cast<unsigned>(cause)) != 0 && used < retries;
}

absl::Duration RetryPolicy::DelayBefore(int number, double chance) const {
  if (delays.empty() || number < 1) return absl::ZeroDuration();
  const size_t at = std::min(delays.size(), static_cast<size_t>(number)) - 1;
  return delays[at] * (1 + jitter * chance);
}

}  // namespace forebay::server
