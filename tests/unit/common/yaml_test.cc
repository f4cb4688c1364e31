#include "common/config/yaml.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "tests/support/catch.h"

namespace forebay {
namespace {

std::string Parsed(std::string_view text) {
  const auto value = ParseYaml(text, "x.yaml");
  INFO(text);
  INFO(MessageOf(value.status()));
  REQUIRE(value.ok());
  return DumpJson(*value);
}

std::string Refused(std::string_view text) {
  const auto value = ParseYaml(text, "x.yaml");
  INFO(text);
  REQUIRE_FALSE(value.ok());
  CHECK(ReasonOf(value.status()) == "INVALID_YAML");
  return std::string(MessageOf(value.status()));
}

TEST_CASE("Plain scalars follow the core schema and quoted ones are text") {
  CHECK(Parsed("[~, null, true, False, 5, -7, +3, 1.5, 1e3, 0x1F, text, yes]") ==
        R"([null,null,true,false,5,-7,3,1.5,1000.0,"0x1F","text","yes"])");
  CHECK(Parsed("['5', \"true\", '', .inf, 1.2.3, 18446744073709551615]") ==
        R"(["5","true","",".inf","1.2.3",18446744073709551615])");
  CHECK(Parsed("a:\n  b: |\n    line\n    more\n  c:\n") ==
        R"({"a":{"b":"line\nmore\n","c":null}})");
}

TEST_CASE("Blank text is null and the order of keys is kept") {
  CHECK(Parsed("") == "null");
  CHECK(Parsed("# only a comment\n") == "null");
  CHECK(Parsed("z: 1\na: 2\n") == R"({"z":1,"a":2})");
}

TEST_CASE("Anchors and merge-free aliases work") {
  CHECK(Parsed("a: &x [1]\nb: *x\n") == R"({"a":[1],"b":[1]})");
}

TEST_CASE("What is not plain data is refused with its place") {
  CHECK(Refused("a: 1\na: 2\n") ==
        "x.yaml is not valid YAML: line 2, column 1: key `a` appears twice");
  CHECK(Refused("a: [1\n").find("x.yaml is not valid YAML: line ") == 0);
  CHECK(Refused("a: 1\n---\nb: 2\n").find("more than one document") != std::string::npos);
  // Documents that consume nothing.
  CHECK_FALSE(Refused(",,\n").empty());
  CHECK_FALSE(Refused("]\n").empty());
  CHECK(Refused("[a]: 1\n").find("a key must be plain text") != std::string::npos);
  CHECK(Refused("a: !!python/object:os.system x\n").find("tag") != std::string::npos);
  CHECK(Refused("a: 99999999999999999999\n").find("does not fit 64 bits") != std::string::npos);
}

TEST_CASE("Hostile text is cheap to refuse") {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "[";
  CHECK(Refused(deep + std::string(100, ']')).find("deeper than 64") != std::string::npos);
  CHECK_FALSE(ParseYaml(std::string(200'000, '['), "x").ok());
  CHECK(Refused(std::string((1 << 20) + 1, ' ')).find("larger than 1 MiB") != std::string::npos);
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    laughs += fmt::format(
        "a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i,
        i - 1);
  }
  CHECK(Refused(laughs).find("aliases counted") != std::string::npos);
  CHECK_FALSE(ParseYaml("a: &a [*a]\n", "x").ok());
}

}  // namespace
}  // namespace forebay
