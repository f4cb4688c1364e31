#include "common/job_spec/byte_size.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <string>

#include "common/base/text.h"

namespace forebay {
namespace {

constexpr double kMostBytes = 4611686018427387904.0;  // 2^62

// As a power of 1024; nothing when it is no unit.
std::optional<int> PowerOf(std::string_view unit) {
  constexpr std::string_view kUnits = "bkmgt";
  if (unit.empty()) return 0;
  const size_t power = kUnits.find(unit[0]);
  if (power == std::string_view::npos) return std::nullopt;
  const std::string_view rest = unit.substr(1);
  const bool known = rest.empty() || (power > 0 && (rest == "b" || rest == "ib"));
  return known ? std::optional(static_cast<int>(power)) : std::nullopt;
}

}  // namespace

std::optional<int64_t> ParseByteSize(std::string_view text) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  const auto power =
      PowerOf(ToLower(Trim(std::string_view(stop, static_cast<size_t>(end - stop)))));
  if (!power.has_value()) return std::nullopt;
  for (int i = 0; i < *power; ++i) number *= 1024;
  if (!(number < kMostBytes)) return std::nullopt;
  return static_cast<int64_t>(number);
}

std::optional<int64_t> ByteSizeOf(const Json& value, bool minus_one) {
  if (value.is_string()) return ParseByteSize(value.get_ref<const std::string&>());
  if (value.is_number_unsigned() && value.get<uint64_t>() >= (uint64_t{1} << 62))
    return std::nullopt;
  if (!value.is_number_integer()) return std::nullopt;
  const auto bytes = value.get<int64_t>();
  if (bytes >= 0 || (minus_one && bytes == -1)) return bytes;
  return std::nullopt;
}

}  // namespace forebay
