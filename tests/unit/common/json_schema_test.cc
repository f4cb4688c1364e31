#include "common/json_schema/json_schema.h"

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
  CHECK(value.message.find("did you mean 'Never'") != std::string::npos);
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

TEST_CASE("Patterns do not backtrack") {
  const auto schema = SchemaOf(R"({"pattern":"^(a+)+$"})");
  CHECK_FALSE(schema.Validate(std::string(100'000, 'a') + "b", {}).empty());
}

}  // namespace
}  // namespace forebay
