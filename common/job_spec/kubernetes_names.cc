#include "common/job_spec/kubernetes_names.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/base/uuid.h"

namespace forebay {
namespace {

constexpr size_t kMostLabel = 63;
constexpr size_t kMostSubdomain = 253;
// Leaves room for what a key of a Secret needs in front of it.
constexpr size_t kMostVariable = 240;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || IsDigit(c); }
bool IsAlnum(char c) { return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z'); }
bool IsWordCharacter(char c) { return IsAlnum(c) || c == '.' || c == '_' || c == '-'; }

}  // namespace

bool IsDnsLabel(std::string_view text) {
  const auto fits = [](char c) { return IsLowerOrDigit(c) || c == '-'; };
  return !text.empty() && text.size() <= kMostLabel && IsLowerOrDigit(text.front()) &&
         IsLowerOrDigit(text.back()) && std::ranges::all_of(text, fits);
}

bool IsDnsSubdomain(std::string_view text) {
  return text.size() <= kMostSubdomain && std::ranges::all_of(Split(text, '.'), IsDnsLabel);
}

bool IsLabelValue(std::string_view text) {
  return text.empty() || (text.size() <= kMostLabel && IsAlnum(text.front()) &&
                          IsAlnum(text.back()) && std::ranges::all_of(text, IsWordCharacter));
}

bool IsMarkName(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return !text.empty() && IsLabelValue(text);
  const std::string_view name = text.substr(slash + 1);
  return IsDnsSubdomain(text.substr(0, slash)) && !name.empty() && IsLabelValue(name);
}

bool IsVariableName(std::string_view text) {
  return !text.empty() && text.size() <= kMostVariable && !IsDigit(text.front()) && text != "." &&
         !text.starts_with("..") && std::ranges::all_of(text, IsWordCharacter);
}

bool IsRunObjectName(std::string_view text) {
  constexpr std::string_view kPrefix = "forebay-";
  constexpr size_t kUuidLength = 36;
  if (!text.starts_with(kPrefix) || text.size() < kPrefix.size() + kUuidLength) return false;
  return Uuid::Parse(text.substr(kPrefix.size(), kUuidLength)).has_value();
}

}  // namespace forebay
