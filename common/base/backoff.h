#pragma once

// Exponential back-off with full jitter. Not thread-safe: one owner.

#include "absl/time/time.h"
#include "common/base/random.h"

namespace forebay {

class Backoff {
 public:
  Backoff(absl::Duration first, absl::Duration most, Random& random)
      : first_(first), most_(most), ceiling_(first), random_(random) {}

  // The next pause: uniform in [ceiling/2, ceiling], where the ceiling doubles with each call up to
  // `most`.
  absl::Duration Next();
  // After a success.
  void Reset() { ceiling_ = first_; }

 private:
  absl::Duration first_;
  absl::Duration most_;
  absl::Duration ceiling_;
  Random& random_;
};

}  // namespace forebay
