#include "common/json/json.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "tests/support/catch.h"

namespace forebay {
namespace {

std::string RefusalOf(std::string_view text) {
  const auto value = ParseJson(text, "parameters");
  REQUIRE_FALSE(value.ok());
  CHECK(value.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(ReasonOf(value.status()) == "INVALID_JSON");
  CHECK(DetailOf(value.status())->metadata.at("field") == "parameters");
  return std::string(MessageOf(value.status()));
}

std::string Nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST_CASE("What was parsed is dumped with its key order and its integers") {
  const std::string text =
      R"({"z":1,"a":[true,null,"x\u00e9"],"big":9007199254740993,"unsigned":18446744073709551615,"minus":-9223372036854775808,"f":1.5})";
  const auto value = ParseJson(text, "x");
  REQUIRE(value.ok());
  CHECK(DumpJson(*value) ==
        "{\"z\":1,\"a\":[true,null,\"x\xC3\xA9\"],\"big\":9007199254740993,\"unsigned\":"
        "18446744073709551615,"
        "\"minus\":-9223372036854775808,\"f\":1.5}");
}

TEST_CASE("A syntax error names the field, line and column") {
  CHECK(RefusalOf("{\n  \"a\": }").find("parameters is not valid JSON: line 2, column 8") == 0);
  CHECK(RefusalOf("").find("unexpected end of input") != std::string::npos);
  CHECK(RefusalOf("{} {}").find("line 1") != std::string::npos);
  CHECK(RefusalOf("\"\xFF\"").find("invalid") != std::string::npos);
}

TEST_CASE("A duplicate key is refused by name, at any depth") {
  CHECK(RefusalOf(R"({"a":1,"a":2})").find("key `a` appears twice") != std::string::npos);
  CHECK(RefusalOf(R"([{"b":{"c":1,"d":2,"c":3}}])").find("key `c` appears twice") !=
        std::string::npos);
  CHECK(ParseJson(R"([{"a":1},{"a":1}])", "x").ok());
}

TEST_CASE("Nesting is bounded") {
  CHECK(ParseJson(Nested(64), "x").ok());
  CHECK(RefusalOf(Nested(65)).find("deeper than 64") != std::string::npos);
  CHECK(RefusalOf(std::string(1'000'000, '[')).find("deeper than 64") != std::string::npos);
}

TEST_CASE("An integer that does not fit 64 bits is refused, not rounded") {
  CHECK(RefusalOf("18446744073709551616").find("does not fit 64 bits") != std::string::npos);
  CHECK(RefusalOf("-9223372036854775809").find("does not fit 64 bits") != std::string::npos);
  CHECK(ParseJson("1e300", "x").ok());
  CHECK(RefusalOf("1e999").find("overflow") != std::string::npos);
}

TEST_CASE("An object is asked for: blank text is the empty one, another type is an error") {
  REQUIRE(ParseJsonObject(" \n", "x").ok());
  CHECK(ParseJsonObject("", "x")->empty());
  const auto list = ParseJsonObject("[1]", "parameters");
  REQUIRE_FALSE(list.ok());
  CHECK(MessageOf(list.status()) ==
        "parameters is not valid JSON: it must be an object, not array");
}

TEST_CASE("A long text is shown shortened in the error") {
  const auto value = ParseJson("[" + std::string(10'000, '1'), "x");
  REQUIRE_FALSE(value.ok());
  CHECK(DetailOf(value.status())->metadata.at("value").size() < 200);
}

TEST_CASE("Bytes that are not UTF-8 do not keep a value from being dumped") {
  CHECK(DumpJson(Json("a\xFF")) == "\"a\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace forebay
