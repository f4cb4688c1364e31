#pragma once

// Amounts as Kubernetes writes them: "250m", "1.5", "64Mi", "2G", "1e3". Pure.

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/numeric/int128.h"
#include "common/json/json.h"

namespace forebay {

// Exact, in billionths.
struct Quantity {
  absl::int128 nanos = 0;

  // Rounded up, as Kubernetes does.
  int64_t Millis() const;
  int64_t Whole() const;
};

// A sign, decimal digits with at most one point, and a suffix: n, u, m, k, M, G, T, P, E (powers of
// 1000), Ki, Mi, Gi, Ti, Pi, Ei (of 1024), or an exponent such as e3. What is finer than a
// billionth is rounded up. Nothing for other text and beyond 2^63-1.
std::optional<Quantity> ParseQuantity(std::string_view text);
// Of a string or a number, as the API server reads both.
std::optional<Quantity> QuantityOf(const Json& value);

}  // namespace forebay
