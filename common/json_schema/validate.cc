#include "common/json_schema/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "common/base/text.h"
#include "common/json_schema/equality.h"

namespace forebay {
namespace {

constexpr size_t kMostViolations = 20;
constexpr size_t kShownBytes = 120;

std::string Shown(const Json& value) {
  const std::string text = DumpJson(value);
  if (text.size() <= kShownBytes) return text;
  return ToValidUtf8(std::string_view(text).substr(0, kShownBytes)) + "…";
}

uint64_t CodePoints(const std::string& text) {
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  return static_cast<uint64_t>(std::count_if(text.begin(), text.end(), begins));
}

std::string StepOf(std::string_view key) {
  if (key.find_first_of("~/") == std::string_view::npos) return std::string(key);
  return ReplaceAll(ReplaceAll(key, "~", "~0"), "/", "~1");
}

bool IsMultiple(const Json& value, const Json& of) {
  if (value.is_number_integer() && of.is_number_integer() && of.get<int64_t>() > 0) {
    if (value.is_number_unsigned()) return value.get<uint64_t>() % of.get<uint64_t>() == 0;
    return value.get<int64_t>() % of.get<int64_t>() == 0;
  }
  const long double quotient =
      static_cast<long double>(value.get<double>()) / static_cast<long double>(of.get<double>());
  constexpr long double kTolerance = 1e-9L;
  const long double nearest = std::round(quotient);
  return std::isfinite(quotient) &&
         std::abs(quotient - nearest) <= kTolerance * std::max(1.0L, std::abs(quotient));
}

// One comparison of a document with a schema.
class Validation {
 public:
  explicit Validation(const SchemaOptions& options) : options_(options) {}

  std::vector<SchemaViolation> Run(const SchemaNode& root, const Json& value) {
    Check(root, value);
    return std::move(violations_);
  }

 private:
  // Whether the value fits. Goes on after a violation, as far as violations are kept.
  bool Check(const SchemaNode& node, const Json& value) {
    if (node.ref != nullptr) return Check(*node.ref, value);
    if (options_.fits_anything != nullptr && options_.fits_anything(value)) return true;
    if (depth_ >= kMaxSchemaDepth) {
      return Fail("depth", value, "", "is nested deeper than this can be checked");
    }
    if (++comparisons_ > kMaxSchemaNodes) {
      return Fail("size", value, "", "is more than this can be checked");
    }
    ++depth_;
    const bool fits = CheckNode(node, value);
    --depth_;
    return fits;
  }

  bool CheckNode(const SchemaNode& node, const Json& value) {
    if (node.never) return Fail("false", value, "nothing", "may not be here");
    bool fits = CheckType(node, value) && CheckValues(node, value);
    if (value.is_number()) fits = CheckNumber(node, value) && fits;
    if (value.is_string()) fits = CheckString(node, value) && fits;
    if (value.is_array()) fits = CheckArray(node, value) && fits;
    if (value.is_object()) fits = CheckObject(node, value) && fits;
    return CheckCombinations(node, value) && fits;
  }

  bool CheckType(const SchemaNode& node, const Json& value) {
    if (node.types == 0) return true;
    const unsigned type = TypeOf(value);
    if ((node.types & type) != 0) return true;
    if (type == kIntegerBit && (node.types & kNumberBit) != 0) return true;
    return Fail("type", value, TypesText(node.types),
                fmt::format("must be {}, not {}", TypesText(node.types), TypesText(type)));
  }

  bool CheckValues(const SchemaNode& node, const Json& value) {
    if (!node.values.has_value()) return true;
    const std::string canonical = CanonicalText(value);
    for (const auto& [text, allowed] : *node.values) {
      if (text == canonical) return true;
    }
    const std::string allowed = Describe(node);
    std::vector<std::string> names;
    for (const auto& [text, name] : *node.values) {
      if (name.is_string()) names.push_back(name.get<std::string>());
    }
    const std::string nearest =
        value.is_string() ? NearestName(value.get_ref<const std::string&>(), names) : "";
    return Fail(node.values->size() == 1 ? "const" : "enum", value, allowed,
                fmt::format("must be one of {}{}", allowed,
                            nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest)),
                nearest);
  }

  bool CheckNumber(const SchemaNode& node, const Json& value) {
    bool fits = true;
    const auto bound = [&](const std::optional<Json>& limit, const char* rule, auto wrong,
                           std::string_view words) {
      if (!limit.has_value() || !wrong(CompareNumbers(value, *limit))) return;
      const std::string allowed = fmt::format("{} {}", words, DumpJson(*limit));
      fits = Fail(rule, value, allowed, fmt::format("must be {}", allowed));
    };
    bound(
        node.minimum, "minimum", [](int order) { return order < 0; }, "at least");
    bound(
        node.maximum, "maximum", [](int order) { return order > 0; }, "at most");
    bound(
        node.exclusive_minimum, "exclusiveMinimum", [](int order) { return order <= 0; },
        "more than");
    bound(
        node.exclusive_maximum, "exclusiveMaximum", [](int order) { return order >= 0; },
        "less than");
    if (node.multiple_of.has_value() && !IsMultiple(value, *node.multiple_of)) {
      const std::string allowed = "a multiple of " + DumpJson(*node.multiple_of);
      fits = Fail("multipleOf", value, allowed, "must be " + allowed);
    }
    return fits;
  }

  bool CheckCount(const std::optional<uint64_t>& least, const std::optional<uint64_t>& most,
                  uint64_t count, const Json& value, std::string_view what) {
    const std::string title{what};
    if (least.has_value() && count < *least) {
      const std::string allowed = fmt::format("at least {} {}", *least, Unit(what));
      return Fail("min" + title, value, allowed, "must have " + allowed);
    }
    if (most.has_value() && count > *most) {
      const std::string allowed = fmt::format("at most {} {}", *most, Unit(what));
      return Fail("max" + title, value, allowed, "must have " + allowed);
    }
    return true;
  }

  static std::string_view Unit(std::string_view what) {
    if (what == "Length") return "characters";
    return what == "Items" ? "items" : "entries";
  }

  bool CheckString(const SchemaNode& node, const Json& value) {
    const auto& text = value.get_ref<const std::string&>();
    bool fits = true;
    if (node.min_length.has_value() || node.max_length.has_value()) {
      fits = CheckCount(node.min_length, node.max_length, CodePoints(text), value, "Length");
    }
    if (node.pattern == nullptr || RE2::PartialMatch(text, *node.pattern)) return fits;
    return Fail("pattern", value, node.pattern->pattern(),
                fmt::format("must be like {}", node.pattern->pattern()));
  }

  bool CheckArray(const SchemaNode& node, const Json& value) {
    bool fits = CheckCount(node.min_items, node.max_items, value.size(), value, "Items");
    for (size_t i = 0; i < value.size(); ++i) {
      const SchemaNode* schema = ItemSchema(node, i);
      if (schema != nullptr) fits = CheckBelow(*schema, value[i], std::to_string(i)) && fits;
    }
    return (!node.unique_items || CheckUnique(value)) && fits;
  }

  static const SchemaNode* ItemSchema(const SchemaNode& node, size_t index) {
    if (node.items != nullptr) return node.items;
    if (index < node.tuple.size()) return node.tuple[index];
    return node.tuple.empty() ? nullptr : node.additional_items;
  }

  bool CheckUnique(const Json& value) {
    std::set<std::string> seen;
    for (const Json& item : value) {
      if (!seen.insert(CanonicalText(item)).second) {
        return Fail("uniqueItems", item, "each item once",
                    fmt::format("holds {} twice", Shown(item)));
      }
    }
    return true;
  }

  bool CheckObject(const SchemaNode& node, const Json& value) {
    bool fits =
        CheckCount(node.min_properties, node.max_properties, value.size(), value, "Properties");
    fits = CheckRequired(node, value) && fits;
    for (const auto& [key, child] : value.items()) {
      if (node.property_names != nullptr) {
        fits = CheckBelow(*node.property_names, Json(key), key) && fits;
      }
      if (child.is_null() && options_.null_is_absent && node.properties.contains(key) &&
          std::ranges::count(node.required, key) == 0) {
        continue;
      }
      fits = CheckProperty(node, key, child) && fits;
    }
    return fits;
  }

  bool CheckRequired(const SchemaNode& node, const Json& value) {
    if (pointer_.empty() && !options_.require_top) return true;
    bool fits = true;
    for (const std::string& name : node.required) {
      const auto found = value.find(name);
      if (found != value.end() && !(options_.null_is_absent && found->is_null())) continue;
      const auto schema = node.properties.find(name);
      const std::string allowed = schema == node.properties.end() ? "" : Describe(*schema->second);
      const size_t length = Descend(name);
      fits = Fail("required", Json(), allowed,
                  allowed.empty() ? "must be given" : "must be given: " + allowed);
      pointer_.resize(length);
    }
    return fits;
  }

  bool CheckProperty(const SchemaNode& node, const std::string& key, const Json& value) {
    bool known = false;
    bool fits = true;
    if (const auto named = node.properties.find(key); named != node.properties.end()) {
      known = true;
      fits = CheckBelow(*named->second, value, key);
    }
    for (const auto& [pattern, schema] : node.pattern_properties) {
      if (!RE2::PartialMatch(key, *pattern)) continue;
      known = true;
      fits = CheckBelow(*schema, value, key) && fits;
    }
    if (known || node.additional_properties == nullptr) return fits;
    if (node.additional_properties->never) return FailUnknown(node, key, value);
    return CheckBelow(*node.additional_properties, value, key);
  }

  bool FailUnknown(const SchemaNode& node, const std::string& key, const Json& value) {
    std::vector<std::string> names;
    for (const auto& [name, schema] : node.properties) names.push_back(name);
    const std::string nearest = NearestName(key, names);
    const size_t length = Descend(key);
    const std::string known = Join(names, ", ");
    Fail("additionalProperties", value, known,
         fmt::format("is not known{}", nearest.empty()
                                           ? (known.empty() ? "" : "; known: " + known)
                                           : fmt::format("; did you mean '{}'?", nearest)),
         nearest);
    pointer_.resize(length);
    return false;
  }

  bool CheckCombinations(const SchemaNode& node, const Json& value) {
    bool fits = true;
    for (const SchemaNode* part : node.all_of) fits = Check(*part, value) && fits;
    if (!node.any_of.empty() && Fitting(node.any_of, value) == 0) {
      const std::string allowed = Alternatives(node.any_of);
      fits = Fail("anyOf", value, allowed, "must be " + allowed);
    }
    if (!node.one_of.empty()) {
      const size_t count = Fitting(node.one_of, value);
      const std::string allowed = Alternatives(node.one_of);
      if (count == 0) fits = Fail("oneOf", value, allowed, "must be " + allowed);
      if (count > 1) {
        fits = Fail("oneOf", value, allowed, "fits more than one of: " + allowed);
      }
    }
    if (node.negated != nullptr && Quietly(*node.negated, value)) {
      fits = Fail("not", value, "anything but " + Describe(*node.negated),
                  "must not be " + Describe(*node.negated));
    }
    return fits;
  }

  size_t Fitting(const std::vector<const SchemaNode*>& schemas, const Json& value) {
    size_t count = 0;
    for (const SchemaNode* schema : schemas) count += Quietly(*schema, value) ? 1 : 0;
    return count;
  }

  static std::string Alternatives(const std::vector<const SchemaNode*>& schemas) {
    std::vector<std::string> texts;
    for (const SchemaNode* schema : schemas) texts.push_back(Describe(*schema));
    return Join(texts, ", or ");
  }

  bool Quietly(const SchemaNode& schema, const Json& value) {
    ++quiet_;
    const bool fits = Check(schema, value);
    --quiet_;
    return fits;
  }

  bool CheckBelow(const SchemaNode& schema, const Json& value, std::string_view key) {
    const size_t length = Descend(key);
    const bool fits = Check(schema, value);
    pointer_.resize(length);
    return fits;
  }

  size_t Descend(std::string_view key) {
    const size_t length = pointer_.size();
    pointer_ += '/';
    pointer_ += StepOf(key);
    return length;
  }

  bool Fail(std::string rule, const Json& value, std::string allowed, std::string message,
            std::string nearest = "") {
    if (quiet_ == 0 && violations_.size() < kMostViolations) {
      violations_.push_back({pointer_, std::move(rule), Shown(value), std::move(allowed),
                             std::move(nearest), std::move(message)});
    }
    return false;
  }

  const SchemaOptions& options_;
  std::vector<SchemaViolation> violations_;
  std::string pointer_;
  int depth_ = 0;
  int comparisons_ = 0;
  // Inside of alternatives, whose violations are nobody's business.
  int quiet_ = 0;
};

}  // namespace

std::vector<SchemaViolation> ValidateAgainst(const SchemaNode& root, const Json& value,
                                             const SchemaOptions& options) {
  return Validation(options).Run(root, value);
}

}  // namespace forebay
