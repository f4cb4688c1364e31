#include <algorithm>
#include <functional>
#include <unordered_map>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/json_schema/equality.h"
#include "common/json_schema/json_schema.h"
#include "common/json_schema/schema_tree.h"

namespace forebay {
namespace {

constexpr int64_t kPatternMemory = 1 << 20;
constexpr size_t kLongestPattern = 4096;
// Instructions of all patterns together; an ordinary pattern has less than a hundred.
constexpr int64_t kMostInstructions = 200'000;
constexpr size_t kLongestPointer = 16 << 10;

const std::vector<std::string>& Annotations() {
  static const auto* const names = new std::vector<std::string>{
      "title",      "description", "default",   "examples", "format",
      "deprecated", "readOnly",    "writeOnly", "$schema",  "$comment"};
  return *names;
}

std::string Escaped(std::string_view key) {
  return ReplaceAll(ReplaceAll(key, "~", "~0"), "/", "~1");
}

std::string Shortened(const std::string& name) {
  constexpr size_t kShown = 200;
  return name.size() <= kShown ? name : ToValidUtf8(std::string_view(name).substr(0, kShown)) + "…";
}

// "%25" is "%".
std::string PercentDecoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '%' ? HexDecode(text.substr(i + 1, 2)) : std::nullopt;
    decoded += byte.has_value() && byte->size() == 1 ? *byte : std::string(1, text[i]);
    if (byte.has_value() && byte->size() == 1) i += 2;
  }
  return decoded;
}

unsigned TypeBitOf(const Json& name) {
  constexpr std::pair<std::string_view, unsigned> kNames[] = {
      {"null", kNullBit},     {"boolean", kBooleanBit}, {"integer", kIntegerBit},
      {"number", kNumberBit}, {"string", kStringBit},   {"array", kArrayBit},
      {"object", kObjectBit}};
  for (const auto& [text, bit] : kNames) {
    if (name == text) return bit;
  }
  return 0;
}

}  // namespace

// A `$ref` that was met.
struct SchemaReference {
  SchemaNode* from;
  const Json* target;
  // Of the target, and of the keyword.
  std::string pointer, at;
};

// Reads a document. A place that is referred to is read when it is met; each is read once.
class SchemaCompiler {
 public:
  SchemaCompiler(const Json& document, std::string_view field)
      : document_(document), field_(field), tree_(std::make_shared<SchemaTree>()) {}

  absl::StatusOr<std::shared_ptr<const SchemaTree>> Compile() {
    ASSIGN_OR_RETURN(tree_->root_, Read(document_, "", 0));
    RETURN_IF_ERROR(Resolve());
    return std::shared_ptr<const SchemaTree>(std::move(tree_));
  }

 private:
  using Reader = std::function<absl::Status(const Json&)>;

  absl::Status Invalid(const std::string& pointer, const Json& value,
                       std::string_view problem) const {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_SCHEMA")
        .Field(field_ + Shortened(pointer), ShownJson(value))
        .Says("{}{} {}", field_, Shortened(pointer), problem);
  }

  absl::StatusOr<const SchemaNode*> Read(const Json& schema, const std::string& pointer,
                                         int depth) {
    if (const auto known = known_.find(&schema); known != known_.end()) return known->second;
    if (pointer.size() > kLongestPointer) return Invalid(pointer, Json(), "has too long a name");
    if (depth > kMaxSchemaDepth) return Invalid(pointer, Json(), "is nested too deeply");
    if (known_.size() >= static_cast<size_t>(kMaxSchemaNodes)) {
      return Invalid(pointer, Json(), "is one schema too many: at most 10000 are taken");
    }
    SchemaNode* node = tree_->nodes_.emplace_back(std::make_unique<SchemaNode>()).get();
    known_[&schema] = node;
    if (schema.is_boolean()) {
      node->never = !schema.get<bool>();
      return node;
    }
    if (!schema.is_object()) return Invalid(pointer, schema, "must be an object or a boolean");
    RETURN_IF_ERROR(ReadObject(schema, pointer, depth, *node));
    return node;
  }

  absl::Status ReadObject(const Json& schema, const std::string& pointer, int depth,
                          SchemaNode& node) {
    Place place{pointer, depth, node};
    for (const auto& [keyword, value] : schema.items()) {
      if (std::ranges::count(Annotations(), keyword) > 0) continue;
      const std::string at = pointer + "/" + Escaped(keyword);
      const auto reader = ReaderOf(keyword, at, place);
      if (!reader) return UnknownKeyword(pointer, keyword);
      RETURN_IF_ERROR(reader(value));
    }
    return absl::OkStatus();
  }

  absl::Status UnknownKeyword(const std::string& pointer, const std::string& keyword) const {
    std::vector<std::string> known = Keywords();
    const std::string shown = Shortened(keyword);
    const std::string nearest = NearestName(shown, known);
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_SCHEMA")
        .Field(field_ + Shortened(pointer), shown)
        .With("nearest", nearest)
        .With("allowed", Join(known, ", "))
        .Says("{}{} has the keyword `{}`, which is not supported{}", field_, Shortened(pointer),
              shown, nearest.empty() ? "" : fmt::format("; did you mean `{}`?", nearest));
  }

  static std::vector<std::string> Keywords() {
    return {"type",
            "enum",
            "const",
            "properties",
            "patternProperties",
            "additionalProperties",
            "propertyNames",
            "required",
            "minProperties",
            "maxProperties",
            "items",
            "additionalItems",
            "minItems",
            "maxItems",
            "uniqueItems",
            "pattern",
            "minLength",
            "maxLength",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf",
            "anyOf",
            "oneOf",
            "allOf",
            "not",
            "$ref",
            "$defs",
            "definitions",
            "title",
            "description",
            "default",
            "examples",
            "format"};
  }

  // The schema that is being read, and where it stands.
  struct Place {
    const std::string& pointer;
    int depth;
    SchemaNode& node;
  };

  // Nothing for a keyword that is not supported.
  Reader ReaderOf(const std::string& keyword, const std::string& at, Place& place) {
    if (Reader reader = ScalarReader(keyword, at, place.node)) return reader;
    return SchemaReader(keyword, at, place);
  }

  Reader ScalarReader(const std::string& keyword, const std::string& at, SchemaNode& node) {
    const auto number = [this, at](std::optional<Json>& slot) -> Reader {
      return [this, at, &slot](const Json& value) { return ReadNumber(at, value, slot); };
    };
    const auto count = [this, at](std::optional<uint64_t>& slot) -> Reader {
      return [this, at, &slot](const Json& value) { return ReadCount(at, value, slot); };
    };
    if (keyword == "minimum") return number(node.minimum);
    if (keyword == "maximum") return number(node.maximum);
    if (keyword == "exclusiveMinimum") return number(node.exclusive_minimum);
    if (keyword == "exclusiveMaximum") return number(node.exclusive_maximum);
    if (keyword == "multipleOf") return number(node.multiple_of);
    if (keyword == "minLength") return count(node.min_length);
    if (keyword == "maxLength") return count(node.max_length);
    if (keyword == "minItems") return count(node.min_items);
    if (keyword == "maxItems") return count(node.max_items);
    if (keyword == "minProperties") return count(node.min_properties);
    if (keyword == "maxProperties") return count(node.max_properties);
    const auto with = [this, at, &node](auto method) -> Reader {
      return
          [this, at, &node, method](const Json& value) { return (this->*method)(at, value, node); };
    };
    if (keyword == "type") return with(&SchemaCompiler::ReadType);
    if (keyword == "enum") return with(&SchemaCompiler::ReadEnum);
    if (keyword == "const") return with(&SchemaCompiler::ReadConst);
    if (keyword == "pattern") return with(&SchemaCompiler::ReadPattern);
    if (keyword == "uniqueItems") return with(&SchemaCompiler::ReadUnique);
    if (keyword == "required") return with(&SchemaCompiler::ReadRequired);
    return nullptr;
  }

  Reader SchemaReader(const std::string& keyword, const std::string& at, const Place& place) {
    SchemaNode& node = place.node;
    const int depth = place.depth + 1;
    const auto one = [this, at, depth](const SchemaNode*& slot) -> Reader {
      return
          [this, at, depth, &slot](const Json& value) { return ReadOne(at, value, depth, slot); };
    };
    const auto list = [this, at, depth](std::vector<const SchemaNode*>& slot) -> Reader {
      return
          [this, at, depth, &slot](const Json& value) { return ReadList(at, value, depth, slot); };
    };
    if (keyword == "additionalProperties") return one(node.additional_properties);
    if (keyword == "propertyNames") return one(node.property_names);
    if (keyword == "additionalItems") return one(node.additional_items);
    if (keyword == "not") return one(node.negated);
    if (keyword == "allOf") return list(node.all_of);
    if (keyword == "anyOf") return list(node.any_of);
    if (keyword == "oneOf") return list(node.one_of);
    const auto with = [this, at, depth, &node](auto method) -> Reader {
      return [this, at, depth, &node, method](const Json& value) {
        return (this->*method)(at, value, depth, node);
      };
    };
    if (keyword == "items") return with(&SchemaCompiler::ReadItems);
    if (keyword == "properties") return with(&SchemaCompiler::ReadProperties);
    if (keyword == "patternProperties") return with(&SchemaCompiler::ReadPatternProperties);
    if (keyword == "$ref") return with(&SchemaCompiler::ReadRef);
    if (keyword == "$defs" || keyword == "definitions") {
      return with(&SchemaCompiler::ReadDefinitions);
    }
    return nullptr;
  }

  absl::Status ReadNumber(const std::string& at, const Json& value, std::optional<Json>& slot) {
    if (!value.is_number()) return Invalid(at, value, "must be a number");
    if (at.ends_with("/multipleOf") && CompareNumbers(value, Json(0)) <= 0) {
      return Invalid(at, value, "must be above 0");
    }
    slot = value;
    return absl::OkStatus();
  }

  absl::Status ReadCount(const std::string& at, const Json& value, std::optional<uint64_t>& slot) {
    constexpr double kMost = 9007199254740992.0;
    if (!IsInteger(value) || CompareNumbers(value, Json(0)) < 0 ||
        CompareNumbers(value, Json(kMost)) > 0) {
      return Invalid(at, value, "must be a whole number from 0 on");
    }
    slot = value.is_number_float() ? static_cast<uint64_t>(value.get<double>())
                                   : value.get<uint64_t>();
    return absl::OkStatus();
  }

  absl::Status ReadType(const std::string& at, const Json& value, SchemaNode& node) {
    const Json list = value.is_array() ? value : Json::array({value});
    for (const Json& name : list) {
      const unsigned bit = TypeBitOf(name);
      if (bit == 0) {
        return Invalid(at, value,
                       "must name types: null, boolean, integer, number, string, array, object");
      }
      node.types |= bit;
    }
    return node.types == 0 ? Invalid(at, value, "names no type") : absl::OkStatus();
  }

  absl::Status ReadEnum(const std::string& at, const Json& value, SchemaNode& node) {
    if (!value.is_array()) return Invalid(at, value, "must be a list of values");
    AllowedValues& allowed = node.values.emplace();
    for (const Json& item : value) {
      if (allowed.texts.insert(CanonicalText(item)).second) allowed.values.push_back(item);
    }
    return absl::OkStatus();
  }

  absl::Status ReadConst(const std::string&, const Json& value, SchemaNode& node) {
    node.constant = {{value}, {CanonicalText(value)}};
    return absl::OkStatus();
  }

  absl::StatusOr<std::shared_ptr<const RE2>> MakePattern(const std::string& at,
                                                         const std::string& text) {
    if (text.size() > kLongestPattern) {
      return Invalid(at, Json(text.substr(0, 100)), "is longer than 4096 bytes");
    }
    RE2::Options options;
    options.set_max_mem(kPatternMemory);
    options.set_log_errors(false);
    auto pattern = std::make_shared<const RE2>(text, options);
    if (!pattern->ok()) {
      return Invalid(at, Json(text), "is not a pattern of RE2: " + pattern->error());
    }
    instructions_ += pattern->ProgramSize();
    if (instructions_ <= kMostInstructions) return pattern;
    return Invalid(at, Json(text), "is one pattern too many: all of them together are too large");
  }

  absl::Status ReadPattern(const std::string& at, const Json& value, SchemaNode& node) {
    if (!value.is_string()) return Invalid(at, value, "must be a string");
    ASSIGN_OR_RETURN(node.pattern, MakePattern(at, value.get<std::string>()));
    return absl::OkStatus();
  }

  absl::Status ReadUnique(const std::string& at, const Json& value, SchemaNode& node) {
    if (!value.is_boolean()) return Invalid(at, value, "must be true or false");
    node.unique_items = value.get<bool>();
    return absl::OkStatus();
  }

  absl::Status ReadRequired(const std::string& at, const Json& value, SchemaNode& node) {
    const auto is_text = [](const Json& item) { return item.is_string(); };
    if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_text)) {
      return Invalid(at, value, "must be a list of names");
    }
    for (const Json& item : value) {
      auto name = item.get<std::string>();
      if (node.required_names.insert(name).second) node.required.push_back(std::move(name));
    }
    return absl::OkStatus();
  }

  absl::Status ReadOne(const std::string& at, const Json& value, int depth,
                       const SchemaNode*& slot) {
    ASSIGN_OR_RETURN(slot, Read(value, at, depth));
    return absl::OkStatus();
  }

  absl::Status ReadList(const std::string& at, const Json& value, int depth,
                        std::vector<const SchemaNode*>& slot) {
    if (!value.is_array() || value.empty()) {
      return Invalid(at, value, "must be a list of at least one schema");
    }
    for (size_t i = 0; i < value.size(); ++i) {
      ASSIGN_OR_RETURN(const SchemaNode* node, Read(value[i], fmt::format("{}/{}", at, i), depth));
      slot.push_back(node);
    }
    return absl::OkStatus();
  }

  absl::Status ReadItems(const std::string& at, const Json& value, int depth, SchemaNode& node) {
    if (!value.is_array()) return ReadOne(at, value, depth, node.items);
    return value.empty() ? absl::OkStatus() : ReadList(at, value, depth, node.tuple);
  }

  absl::Status ReadProperties(const std::string& at, const Json& value, int depth,
                              SchemaNode& node) {
    if (!value.is_object()) return Invalid(at, value, "must be an object of schemas");
    for (const auto& [name, schema] : value.items()) {
      ASSIGN_OR_RETURN(node.properties[name], Read(schema, at + "/" + Escaped(name), depth));
    }
    return absl::OkStatus();
  }

  absl::Status ReadPatternProperties(const std::string& at, const Json& value, int depth,
                                     SchemaNode& node) {
    if (!value.is_object()) return Invalid(at, value, "must be an object of schemas");
    for (const auto& [text, schema] : value.items()) {
      const std::string place = at + "/" + Escaped(text);
      ASSIGN_OR_RETURN(auto pattern, MakePattern(place, text));
      ASSIGN_OR_RETURN(const SchemaNode* child, Read(schema, place, depth));
      node.pattern_properties.emplace_back(std::move(pattern), child);
    }
    return absl::OkStatus();
  }

  absl::Status ReadDefinitions(const std::string& at, const Json& value, int depth, SchemaNode&) {
    if (!value.is_object()) return Invalid(at, value, "must be an object of schemas");
    for (const auto& [name, schema] : value.items()) {
      RETURN_IF_ERROR(Read(schema, at + "/" + Escaped(name), depth).status());
    }
    return absl::OkStatus();
  }

  absl::Status ReadRef(const std::string& at, const Json& value, int, SchemaNode& node) {
    if (!value.is_string() || !value.get_ref<const std::string&>().starts_with('#')) {
      return Invalid(at, value, "must begin with '#': only places in this document are looked up");
    }
    std::string pointer = PercentDecoded(value.get_ref<const std::string&>().substr(1));
    const Json* target = Find(pointer);
    if (target == nullptr) return Invalid(at, value, "points to nothing in this document");
    references_.push_back({&node, target, std::move(pointer), at});
    return absl::OkStatus();
  }

  const Json* Find(const std::string& pointer) const {
    if (!pointer.empty() && pointer[0] != '/') return nullptr;
    const Json* at = &document_;
    if (pointer.empty()) return at;
    for (const std::string_view step : Split(std::string_view(pointer).substr(1), '/')) {
      const std::string key = ReplaceAll(ReplaceAll(step, "~1", "/"), "~0", "~");
      if (at->is_object()) {
        const auto found = at->find(key);
        at = found == at->end() ? nullptr : &*found;
      } else if (at->is_array()) {
        const auto index = ParseInt(key);
        const bool fits =
            index.has_value() && *index >= 0 && static_cast<size_t>(*index) < at->size();
        at = fits ? &(*at)[static_cast<size_t>(*index)] : nullptr;
      } else {
        at = nullptr;
      }
      if (at == nullptr) return nullptr;
    }
    return at;
  }

  // Reads what is referred to, from its own place on, so that the order of definitions and the way
  // that leads there do not matter. What is read may refer to more.
  absl::Status Resolve() {
    for (size_t i = 0; i < references_.size(); ++i) {
      const SchemaReference reference = references_[i];
      ASSIGN_OR_RETURN(reference.from->ref, Read(*reference.target, reference.pointer, 0));
    }
    std::vector<const SchemaNode*> ends;
    for (const SchemaReference& reference : references_) {
      ASSIGN_OR_RETURN(ends.emplace_back(), EndOf(reference));
    }
    for (size_t i = 0; i < ends.size(); ++i) references_[i].from->ref = ends[i];
    return absl::OkStatus();
  }

  // A schema that only leads to others, and in the end to itself, says nothing.
  absl::StatusOr<const SchemaNode*> EndOf(const SchemaReference& reference) const {
    const SchemaNode* last = reference.from->ref;
    for (int steps = 0; last->ref != nullptr; last = last->ref) {
      if (++steps <= kMaxSchemaDepth) continue;
      return Invalid(reference.at, Json(), "refers to itself in a circle, or by too many steps");
    }
    return last;
  }

  const Json& document_;
  const std::string field_;
  std::shared_ptr<SchemaTree> tree_;
  std::unordered_map<const Json*, const SchemaNode*> known_;
  std::vector<SchemaReference> references_;
  int64_t instructions_ = 0;
};

absl::StatusOr<std::shared_ptr<const SchemaTree>> SchemaTree::Compile(const Json& schema,
                                                                      std::string_view field) {
  return SchemaCompiler(schema, field).Compile();
}

}  // namespace forebay
