#include "common/base/sync.h"

#include <thread>

#include "tests/support/catch.h"

namespace forebay {
namespace {

struct Counter {
  Mutex mutex;
  CondVar changed;
  int value GUARDED_BY(mutex) = 0;
};

TEST_CASE("A waiter is woken by a change made under the same mutex") {
  Counter counter;
  std::thread writer([&] {
    for (int i = 0; i < 1000; ++i) {
      MutexLock lock(counter.mutex);
      ++counter.value;
      counter.changed.NotifyAll();
    }
  });
  {
    MutexLock lock(counter.mutex);
    while (counter.value < 1000) counter.changed.Wait(counter.mutex);
    CHECK(counter.value == 1000);
  }
  writer.join();
}

TEST_CASE("A wait with a limit ends without a wake-up") {
  Counter counter;
  MutexLock lock(counter.mutex);
  while (counter.changed.WaitFor(counter.mutex, absl::Milliseconds(1))) {
  }
  CHECK(counter.value == 0);
}

}  // namespace
}  // namespace forebay
