#pragma once

// Randomness, injected: tests give a seeded source and get the same ids, tokens and jitter every
// time.

#include <cstdint>
#include <string>

#include "common/base/sync.h"

namespace forebay {

// Implementations are thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  // `count` random bytes, fit for secrets in the system's implementation.
  virtual std::string Bytes(size_t count) = 0;
  // Uniform in [0, bound); bound > 0.
  uint64_t Below(uint64_t bound);
  // Uniform in [0, 1).
  double Unit();
};

// Takes from `source` in blocks: a call of the system for each id and ticket is a part of what a
// run costs. What was given out is wiped. A process that forks must not use it in both halves.
class BufferedRandom final : public Random {
 public:
  explicit BufferedRandom(Random& source) : source_(source) {}
  std::string Bytes(size_t count) override;

 private:
  Random& source_;
  Mutex mutex_;
  std::string block_ GUARDED_BY(mutex_);
  size_t used_ GUARDED_BY(mutex_) = 0;
};

// getrandom(2). Never destroyed.
Random& SystemRandom();

}  // namespace forebay
