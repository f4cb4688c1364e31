#include "common/json_schema/equality.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

namespace forebay {
namespace {

// Holds every integer of 64 bits and every double.
static_assert(std::numeric_limits<long double>::digits >= 64);

long double NumberOf(const Json& value) {
  if (value.is_number_unsigned()) return static_cast<long double>(value.get<uint64_t>());
  if (value.is_number_integer()) return static_cast<long double>(value.get<int64_t>());
  return static_cast<long double>(value.get<double>());
}

std::string NumberText(const Json& value) {
  if (value.is_number_integer()) return value.dump();
  const double number = value.get<double>();
  constexpr double kMostExact = 9007199254740992.0;  // 2^53
  if (std::abs(number) <= kMostExact && std::trunc(number) == number) {
    return std::to_string(static_cast<int64_t>(number));
  }
  // A greater one may equal an integer of 64 bits.
  constexpr double kEndOfUnsigned = 18446744073709551616.0;
  if (number > 0 && number < kEndOfUnsigned && std::trunc(number) == number) {
    return std::to_string(static_cast<uint64_t>(number));
  }
  return value.dump();
}

uint64_t Magnitude(const Json& whole) {
  if (whole.is_number_unsigned()) return whole.get<uint64_t>();
  const auto number = whole.get<int64_t>();
  return number < 0 ? uint64_t{0} - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
}

bool IsMultipleOfFraction(const Json& value, long double of) {
  const long double number = std::abs(NumberOf(value));
  const long double rest = std::fmod(number, of);
  if (rest == 0) return true;
  constexpr long double kRounding = std::numeric_limits<double>::epsilon();
  // Of 0.1, 0.25 and the like, every whole number is a multiple, also one beyond all fractions.
  const long double parts = 1 / of;
  if (IsInteger(value) && std::abs(parts - std::round(parts)) <= parts * kRounding) return true;
  const long double tolerance = number * kRounding;
  return tolerance < of / 2 && std::min(rest, of - rest) <= tolerance;
}

std::string ObjectText(const Json& value) {
  std::map<std::string, const Json*> members;
  for (const auto& [key, child] : value.items()) members[key] = &child;
  std::string text = "{";
  for (const auto& [key, child] : members) {
    text += DumpJson(Json(key)) + ":" + CanonicalText(*child) + ",";
  }
  return text + "}";
}

}  // namespace

std::string CanonicalText(const Json& value) {
  if (value.is_number()) return NumberText(value);
  if (value.is_object()) return ObjectText(value);
  if (!value.is_array()) return DumpJson(value);
  std::string text = "[";
  for (const Json& child : value) text += CanonicalText(child) + ",";
  return text + "]";
}

int CompareNumbers(const Json& a, const Json& b) {
  const long double left = NumberOf(a);
  const long double right = NumberOf(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

bool IsMultiple(const Json& value, const Json& of) {
  if (value.is_number_integer() && of.is_number_integer()) {
    return Magnitude(value) % Magnitude(of) == 0;
  }
  if (!IsInteger(of)) return IsMultipleOfFraction(value, NumberOf(of));
  return std::fmod(NumberOf(value), NumberOf(of)) == 0;
}

bool IsInteger(const Json& value) {
  if (value.is_number_integer()) return true;
  if (!value.is_number_float()) return false;
  const double number = value.get<double>();
  return std::isfinite(number) && std::trunc(number) == number;
}

}  // namespace forebay
