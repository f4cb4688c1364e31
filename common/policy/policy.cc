#include "common/policy/policy.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/job_template/job_template.h"
#include "common/policy/check.h"
#include "common/policy/fields.h"
#include "common/policy/parse.h"

namespace forebay {
namespace {

constexpr size_t kShownBytes = 200;

std::string Shown(const Json& value) {
  if (value.is_null()) return "";
  std::string text = DumpJson(value);
  if (text.size() > kShownBytes) text = ToValidUtf8(text.substr(0, kShownBytes)) + "…";
  return text;
}

// "limits.memory" is at /limits/memory.
std::string PointerOf(std::string_view field) { return "/" + ReplaceAll(field, ".", "/"); }

const Json* ValueAt(const Json& spec, std::string_view field) {
  const Json* at = &spec;
  for (const std::string_view part : Split(field, '.')) {
    if (!at->is_object()) return nullptr;
    const auto found = at->find(std::string(part));
    if (found == at->end()) return nullptr;
    at = &*found;
  }
  return at;
}

bool IsAtOrBelow(std::string_view pointer, std::string_view top) {
  return pointer.starts_with(top) && (pointer.size() == top.size() || pointer[top.size()] == '/');
}

// Normalisation changes neither where a field stands nor the order of what is in it.
std::string SetBy(const std::string& field, const std::string& below,
                  const std::vector<LeafOrigin>& origins) {
  std::optional<Origin> highest;
  for (const std::string& top : {field + below, field}) {
    for (const LeafOrigin& leaf : origins) {
      if (!IsAtOrBelow(leaf.pointer, top)) continue;
      highest = std::max(highest.value_or(leaf.origin), leaf.origin);
    }
    if (highest.has_value()) break;
  }
  return std::string(highest.has_value() ? OriginName(*highest) : "launcher");
}

Denial MakeDenial(std::string rule, const std::string& pointer, const Fault& fault,
                  const std::vector<LeafOrigin>& origins) {
  Denial denial;
  denial.rule = std::move(rule);
  denial.field = pointer + fault.below;
  denial.value = Shown(fault.value);
  denial.set_by = fault.value.is_null() ? "nobody" : SetBy(pointer, fault.below, origins);
  denial.allowed = fault.allowed;
  denial.message = fmt::format("{} is {} (set by {}), {} (rule '{}')", denial.field,
                               denial.value.empty() ? "absent" : denial.value, denial.set_by,
                               fault.why, denial.rule);
  return denial;
}

// Whether a field of the type stands at or below the pointer, or above it.
bool IsKnown(std::string_view pool_type, const std::string& name) {
  const auto fields = FieldsOf(pool_type);
  return std::any_of(fields.begin(), fields.end(),
                     [&](const FieldRule& field) { return field.name == name; });
}

}  // namespace

struct Policy::Content {
  std::string pool_type;
  std::vector<Rule> rules;
};

absl::StatusOr<Policy> Policy::Parse(std::string_view pool_type, std::string_view text) {
  if (FieldsOf(pool_type).empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_POOL_TYPE")
        .Field("type", pool_type)
        .With("allowed", Join(PoolTypes(), ", "))
        .Says("pool type '{}' is not known; known: {}", pool_type, Join(PoolTypes(), ", "));
  }
  ASSIGN_OR_RETURN(const Json document, ParseJsonObject(text, "policy"));
  auto content = std::make_shared<Content>();
  content->pool_type = pool_type;
  ASSIGN_OR_RETURN(content->rules, ParseRules(pool_type, document));
  return Policy(std::move(content));
}

namespace {

// Fields that no rule can be about.
void CheckUnknown(std::string_view pool_type, const Json& spec, const std::string& prefix,
                  const std::vector<LeafOrigin>& origins, std::vector<Denial>& denials) {
  for (const auto& [key, value] : spec.items()) {
    const std::string name = prefix + key;
    if (IsKnown(pool_type, name)) continue;
    const auto names = FieldNames(pool_type);
    const bool group = value.is_object() && std::any_of(names.begin(), names.end(), [&](auto& n) {
                         return n.starts_with(name + ".");
                       });
    if (group) {
      CheckUnknown(pool_type, value, name + ".", origins, denials);
      continue;
    }
    const Fault fault{"", value, "",
                      "which no rule can be about: fields that are not known are denied"};
    denials.push_back(MakeDenial("unknown field", PointerOf(name), fault, origins));
  }
}

}  // namespace

std::vector<Denial> Policy::Check(const Json& final_spec,
                                  const std::vector<LeafOrigin>& origins) const {
  std::vector<Denial> denials;
  for (const FieldRule& field : FieldsOf(content_->pool_type)) {
    const Json* value = ValueAt(final_spec, field.name);
    const std::string pointer = PointerOf(field.name);
    bool ruled = false;
    for (const Rule& rule : content_->rules) {
      if (rule.field != &field) continue;
      // A rule that only says how much or in what form does not say that the field is free.
      ruled = ruled || rule.allow.has_value();
      if (auto fault = CheckRule(rule, value)) {
        denials.push_back(MakeDenial(rule.name, pointer, *fault, origins));
      }
    }
    if (ruled) continue;
    if (auto fault = CheckBuiltIn(field, value)) {
      denials.push_back(
          MakeDenial(fmt::format("built-in: {}", field.name), pointer, *fault, origins));
    }
  }
  CheckUnknown(content_->pool_type, final_spec, "", origins, denials);
  return denials;
}

absl::Status DeniedBy(std::string_view whose, const std::vector<Denial>& denials) {
  const Denial& first = denials.front();
  const std::string more =
      denials.size() == 1 ? "" : fmt::format("; and {} more", denials.size() - 1);
  return Error(absl::StatusCode::kPermissionDenied, "POLICY_DENIED")
      .Field(first.field, first.value)
      .With("rule", first.rule)
      .With("set_by", first.set_by)
      .With("allowed", first.allowed)
      .Says("{} denies this: {}{}", whose, first.message, more);
}

}  // namespace forebay
