#pragma once

// Randomness, injected: tests give a seeded source and get the same ids, tokens and jitter every
// time.

#include <cstdint>
#include <string>

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

// getrandom(2). Never destroyed.
Random& SystemRandom();

}  // namespace forebay
