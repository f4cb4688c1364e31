#pragma once

// Repeatable randomness for tests.

#include <cstdint>
#include <random>
#include <string>

#include "common/base/random.h"
#include "common/base/sync.h"

namespace forebay {

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : engine_(seed) {}

  std::string Bytes(size_t count) override {
    MutexLock lock(mutex_);
    std::string bytes;
    for (size_t i = 0; i < count; ++i) bytes += static_cast<char>(engine_() & 0xFF);
    return bytes;
  }

 private:
  Mutex mutex_;
  std::mt19937_64 engine_ GUARDED_BY(mutex_);
};

}  // namespace forebay
