#include "common/job_spec/quantity.h"

#include <nlohmann/json.hpp>
#include <string>

#include "common/base/text.h"

namespace forebay {
namespace {

constexpr int64_t kMilli = 1'000'000;
constexpr int64_t kUnit = 1'000'000'000;
// More digits than the largest amount has in billionths say nothing that counts.
constexpr size_t kMostDigits = 40;
constexpr int kMostExponent = 40;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

absl::int128 DivideUp(absl::int128 number, int64_t by) {
  const absl::int128 quotient = number / by;
  return number % by > 0 ? quotient + 1 : quotient;
}

int64_t Clamp(absl::int128 number) {
  if (number > INT64_MAX) return INT64_MAX;
  return number < INT64_MIN ? INT64_MIN : static_cast<int64_t>(number);
}

// Both are powers: one of them is 0.
struct Scale {
  int ten = 0;
  int two = 0;
};

std::optional<Scale> ExponentOf(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.starts_with('+')) return std::nullopt;
  const auto exponent = ParseInt(text);
  if (!exponent.has_value() || *exponent < -kMostExponent || *exponent > kMostExponent) {
    return std::nullopt;
  }
  return Scale{static_cast<int>(*exponent), 0};
}

std::optional<Scale> ScaleOf(std::string_view suffix) {
  constexpr std::string_view kDecimal = "num kMGTPE";
  constexpr std::string_view kBinary = "KMGTPE";
  if (suffix.empty()) return Scale{};
  if (suffix.size() == 2 && suffix[1] == 'i') {
    const size_t at = kBinary.find(suffix[0]);
    if (at == std::string_view::npos) return std::nullopt;
    return Scale{0, 10 * (static_cast<int>(at) + 1)};
  }
  if (suffix.size() == 1) {
    const size_t at = kDecimal.find(suffix[0]);
    if (at == std::string_view::npos || suffix[0] == ' ') return std::nullopt;
    return Scale{3 * (static_cast<int>(at) - 3), 0};
  }
  return suffix[0] == 'e' || suffix[0] == 'E' ? ExponentOf(suffix.substr(1)) : std::nullopt;
}

// Takes [digits][.digits] off the text: the digits as a number, and how many stand behind the
// point.
struct Digits {
  absl::int128 number = 0;
  int behind_point = 0;
};

std::optional<Digits> TakeDigits(std::string_view& text) {
  constexpr absl::int128 kMost = absl::MakeInt128(1LL << 55, 0);
  Digits digits;
  bool point = false;
  size_t used = 0, at = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && !point) {
      point = true;
      continue;
    }
    if (!IsDigit(text[at])) break;
    if (++used > kMostDigits || digits.number > kMost) return std::nullopt;
    digits.number = digits.number * 10 + (text[at] - '0');
    if (point) ++digits.behind_point;
  }
  if (used == 0) return std::nullopt;
  text.remove_prefix(at);
  return digits;
}

// number * 10^ten, rounded up; nothing beyond what can be an amount.
std::optional<absl::int128> TimesTen(absl::int128 number, int ten) {
  constexpr absl::int128 kMost = absl::MakeInt128(1LL << 58, 0);
  bool rest = false;
  for (; ten < 0 && number > 0; ++ten) {
    rest = rest || number % 10 != 0;
    number /= 10;
  }
  if (rest) number += 1;
  for (; ten > 0 && number > 0; --ten) {
    if (number > kMost) return std::nullopt;
    number *= 10;
  }
  return number;
}

std::optional<absl::int128> TimesTwo(absl::int128 number, int two) {
  constexpr absl::int128 kMost = absl::MakeInt128(1LL << 61, 0);
  for (; two > 0; --two) {
    if (number > kMost) return std::nullopt;
    number *= 2;
  }
  return number;
}

}  // namespace

int64_t Quantity::Millis() const { return Clamp(DivideUp(nanos, kMilli)); }
int64_t Quantity::Whole() const { return Clamp(DivideUp(nanos, kUnit)); }

std::optional<Quantity> ParseQuantity(std::string_view text) {
  const bool minus = text.starts_with('-');
  if (minus || text.starts_with('+')) text.remove_prefix(1);
  const auto digits = TakeDigits(text);
  if (!digits.has_value()) return std::nullopt;
  const auto scale = ScaleOf(text);
  if (!scale.has_value()) return std::nullopt;
  // The power of two first: it may make whole what is behind the point.
  const auto doubled = TimesTwo(digits->number, scale->two);
  if (!doubled.has_value()) return std::nullopt;
  const auto nanos = TimesTen(*doubled, scale->ten + 9 - digits->behind_point);
  if (!nanos.has_value() || *nanos > absl::int128(INT64_MAX) * kUnit) return std::nullopt;
  return Quantity{minus ? -*nanos : *nanos};
}

std::optional<Quantity> QuantityOf(const Json& value) {
  if (value.is_string()) return ParseQuantity(value.get_ref<const std::string&>());
  if (value.is_number()) return ParseQuantity(DumpJson(value));
  return std::nullopt;
}

}  // namespace forebay
