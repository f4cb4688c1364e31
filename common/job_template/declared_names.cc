#include "common/job_template/declared_names.h"

#include <algorithm>
#include <span>

#include "common/base/text.h"

namespace forebay {
namespace {

// So many names fit a sentence; programs find all of them in the metadata.
constexpr size_t kShownNames = 12;

}  // namespace

std::string ShownNames(const std::vector<std::string>& names) {
  if (names.empty()) return "no variables";
  if (names.size() <= kShownNames) return Join(names, ", ");
  return Join(std::span(names).first(kShownNames), ", ") + ", …";
}

std::string NearestDeclared(std::string_view name, const std::vector<std::string>& names) {
  // The comparison takes time by the product of the lengths.
  constexpr size_t kLongest = 100;
  return name.size() > kLongest ? "" : NearestName(name, names);
}

Error WithNames(Error error, std::string_view nearest, const std::vector<std::string>& names) {
  Error full = std::move(error).With("allowed", Join(names, ", "));
  return nearest.empty() ? full : std::move(full).With("nearest", nearest);
}

std::string DidYouMean(std::string_view nearest) {
  return nearest.empty() ? "" : fmt::format("; did you mean `{}`?", nearest);
}

bool Declares(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace forebay
