#include "common/job_template/references.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/job_template/placeholder.h"
#include "common/job_template/pointer.h"

namespace forebay {
namespace {

constexpr size_t kMostNameBytes = 255;

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kMostNameBytes &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

// Empty, which is no name, if it is no text.
std::string NameIn(const Json& reference) {
  const Json& name = reference.items().begin().value();
  return name.is_string() ? name.get<std::string>() : "";
}

// "x.y" of `forebay.secrets.x.y`; what follows an index is no name.
std::string NameOf(const PlaceholderPath& path) {
  std::string name;
  for (size_t i = 2; i < path.steps().size(); ++i) {
    const auto* step = std::get_if<std::string_view>(&path.steps()[i]);
    if (i > 2) name += '.';
    name += step == nullptr ? "[]" : *step;
  }
  return name;
}

// "secrets" of `forebay.secrets.x`.
std::string_view StepOf(const PlaceholderPath& path, size_t index) {
  if (index >= path.steps().size()) return "";
  const auto* name = std::get_if<std::string_view>(&path.steps()[index]);
  return name == nullptr ? "" : *name;
}

class Finder {
 public:
  std::vector<Reference> Find(const Json& value) {
    Visit(value);
    return std::move(found_);
  }

 private:
  void Visit(const Json& value) {
    if (value.is_string()) return VisitText(value.get_ref<const std::string&>());
    if (IsReference(value)) {
      const auto item = value.items().begin();
      found_.push_back({pointer_, item.key().substr(1), NameIn(value)});
      return;
    }
    if (!value.is_structured()) return;
    size_t index = 0;
    for (const auto& [key, child] : value.items()) {
      const Descend descend(pointer_, value.is_array() ? std::to_string(index++) : key);
      Visit(child);
    }
  }

  void VisitText(const std::string& text) {
    if (text.find("{{") == std::string::npos) return;
    for (const TextPart& part : SplitPlaceholders(text)) {
      if (!part.path.has_value() || part.path->root() != "forebay") continue;
      const std::string_view kind = StepOf(*part.path, 1);
      if (kind != "secrets" && kind != "variables") continue;
      found_.push_back(
          {pointer_, std::string(kind.substr(0, kind.size() - 1)), NameOf(*part.path)});
    }
  }

  std::string pointer_;
  std::vector<Reference> found_;
};

}  // namespace

bool IsReference(const Json& value) {
  return value.is_object() && value.size() == 1 &&
         (value.contains("$secret") || value.contains("$variable"));
}

std::string ReferenceText(const Json& reference) {
  const auto item = reference.items().begin();
  const std::string kind = item.key() == "$secret" ? "secrets" : "variables";
  return fmt::format("{{{{ forebay.{}.{} }}}}", kind, NameIn(reference));
}

std::vector<Reference> FindReferences(const Json& value) { return Finder().Find(value); }

absl::Status CheckReferences(const Json& value, std::string_view field) {
  for (const Reference& reference : FindReferences(value)) {
    if (IsName(reference.name)) continue;
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_REFERENCE")
        .Field(fmt::format("{}{}", field, reference.pointer), reference.name)
        .Says("{}{} refers to a {} by what is no name: '{}'", field, reference.pointer,
              reference.kind, reference.name);
  }
  return absl::OkStatus();
}

absl::Status UnresolvedReference(const Reference& reference) {
  return Error(absl::StatusCode::kFailedPrecondition, "UNRESOLVED_REFERENCE")
      .Field(reference.pointer, reference.name)
      .Says(
          "{} refers to the {} '{}', and this server keeps no {}s yet; give the value itself or "
          "take the reference out",
          reference.pointer, reference.kind, reference.name, reference.kind);
}

}  // namespace forebay
