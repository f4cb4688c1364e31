#include "common/json_schema/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "common/base/text.h"
#include "common/json_schema/equality.h"

namespace forebay {
namespace {

constexpr size_t kMostViolations = 20;
constexpr char kTooMuch[] = "is more than this can be checked";
// A name may be near to one of so many, if it is no longer than that.
constexpr size_t kMostCandidates = 1000;
constexpr size_t kLongestCandidate = 100;
constexpr size_t kPatternCost = 8;

uint64_t CodePoints(const std::string& text) {
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  return static_cast<uint64_t>(std::count_if(text.begin(), text.end(), begins));
}

std::string StepOf(std::string_view key) {
  if (key.find_first_of("~/") == std::string_view::npos) return std::string(key);
  return ReplaceAll(ReplaceAll(key, "~", "~0"), "/", "~1");
}

std::string DidYouMean(std::string_view nearest) {
  return nearest.empty() ? "" : fmt::format("; did you mean `{}`?", nearest);
}

// One comparison of a document with a schema.
class Validation {
 public:
  explicit Validation(const SchemaOptions& options) : options_(options) {}

  std::vector<SchemaViolation> Run(const SchemaNode& root, const Json& value) {
    Check(root, value);
    // Where a bound ended the check inside of an alternative, nothing has been said of it yet.
    if (violations_.empty() && bound_ != nullptr) Fail(bound_, value, "", kTooMuch);
    return std::move(violations_);
  }

 private:
  // Whether the value fits. Goes on after a violation, as far as violations are kept.
  bool Check(const SchemaNode& node, const Json& value) {
    if (node.ref != nullptr) return Check(*node.ref, value);
    if (options_.fits_anything != nullptr && options_.fits_anything(value)) return true;
    if (depth_ >= kMaxSchemaDepth) {
      bound_ = "depth";
      return Fail(bound_, value, "", "is nested deeper than this can be checked");
    }
    if (++comparisons_ > kMaxSchemaNodes ||
        !Spend(1 + (value.is_structured() ? value.size() : 0))) {
      bound_ = "size";
      return Fail(bound_, value, "", kTooMuch);
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

  // Takes from what may be looked at; false when that is used up.
  bool Spend(size_t amount) {
    work_ += std::min(amount, kMaxSchemaWork);
    if (work_ <= kMaxSchemaWork) return true;
    bound_ = "size";
    return false;
  }

  // Whether a violation that is found now will be told.
  bool Telling() const { return quiet_ == 0 && violations_.size() < kMostViolations; }

  // The value itself may get more properties.
  bool IsPartial() const { return !options_.require_top && pointer_.empty(); }

  bool CheckValues(const SchemaNode& node, const Json& value) {
    if (!node.values.has_value() && !node.constant.has_value()) return true;
    const std::string canonical = CanonicalText(value);
    Spend(canonical.size());
    if (node.constant.has_value() && !node.constant->texts.contains(canonical)) {
      const std::string allowed = ShownJson(node.constant->values.front());
      return Fail("const", value, allowed, "must be " + allowed);
    }
    if (!node.values.has_value() || node.values->texts.contains(canonical)) return true;
    return FailEnum(node, value);
  }

  bool FailEnum(const SchemaNode& node, const Json& value) {
    if (!Telling()) return false;
    std::vector<std::string> names;
    for (const Json& name : node.values->values) {
      if (name.is_string()) names.push_back(name.get<std::string>());
    }
    const std::string allowed = Describe(node);
    const std::string nearest =
        value.is_string() ? Nearest(value.get_ref<const std::string&>(), names) : "";
    return Fail("enum", value, allowed,
                fmt::format("must be one of {}{}", allowed, DidYouMean(nearest)), nearest);
  }

  static std::string Nearest(const std::string& name, std::vector<std::string> candidates) {
    if (name.size() > kLongestCandidate) return "";
    std::erase_if(candidates, [](const auto& other) { return other.size() > kLongestCandidate; });
    if (candidates.size() > kMostCandidates) candidates.resize(kMostCandidates);
    return NearestName(name, candidates);
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
    if (node.pattern == nullptr || Matches(text, *node.pattern)) return fits;
    return Fail("pattern", value, node.pattern->pattern(),
                fmt::format("must be like {}", node.pattern->pattern()));
  }

  bool Matches(const std::string& text, const RE2& pattern) {
    return Spend(kPatternCost * (text.size() + 1)) && RE2::PartialMatch(text, pattern);
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
    std::unordered_set<std::string> seen;
    for (const Json& item : value) {
      std::string text = CanonicalText(item);
      if (!Spend(text.size())) return false;
      if (!seen.insert(std::move(text)).second) {
        return Fail("uniqueItems", item, "each item once",
                    fmt::format("holds {} twice", ShownJson(item)));
      }
    }
    return true;
  }

  bool CheckObject(const SchemaNode& node, const Json& value) {
    bool fits = CheckCount(IsPartial() ? std::nullopt : node.min_properties, node.max_properties,
                           value.size(), value, "Properties");
    fits = CheckRequired(node, value) && fits;
    for (const auto& [key, child] : value.items()) {
      if (node.property_names != nullptr) {
        fits = CheckBelow(*node.property_names, Json(key), key) && fits;
      }
      // What is required and null has been told as missing.
      if (child.is_null() && options_.null_is_absent && node.properties.contains(key) &&
          !(IsPartial() && node.required_names.contains(key))) {
        continue;
      }
      fits = CheckProperty(node, key, child) && fits;
    }
    return fits;
  }

  bool CheckRequired(const SchemaNode& node, const Json& value) {
    if (node.required.empty() || IsPartial()) return true;
    // Each look-up goes through the object.
    if (!Spend(node.required.size() * (value.size() / 4 + 1))) return false;
    bool fits = true;
    for (const std::string& name : node.required) {
      const auto found = value.find(name);
      if (found != value.end() && !(options_.null_is_absent && found->is_null())) continue;
      fits = false;
      if (!Telling()) break;
      const auto schema = node.properties.find(name);
      const std::string allowed = schema == node.properties.end() ? "" : Describe(*schema->second);
      const size_t length = Descend(name);
      Fail("required", Json(), allowed,
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
      if (!Matches(key, *pattern)) continue;
      known = true;
      fits = CheckBelow(*schema, value, key) && fits;
    }
    if (known || node.additional_properties == nullptr) return fits;
    if (node.additional_properties->never) return FailUnknown(node, key, value);
    return CheckBelow(*node.additional_properties, value, key);
  }

  bool FailUnknown(const SchemaNode& node, const std::string& key, const Json& value) {
    if (!Telling()) return false;
    std::vector<std::string> names;
    for (const auto& [name, schema] : node.properties) names.push_back(name);
    const std::string nearest = Nearest(key, names);
    const std::string known = KnownNames(names);
    const std::string hint = nearest.empty() && !known.empty() ? "; known: " + known : "";
    const size_t length = Descend(key);
    Fail("additionalProperties", value, known,
         fmt::format("is not known{}{}", hint, DidYouMean(nearest)), nearest);
    pointer_.resize(length);
    return false;
  }

  static std::string KnownNames(std::vector<std::string>& names) {
    constexpr size_t kMost = 50;
    if (names.size() <= kMost) return Join(names, ", ");
    names.resize(kMost);
    return Join(names, ", ") + ", …";
  }

  bool CheckCombinations(const SchemaNode& node, const Json& value) {
    bool fits = true;
    for (const SchemaNode* part : node.all_of) fits = Check(*part, value) && fits;
    if (!node.any_of.empty() && Fitting(node.any_of, value, 1) == 0) {
      fits = FailAlternatives("anyOf", "must be ", node.any_of, value);
    }
    if (!node.one_of.empty()) fits = CheckOneOf(node, value) && fits;
    if (node.negated != nullptr && !IsPartial() && Quietly(*node.negated, value)) {
      const std::string what = Describe(*node.negated);
      fits = Fail("not", value, "anything but " + what, "must not be " + what);
    }
    return fits;
  }

  bool CheckOneOf(const SchemaNode& node, const Json& value) {
    const size_t count = Fitting(node.one_of, value, 2);
    if (count == 1 || (count == 2 && IsPartial())) return true;
    return FailAlternatives("oneOf", count == 0 ? "must be " : "must be only one of: ", node.one_of,
                            value);
  }

  bool FailAlternatives(const char* rule, std::string_view words,
                        const std::vector<const SchemaNode*>& schemas, const Json& value) {
    if (!Telling()) return false;
    const std::string allowed = DescribeAny(schemas);
    return Fail(rule, value, allowed, std::string(words) + allowed);
  }

  // How many fit; stops counting at `enough`.
  size_t Fitting(const std::vector<const SchemaNode*>& schemas, const Json& value, size_t enough) {
    size_t count = 0;
    for (const SchemaNode* schema : schemas) {
      if (Quietly(*schema, value) && ++count == enough) break;
    }
    return count;
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
    if (Telling()) {
      violations_.push_back({pointer_, std::move(rule), ShownJson(value), std::move(allowed),
                             std::move(nearest), std::move(message)});
    }
    return false;
  }

  const SchemaOptions& options_;
  std::vector<SchemaViolation> violations_;
  std::string pointer_;
  int depth_ = 0;
  int comparisons_ = 0;
  size_t work_ = 0;
  // The bound that ended the check somewhere, or null.
  const char* bound_ = nullptr;
  // Inside of alternatives, whose violations are nobody's business.
  int quiet_ = 0;
};

}  // namespace

std::vector<SchemaViolation> ValidateAgainst(const SchemaNode& root, const Json& value,
                                             const SchemaOptions& options) {
  return Validation(options).Run(root, value);
}

}  // namespace forebay
