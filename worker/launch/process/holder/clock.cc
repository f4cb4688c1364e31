#include "worker/launch/process/holder/clock.h"

#include <time.h>

namespace forebay::holder {
namespace {

timespec Read(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now;
}

}  // namespace

int64_t WallMicros() {
  const timespec now = Read(CLOCK_REALTIME);
  return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

int64_t SteadyMillis() {
  const timespec now = Read(CLOCK_BOOTTIME);
  return int64_t{now.tv_sec} * 1'000 + now.tv_nsec / 1'000'000;
}

}  // namespace forebay::holder
