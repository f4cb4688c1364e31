#include "common/base/backoff.h"

#include <algorithm>

namespace forebay {

absl::Duration Backoff::Next() {
  const absl::Duration pause = ceiling_ / 2 + ceiling_ / 2 * random_.Unit();
  ceiling_ = std::min(ceiling_ * 2, most_);
  return pause;
}

}  // namespace forebay
