// Properties of schema validation that hold for every value.

#include <rapidcheck.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json_schema/json_schema.h"

namespace forebay {
namespace {

rc::Gen<Json> Leaf() {
  return rc::gen::oneOf(
      rc::gen::just(Json()),
      rc::gen::map(rc::gen::arbitrary<bool>(), [](bool v) { return Json(v); }),
      rc::gen::map(rc::gen::arbitrary<int64_t>(), [](int64_t v) { return Json(v); }),
      rc::gen::map(rc::gen::arbitrary<uint64_t>(), [](uint64_t v) { return Json(v); }),
      rc::gen::map(rc::gen::inRange(-4, 4), [](int v) { return Json(v / 2.0); }),
      rc::gen::map(rc::gen::element<std::string>("", "a", "ä", "1", "a/b~c"),
                   [](const std::string& v) { return Json(v); }));
}

rc::Gen<Json> Tree(int depth) {
  if (depth == 0) return Leaf();
  const auto list =
      rc::gen::map(rc::gen::resize(4, rc::gen::container<std::vector<Json>>(Tree(depth - 1))),
                   [](const std::vector<Json>& items) { return Json(items); });
  const auto name = rc::gen::element<std::string>("a", "b", "c", "x/y", "");
  const auto members =
      rc::gen::resize(4, rc::gen::container<std::vector<std::pair<std::string, Json>>>(
                             rc::gen::pair(name, Tree(depth - 1))));
  const auto object =
      rc::gen::map(members, [](const std::vector<std::pair<std::string, Json>>& pairs) {
        Json value = Json::object();
        for (const auto& [key, member] : pairs) value[key] = member;
        return value;
      });
  return rc::gen::oneOf(Leaf(), list, object);
}

JsonSchema Schema(const Json& text) {
  auto schema = JsonSchema::Parse(text, "schema");
  RC_ASSERT(schema.ok());
  return *std::move(schema);
}

bool Fits(const Json& schema, const Json& value) {
  return Schema(schema).Validate(value, {}).empty();
}

// The strictest schema that can be read off a value.
Json SchemaOf(const Json& value) {
  Json schema = Json::object();
  if (value.is_object()) {
    schema["type"] = "object";
    schema["additionalProperties"] = false;
    schema["minProperties"] = schema["maxProperties"] = value.size();
    schema["required"] = Json::array();
    schema["properties"] = Json::object();
    for (const auto& [name, member] : value.items()) {
      schema["required"].push_back(name);
      schema["properties"][name] = SchemaOf(member);
    }
  } else if (value.is_array()) {
    schema["type"] = "array";
    schema["minItems"] = schema["maxItems"] = value.size();
    schema["additionalItems"] = false;
    schema["items"] = Json::array();
    for (const Json& item : value) schema["items"].push_back(SchemaOf(item));
  } else if (value.is_number()) {
    schema["type"] = "number";
    schema["minimum"] = schema["maximum"] = value;
  } else {
    schema["type"] = JsonTypeName(value);
    schema["const"] = value;
  }
  return schema;
}

Json WithKeysReversed(const Json& value) {
  if (!value.is_structured()) return value;
  Json turned = value.is_array() ? Json::array() : Json::object();
  if (value.is_array()) {
    for (const Json& item : value) turned.push_back(WithKeysReversed(item));
    return turned;
  }
  std::vector<std::string> names;
  for (const auto& [name, member] : value.items()) names.push_back(name);
  std::reverse(names.begin(), names.end());
  for (const std::string& name : names) turned[name] = WithKeysReversed(value[name]);
  return turned;
}

bool AValueFitsItself() {
  return rc::check("a value fits its own const and enum, in any order of keys", [] {
    const Json value = *Tree(2);
    const Json turned = WithKeysReversed(value);
    RC_ASSERT(Fits({{"const", value}}, turned));
    RC_ASSERT(Fits({{"enum", Json::array({*Leaf(), value})}}, turned));
  });
}

bool AValueFitsItsSchema() {
  return rc::check("a value fits the schema that is read off it", [] {
    const Json value = *Tree(2);
    RC_ASSERT(Fits(SchemaOf(value), value));
  });
}

bool AnotherValueDoesNot() {
  return rc::check("what a value's schema takes is that value", [] {
    const Json value = *Tree(1);
    const Json other = *Tree(1);
    RC_ASSERT(Fits(SchemaOf(value), other) == Fits({{"const", value}}, other));
  });
}

bool NotTurnsTheVerdict() {
  return rc::check("`not` turns the verdict, alternatives join verdicts", [] {
    const Json first = SchemaOf(*Tree(1));
    const Json second = SchemaOf(*Tree(1));
    const Json value = *Tree(1);
    const bool a = Fits(first, value);
    const bool b = Fits(second, value);
    const Json both = Json::array({first, second});
    RC_ASSERT(Fits({{"not", first}}, value) == !a);
    RC_ASSERT(Fits({{"anyOf", both}}, value) == (a || b));
    RC_ASSERT(Fits({{"allOf", both}}, value) == (a && b));
    RC_ASSERT(Fits({{"oneOf", both}}, value) == (a != b));
  });
}

bool TwiceIsNotUnique() {
  return rc::check("a list that holds a value twice is not unique", [] {
    const Json value = *Tree(1);
    const Json list = Json::array({value, *Leaf(), WithKeysReversed(value)});
    RC_ASSERT(!Fits({{"uniqueItems", true}}, list));
  });
}

bool AWholeFitsInParts() {
  return rc::check("what fits as a whole fits as a part of more", [] {
    const Json value = *Tree(2);
    const Json schema = SchemaOf(value);
    RC_ASSERT(Schema(schema).Validate(value, {.require_top = false}).empty());
    if (!value.is_object() || value.empty()) return;
    Json part = value;
    part.erase(part.begin());
    RC_ASSERT(!Fits(schema, part));
    RC_ASSERT(Schema(schema).Validate(part, {.require_top = false}).empty());
  });
}

}  // namespace
}  // namespace forebay

// rapidcheck's own answer of whether a property held.
int main() {
  bool ok = true;
  ok = forebay::AValueFitsItself() && ok;
  ok = forebay::AValueFitsItsSchema() && ok;
  ok = forebay::AnotherValueDoesNot() && ok;
  ok = forebay::NotTurnsTheVerdict() && ok;
  ok = forebay::TwiceIsNotUnique() && ok;
  ok = forebay::AWholeFitsInParts() && ok;
  return ok ? 0 : 1;
}
