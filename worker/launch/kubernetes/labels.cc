#include "worker/launch/kubernetes/labels.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "common/job_spec/kubernetes_names.h"

namespace forebay::worker {
namespace {

constexpr size_t kMostBytes = 63;
constexpr size_t kHashDigits = 8;

bool IsAlnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string_view TrimToAlnum(std::string_view text) {
  while (!text.empty() && !IsAlnum(text.front())) text.remove_prefix(1);
  while (!text.empty() && !IsAlnum(text.back())) text.remove_suffix(1);
  return text;
}

// FNV-1a: the same in every worker of every version.
std::string HashOf(std::string_view text) {
  uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  std::string digits(kHashDigits, '0');
  for (size_t i = 0; i < kHashDigits; ++i) {
    digits[kHashDigits - 1 - i] = "0123456789abcdef"[hash & 0xf];
    hash >>= 4;
  }
  return digits;
}

}  // namespace

std::string LabelValue(std::string_view value) {
  if (IsLabelValue(value)) return std::string(value);
  std::string fitting(value);
  for (char& c : fitting) {
    if (!IsAlnum(c) && c != '.' && c != '_' && c != '-') c = '-';
  }
  if (fitting.size() <= kMostBytes) return std::string(TrimToAlnum(fitting));
  const std::string_view begin =
      TrimToAlnum(std::string_view(fitting).substr(0, kMostBytes - kHashDigits - 1));
  const std::string hash = HashOf(value);
  return begin.empty() ? hash : std::string(begin) + "-" + hash;
}

Marks MarksOf(const std::map<std::string, std::string>& labels) {
  Marks marks;
  for (const auto& [name, value] : labels) {
    const std::string fitting = LabelValue(value);
    if (fitting != value) marks.annotations[name] = value;
    marks.labels[name] = fitting;
  }
  return marks;
}

std::string MarkOf(const Json& marks, const std::string& name) {
  if (!marks.is_object()) return "";
  const auto found = marks.find(name);
  return found != marks.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace forebay::worker
