#include "common/policy/parse.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/job_spec/byte_size.h"

namespace forebay {
namespace {

constexpr size_t kMostRules = 1000;
constexpr size_t kMostItems = 1000;
constexpr size_t kMostGlobBytes = 512;
const std::vector<std::string>& RuleKeys() {
  static const auto* const keys =
      new std::vector<std::string>{"field", "name",     "allow",   "deny",           "max",
                                   "min",   "required", "include", "require_digest", "read_only"};
  return *keys;
}

absl::Status Invalid(std::string_view where, const Json& value, std::string_view problem) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_POLICY")
      .Field(where, DumpJson(value))
      .Says("{} {}", where, problem);
}

absl::Status Unknown(std::string_view where, std::string_view what, std::string_view name,
                     const std::vector<std::string>& known) {
  const std::string nearest = NearestName(name, known);
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_POLICY")
      .Field(where, name)
      .With("nearest", nearest)
      .With("allowed", Join(known, ", "))
      .Says("{}: there is no {} '{}'{}; known: {}", where, what, ToValidUtf8(name),
            nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest), Join(known, ", "));
}

// Reads one rule; the first error is kept.
class RuleReader {
 public:
  RuleReader(std::string_view pool_type, const Json& rule, std::string where)
      : pool_type_(pool_type), json_(rule), where_(std::move(where)) {}

  absl::StatusOr<Rule> Read() {
    RETURN_IF_ERROR(CheckKeys());
    RETURN_IF_ERROR(ReadField());
    RETURN_IF_ERROR(ReadItems());
    RETURN_IF_ERROR(ReadLimits());
    RETURN_IF_ERROR(ReadFlags());
    RETURN_IF_ERROR(CheckSense());
    return std::move(rule_);
  }

 private:
  std::string At(std::string_view key) const { return fmt::format("{}.{}", where_, key); }
  const Json* Find(const char* key) const {
    const auto found = json_.find(key);
    return found == json_.end() ? nullptr : &*found;
  }

  absl::Status CheckKeys() const {
    if (!json_.is_object()) return Invalid(where_, json_, "is not an object");
    for (const auto& [key, value] : json_.items()) {
      if (std::ranges::count(RuleKeys(), key) == 0) return Unknown(where_, "key", key, RuleKeys());
    }
    return absl::OkStatus();
  }

  absl::Status ReadField() {
    const Json* field = Find("field");
    if (field == nullptr || !field->is_string()) {
      return Invalid(At("field"), field == nullptr ? Json() : *field,
                     "must name the field that the rule is about");
    }
    rule_.name = field->get<std::string>();
    rule_.field = FindField(pool_type_, rule_.name);
    if (rule_.field == nullptr) {
      return Unknown(At("field"), fmt::format("field of {} pools", pool_type_), rule_.name,
                     FieldNames(pool_type_));
    }
    const Json* name = Find("name");
    if (name == nullptr) return absl::OkStatus();
    if (!name->is_string() || name->get_ref<const std::string&>().empty()) {
      return Invalid(At("name"), *name, "must be a text");
    }
    rule_.name = name->get<std::string>();
    return absl::OkStatus();
  }

  absl::Status ReadItems() {
    if (const Json* allow = Find("allow")) {
      RETURN_IF_ERROR(ReadList("allow", *allow, rule_.allow.emplace()));
    }
    if (const Json* deny = Find("deny")) RETURN_IF_ERROR(ReadList("deny", *deny, rule_.deny));
    const Json* include = Find("include");
    if (include == nullptr) return absl::OkStatus();
    std::vector<Json> items;
    RETURN_IF_ERROR(ReadList("include", *include, items));
    for (const Json& item : items) rule_.include.push_back(item.get<std::string>());
    return absl::OkStatus();
  }

  absl::Status ReadList(const char* key, const Json& list, std::vector<Json>& items) const {
    if (!list.is_array() || list.size() > kMostItems) {
      return Invalid(At(key), list, "must be a list of at most 1000 items");
    }
    for (size_t i = 0; i < list.size(); ++i) {
      const bool fits = rule_.field->kind == FieldKind::kFlag     ? list[i].is_boolean()
                        : rule_.field->kind == FieldKind::kNumber ? list[i].is_number()
                        : rule_.field->kind == FieldKind::kAny
                            ? list[i].is_primitive() && !list[i].is_null()
                            : list[i].is_string();
      const bool overlong =
          list[i].is_string() && list[i].get_ref<const std::string&>().size() > kMostGlobBytes;
      if (!fits || overlong || rule_.field->kind == FieldKind::kSize) {
        return Invalid(fmt::format("{}[{}]", At(key), i), list[i],
                       fmt::format("is nothing that '{}' can be, which is {}", rule_.field->name,
                                   KindName(rule_.field->kind)));
      }
      items.push_back(list[i]);
    }
    return absl::OkStatus();
  }

  absl::Status ReadLimits() {
    RETURN_IF_ERROR(ReadLimit("max", rule_.max));
    return ReadLimit("min", rule_.min);
  }

  absl::Status ReadLimit(const char* key, std::optional<double>& limit) const {
    const Json* value = Find(key);
    if (value == nullptr) return absl::OkStatus();
    if (rule_.field->kind == FieldKind::kSize) {
      const auto bytes = ByteSizeOf(*value);
      if (!bytes.has_value()) return Invalid(At(key), *value, "is not a size such as 2g");
      limit = static_cast<double>(*bytes);
    } else if (rule_.field->kind == FieldKind::kNumber) {
      if (!value->is_number()) return Invalid(At(key), *value, "is not a number");
      limit = value->get<double>();
    } else {
      return Misplaced(key);
    }
    return absl::OkStatus();
  }

  absl::Status Misplaced(std::string_view key) const {
    return Invalid(At(key), Json(),
                   fmt::format("has no meaning for '{}', which is {}", rule_.field->name,
                               KindName(rule_.field->kind)));
  }

  absl::Status ReadFlags() {
    RETURN_IF_ERROR(ReadFlag("required", rule_.required));
    RETURN_IF_ERROR(ReadFlag("require_digest", rule_.require_digest));
    RETURN_IF_ERROR(ReadFlag("read_only", rule_.read_only));
    if (rule_.require_digest && rule_.field->kind != FieldKind::kImage) {
      return Misplaced("require_digest");
    }
    if (rule_.read_only && rule_.field->kind != FieldKind::kVolumes) return Misplaced("read_only");
    if (!rule_.include.empty() && rule_.field->kind != FieldKind::kList)
      return Misplaced("include");
    return absl::OkStatus();
  }

  absl::Status ReadFlag(const char* key, bool& flag) const {
    const Json* value = Find(key);
    if (value == nullptr) return absl::OkStatus();
    if (!value->is_boolean()) return Invalid(At(key), *value, "must be true or false");
    flag = value->get<bool>();
    return absl::OkStatus();
  }

  absl::Status CheckSense() const {
    const bool says = rule_.allow.has_value() || !rule_.deny.empty() || rule_.max.has_value() ||
                      rule_.min.has_value() || rule_.required || !rule_.include.empty() ||
                      rule_.require_digest || rule_.read_only;
    if (says) return absl::OkStatus();
    return Invalid(where_, json_,
                   "says nothing: give allow, deny, max, min, required, include, require_digest or "
                   "read_only");
  }

  const std::string_view pool_type_;
  const Json& json_;
  const std::string where_;
  Rule rule_;
};

}  // namespace

absl::StatusOr<std::vector<Rule>> ParseRules(std::string_view pool_type, const Json& document) {
  std::vector<Rule> rules;
  for (const auto& [key, value] : document.items()) {
    if (key != "rules") return Unknown("policy", "key", key, {"rules"});
    if (!value.is_array() || value.size() > kMostRules) {
      return Invalid("policy.rules", value, "must be a list of at most 1000 rules");
    }
    for (size_t i = 0; i < value.size(); ++i) {
      RuleReader reader(pool_type, value[i], fmt::format("policy.rules[{}]", i));
      ASSIGN_OR_RETURN(Rule rule, reader.Read());
      rules.push_back(std::move(rule));
    }
  }
  return rules;
}

}  // namespace forebay
