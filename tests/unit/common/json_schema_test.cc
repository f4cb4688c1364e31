#include "common/json_schema/json_schema.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "tests/support/catch.h"

namespace forebay {
namespace {

JsonSchema SchemaOf(const char* text) {
  auto schema = JsonSchema::Parse(*ParseJson(text, "schema"), "variables");
  INFO(schema.status().ToString());
  REQUIRE(schema.ok());
  return *std::move(schema);
}

absl::Status Refusal(const std::string& text) {
  return JsonSchema::Parse(*ParseJson(text, "schema"), "variables").status();
}

SchemaViolation Only(const JsonSchema& schema, const Json& value, SchemaOptions options = {}) {
  const auto violations = schema.Validate(value, options);
  REQUIRE(violations.size() == 1);
  return violations.front();
}

TEST_CASE("A violation tells where, which rule, what stands there and what would do") {
  const auto schema = SchemaOf(
      R"({"type":"object","properties":{"limits":{"type":"object","additionalProperties":false,
          "properties":{"memory":{"type":"integer","minimum":10}}},
          "policy":{"enum":["Always","Never"]}}})");
  const auto type = Only(schema, {{"limits", {{"memory", "5"}}}});
  CHECK(type.pointer == "/limits/memory");
  CHECK(type.rule == "type");
  CHECK(type.value == "\"5\"");
  CHECK(type.message == "must be an integer, not a string");
  const auto least = Only(schema, {{"limits", {{"memory", 5}}}});
  CHECK(least.rule == "minimum");
  CHECK(least.allowed == "at least 10");
  const auto unknown = Only(schema, {{"limits", {{"memry", 50}}}});
  CHECK(unknown.pointer == "/limits/memry");
  CHECK(unknown.nearest == "memory");
  const auto value = Only(schema, {{"policy", "Nver"}});
  CHECK(value.nearest == "Never");
  CHECK(value.message.find("did you mean `Never`") != std::string::npos);
}

TEST_CASE("Booleans are no integers, texts no numbers, and 1.0 is an integer") {
  const auto schema = SchemaOf(R"({"type":"integer"})");
  CHECK(schema.Validate(5, {}).empty());
  CHECK(schema.Validate(1.0, {}).empty());
  CHECK_FALSE(schema.Validate(true, {}).empty());
  CHECK_FALSE(schema.Validate("5", {}).empty());
  CHECK_FALSE(schema.Validate(1.5, {}).empty());
}

TEST_CASE("Integers beyond what floating point holds are told apart") {
  const auto schema = SchemaOf(R"({"const":9007199254740993})");
  CHECK(schema.Validate(int64_t{9007199254740993}, {}).empty());
  CHECK_FALSE(schema.Validate(int64_t{9007199254740992}, {}).empty());
  CHECK(SchemaOf(R"({"maximum":18446744073709551614})")
            .Validate(uint64_t{18446744073709551615u}, {})
            .size() == 1);
}

TEST_CASE("null stands for absent where that is asked for, but not for what is required") {
  const auto schema =
      SchemaOf(R"({"properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["b"]})");
  const SchemaOptions options{true, true, nullptr};
  CHECK(schema.Validate({{"a", nullptr}, {"b", "x"}}, options).empty());
  const auto missing = schema.Validate({{"a", "x"}, {"b", nullptr}}, options);
  REQUIRE_FALSE(missing.empty());
  CHECK(missing.front().rule == "required");
  CHECK(missing.front().pointer == "/b");
  CHECK(schema.Validate({{"a", "x"}}, {false, true, nullptr}).empty());
}

TEST_CASE("A schema that says what is not supported is refused by name") {
  const auto refused = Refusal(R"({"properties":{"a":{"maxLenght":3}}})");
  CHECK(ReasonOf(refused) == "INVALID_SCHEMA");
  const auto detail = *DetailOf(refused);
  CHECK(detail.metadata.at("field") == "variables/properties/a");
  CHECK(detail.metadata.at("nearest") == "maxLength");
  for (const char* bad :
       {R"({"$ref":"http://example.com/x"})", R"({"$ref":"#/nowhere"})", R"j({"pattern":"(?=x)"})j",
        R"({"pattern":"["})", R"({"type":"text"})", R"({"minimum":"1"})", R"({"required":"a"})",
        R"({"multipleOf":0})", R"({"minLength":-1})", R"({"anyOf":[]})", R"({"if":true})", R"(5)",
        R"({"properties":[]})", R"({"$defs":{"a":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"})",
        R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}})"}) {
    INFO(bad);
    CHECK(ReasonOf(Refusal(bad)) == "INVALID_SCHEMA");
  }
}

TEST_CASE("Depth, size and the number of violations are bounded") {
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += R"({"items":)";
  deep += "true" + std::string(40, '}');
  CHECK(ReasonOf(Refusal(deep)) == "INVALID_SCHEMA");

  const auto tree = SchemaOf(R"({"items":{"$ref":"#"},"type":"array"})");
  Json nested = Json::array();
  for (int i = 0; i < 60; ++i) nested = Json::array({nested});
  const auto too_deep = tree.Validate(nested, {});
  REQUIRE_FALSE(too_deep.empty());
  CHECK(too_deep.front().rule == "depth");

  const auto numbers = SchemaOf(R"({"items":{"type":"integer"}})");
  Json many = Json::array();
  for (int i = 0; i < 20'000; ++i) many.push_back("x");
  CHECK(numbers.Validate(many, {}).size() == 20);

  // Doubles at each level if nothing bounds it.
  const auto explosive = SchemaOf(
      R"({"items":{"anyOf":[{"allOf":[{"$ref":"#"},{"$ref":"#"}]},{"allOf":[{"$ref":"#"},{"$ref":"#"}]}]}})");
  CHECK_FALSE(explosive.Validate(nested, {}).empty());
}

TEST_CASE("Where both enum and const stand, both decide, in whatever order") {
  for (const char* text : {R"({"enum":[1,2],"const":2})", R"({"const":2,"enum":[1,2]})"}) {
    const auto schema = SchemaOf(text);
    CHECK(schema.Validate(2.0, {}).empty());
    CHECK(Only(schema, 1).rule == "const");
    CHECK(Only(schema, 1).message == "must be 2");
  }
  CHECK(Only(SchemaOf(R"({"enum":["a"]})"), "b").rule == "enum");
  CHECK_FALSE(SchemaOf(R"({"enum":[1,2],"const":3})").Validate(3, {}).empty());
}

TEST_CASE("Multiples are told exactly, also of large numbers and of decimal fractions") {
  const auto fits = [](const Json& of, const Json& value) {
    return JsonSchema::Parse({{"multipleOf", of}}, "x")->Validate(value, {}).empty();
  };
  CHECK(fits(0.01, 19.99));
  CHECK(fits(0.0001, 0.0075));
  CHECK(fits(0.01, 12345678901234567));
  CHECK(fits(0.5, 1e308));
  CHECK(fits(3, -9));
  CHECK(fits(2.0, 4));
  CHECK_FALSE(fits(1, 1e10 + 0.5));
  CHECK_FALSE(fits(0.01, 10000000.005));
  CHECK_FALSE(fits(0.123456789, 1e308));
  CHECK_FALSE(fits(uint64_t{9223372036854775809u}, uint64_t{9223372036854775810u}));
  CHECK(fits(uint64_t{9223372036854775809u}, uint64_t{9223372036854775809u}));
  CHECK(fits(2, std::numeric_limits<int64_t>::min()));
}

TEST_CASE("A bound that ends the check inside of an alternative is not taken for a verdict") {
  Json nested = 5;
  for (int i = 0; i < 50; ++i) nested = Json::array({nested});
  const auto depth = SchemaOf(
      R"({"not":{"$ref":"#/$defs/a"},"$defs":{"a":{"items":{"$ref":"#/$defs/a"},"type":"array"}}})");
  CHECK(Only(depth, nested).rule == "depth");
  const auto size = SchemaOf(R"({"not":{"items":{"type":"integer"}}})");
  CHECK(Only(size, Json(std::vector<int>(20'000))).rule == "size");
}

TEST_CASE("How definitions are ordered does not matter to what is refused") {
  for (const int length : {20, 60}) {
    for (const bool backwards : {false, true}) {
      Json definitions = Json::object();
      for (int i = 0; i < length; ++i) {
        const int k = backwards ? length - 1 - i : i;
        definitions[fmt::format("a{}", k)] =
            k == length - 1 ? Json({{"type", "string"}})
                            : Json({{"$ref", fmt::format("#/$defs/a{}", k + 1)}});
      }
      const Json text = {{"$defs", definitions}, {"items", {{"$ref", "#/$defs/a0"}}}};
      const auto schema = JsonSchema::Parse(text, "x");
      REQUIRE(schema.ok() == (length == 20));
      if (schema.ok()) CHECK_FALSE(schema->Validate({1}, {}).empty());
    }
  }
}

TEST_CASE("Large schemas and large values do not meet for ever, and errors stay short") {
  Json names = Json::array();
  for (int i = 0; i < 20'000; ++i) names.push_back(fmt::format("value{}", i));
  const auto schema = *JsonSchema::Parse({{"items", {{"enum", names}}}}, "x");
  const auto violations = schema.Validate(Json(std::vector<std::string>(9000, "vlaue1")), {});
  REQUIRE(violations.size() == 20);
  CHECK(violations.front().nearest == "value1");
  CHECK(violations.front().allowed.size() < 1000);
  CHECK(violations.front().message.size() < 1000);

  Json alternatives = Json::array();
  for (int i = 0; i < 5000; ++i) alternatives.push_back({{"enum", {i}}});
  const auto many = *JsonSchema::Parse({{"anyOf", alternatives}}, "x");
  CHECK(Only(many, std::string(500'000, 'q')).message.size() < 1000);

  Json patterns = Json::object();
  for (int i = 0; i < 3000; ++i) patterns[fmt::format("x{{{}}}", 500 + i % 400)] = true;
  CHECK(ReasonOf(JsonSchema::Parse({{"patternProperties", patterns}}, "x").status()) ==
        "INVALID_SCHEMA");
  const Json long_name = {{"properties", {{std::string(100'000, 'n'), {{"type", "text"}}}}}};
  const auto refused = JsonSchema::Parse(long_name, "x").status();
  CHECK(ReasonOf(refused) == "INVALID_SCHEMA");
  CHECK(refused.message().size() < 1000);
}

TEST_CASE("Of a value that is not complete, what more properties may change is not decided") {
  const SchemaOptions partial{.require_top = false, .null_is_absent = true};
  const auto fits = [&](const char* schema, const Json& value) {
    return SchemaOf(schema).Validate(value, partial).empty();
  };
  CHECK(fits(R"({"required":["b"]})", {{"a", 1}}));
  CHECK(fits(R"({"minProperties":2})", {{"a", 1}}));
  CHECK(fits(R"({"not":{"required":["a"]}})", {{"b", 1}}));
  CHECK(fits(R"({"oneOf":[{"required":["a"]},{"required":["b"]}]})", {{"a", 1}}));
  CHECK_FALSE(fits(R"({"maxProperties":0})", {{"a", 1}}));
  CHECK_FALSE(fits(R"({"properties":{"a":{"required":["x"]}}})", {{"a", Json::object()}}));
  CHECK_FALSE(fits(R"({"properties":{"a":{"not":{"const":1}}}})", {{"a", 1}}));
  const auto one = SchemaOf(R"({"oneOf":[{"required":["a"]},{"required":["b"]}]})");
  CHECK(one.Validate({{"a", 1}}, {}).empty());
  CHECK(Only(one, {{"a", 1}, {"b", 1}}).message ==
        "must be only one of: a value with a, or a value with b");
}

TEST_CASE("Alternatives say in short what each of them wants") {
  const auto schema = SchemaOf(
      R"({"anyOf":[{"type":"integer","minimum":1},{"type":"string","pattern":"^a"},{"const":"x"}]})");
  CHECK(Only(schema, true).message == R"(must be an integer from 1, or a string like ^a, or "x")");
}

TEST_CASE("Items are compared by value, and lengths count code points") {
  const auto unique = SchemaOf(R"({"uniqueItems":true})");
  CHECK(Only(unique, {1, 1.0}).rule == "uniqueItems");
  CHECK(Only(unique, {{{"a", 1}, {"b", 2}}, {{"b", 2}, {"a", 1}}}).rule == "uniqueItems");
  CHECK(unique.Validate({1, true, "1", nullptr, Json::array()}, {}).empty());
  CHECK(unique.Validate({int64_t{9007199254740993}, int64_t{9007199254740992}}, {}).empty());
  CHECK(SchemaOf(R"({"maxLength":2,"minLength":2})").Validate("ä😀", {}).empty());
}

TEST_CASE("What is required and null is told once, as missing") {
  const auto schema = SchemaOf(R"({"properties":{"a":{"type":"string"}},"required":["a"]})");
  const auto only = Only(schema, {{"a", nullptr}}, {.null_is_absent = true});
  CHECK(only.rule == "required");
  CHECK(only.allowed == "a string");
}

TEST_CASE("One property's schema can be asked alone, with the definitions of the whole") {
  const auto schema = SchemaOf(
      R"({"properties":{"a":{"$ref":"#/$defs/size"}},"$defs":{"size":{"type":"integer"}},"maxProperties":0})");
  REQUIRE(schema.Property("a").has_value());
  CHECK(schema.Property("a")->Validate(1, {}).empty());
  CHECK(Only(*schema.Property("a"), "x").pointer.empty());
  CHECK_FALSE(schema.Property("b").has_value());
}

TEST_CASE("Patterns do not backtrack") {
  const auto schema = SchemaOf(R"({"pattern":"^(a+)+$"})");
  CHECK_FALSE(schema.Validate(std::string(100'000, 'a') + "b", {}).empty());
}

}  // namespace
}  // namespace forebay
