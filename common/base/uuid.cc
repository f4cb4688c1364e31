#include "common/base/uuid.h"

#include <cstring>

#include "common/base/text.h"

namespace forebay {

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

Uuid UuidSource::Next() {
  Uuid id;
  const std::string noise = random_.Bytes(10);
  std::memcpy(id.bytes.data() + 6, noise.data(), noise.size());
  // 48 bits of milliseconds, then 12 bits of the sub-millisecond (RFC 9562, 6.2 method 3): ids made
  // by one server sort in the order of their making down to a quarter of a microsecond.
  const int64_t nanos = absl::ToUnixNanos(clock_.Now());
  const int64_t millis = nanos / 1'000'000;
  const int64_t fraction = (nanos % 1'000'000) * 4096 / 1'000'000;
  for (size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<uint8_t>(millis >> (40 - 8 * i));
  id.bytes[6] = static_cast<uint8_t>(0x70 | (fraction >> 8));
  id.bytes[7] = static_cast<uint8_t>(fraction);
  id.bytes[8] = static_cast<uint8_t>(0x80 | (id.bytes[8] & 0x3F));
  return id;
}

}  // namespace forebay
