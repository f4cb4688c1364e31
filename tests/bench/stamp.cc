// Prints the wall clock in nanoseconds: the first thing that a launched command does.

#include <cstdio>
#include <ctime>

int main() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  std::printf("%lld\n", static_cast<long long>(now.tv_sec) * 1'000'000'000 + now.tv_nsec);
  return 0;
}
