#pragma once

#include <cstdint>

#include "common/base/uuid.h"

namespace forebay {

// Ids that differ and are ordered by their number.
inline Uuid Id(uint8_t number) {
  Uuid id;
  id.bytes[15] = number;
  return id;
}

}  // namespace forebay
