#include "common/base/clock.h"

#include <ctime>

#include "absl/time/clock.h"

namespace forebay {
namespace {

class OsClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
  absl::Duration Monotonic() const override {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return absl::DurationFromTimespec(now);
  }
};

}  // namespace

const Clock& SystemClock() {
  static const OsClock* const kClock = new OsClock;
  return *kClock;
}

}  // namespace forebay
