#pragma once

// UUIDs as values. New ones are version 7 (RFC 9562): ordered by creation time, so tables
// partitioned by id are partitioned by time.

#include <array>
#include <atomic>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/random.h"

namespace forebay {

struct Uuid {
  std::array<uint8_t, 16> bytes{};

  // The canonical lower-case form, 36 characters.
  std::string ToString() const;
  // Accepts the canonical form, either case; nothing else.
  static std::optional<Uuid> Parse(std::string_view text);
  // The millisecond that a version 7 id carries.
  absl::Time Time() const;

  auto operator<=>(const Uuid&) const = default;

  template <typename H>
  friend H AbslHashValue(H h, const Uuid& id) {
    return H::combine(std::move(h), id.bytes);
  }
};

// Makes version 7 ids from the clock and the random source given: each is greater than those that
// the same source made before, unless the clock was set back by more than a second. Thread-safe.
class UuidSource {
 public:
  UuidSource(const Clock& clock, Random& random) : clock_(clock), random_(random) {}
  Uuid Next();

 private:
  // Milliseconds since 1970 and 12 bits of the next, never the same twice.
  uint64_t Tick();

  const Clock& clock_;
  Random& random_;
  std::atomic<uint64_t> last_tick_ = 0;
};

}  // namespace forebay

template <>
struct std::hash<forebay::Uuid> {
  size_t operator()(const forebay::Uuid& id) const noexcept {
    return std::hash<std::string_view>()(
        {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
  }
};
