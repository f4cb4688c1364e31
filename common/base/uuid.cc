#include "common/base/uuid.h"

#include <algorithm>
#include <cstring>

#include "common/base/text.h"

namespace forebay {
namespace {

constexpr uint64_t kTicksPerSecond = 1000 << 12;

}  // namespace

std::string Uuid::ToString() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 0xF];
  }
  return text;
}

std::optional<Uuid> Uuid::Parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid id;
  size_t at = 0;
  for (uint8_t& byte : id.bytes) {
    if ((at == 8 || at == 13 || at == 18 || at == 23) && text[at++] != '-') return std::nullopt;
    const int value = HexByte(text[at], text[at + 1]);
    if (value < 0) return std::nullopt;
    byte = static_cast<uint8_t>(value);
    at += 2;
  }
  return id;
}

absl::Time Uuid::Time() const {
  int64_t millis = 0;
  for (size_t i = 0; i < 6; ++i) millis = (millis << 8) | bytes[i];
  return absl::FromUnixMillis(millis);
}

uint64_t UuidSource::Tick() {
  const auto nanos = static_cast<uint64_t>(std::max<int64_t>(0, absl::ToUnixNanos(clock_.Now())));
  const uint64_t now = (nanos / 1'000'000) << 12 | (nanos % 1'000'000) * 4096 / 1'000'000;
  uint64_t last = last_tick_.load();
  uint64_t tick = 0;
  do {
    const bool early = now <= last && last - now < kTicksPerSecond;
    tick = early ? last + 1 : now;
  } while (!last_tick_.compare_exchange_weak(last, tick));
  return tick;
}

Uuid UuidSource::Next() {
  Uuid id;
  const std::string noise = random_.Bytes(8);
  std::memcpy(id.bytes.data() + 8, noise.data(), noise.size());
  // 48 bits of milliseconds, then 12 bits of the sub-millisecond that also count (RFC 9562, 6.2
  // methods 3 and 1).
  const uint64_t tick = Tick();
  for (size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<uint8_t>(tick >> (52 - 8 * i));
  id.bytes[6] = static_cast<uint8_t>(0x70 | (tick >> 8 & 0xF));
  id.bytes[7] = static_cast<uint8_t>(tick);
  id.bytes[8] = static_cast<uint8_t>(0x80 | (id.bytes[8] & 0x3F));
  return id;
}

}  // namespace forebay
