#include "cli/output/listing.h"

#include <sstream>

#include "cli/output/yaml.h"
#include "common/config/yaml.h"
#include "tests/golden/golden.h"
#include "tests/support/catch.h"

namespace forebay::cli {
namespace {

Listing Example() {
  Listing listing;
  listing.columns = {
      {"NAME"}, {"RUNS", false, true}, {"STATE", false, false, true}, {"OWNER", true}, {"NOTE"}};
  listing.rows = {
      {"one", {"one", "5", "READY", "ana", "plain"}, Json{{"name", "one"}, {"runs", 5}}},
      {"zwölf",
       {"zwölf", "12000", "PAUSED", "", "a \"quoted\", longer note\nin two lines"},
       Json{{"name", "zwölf"},
            {"runs", 12000},
            {"labels", {{"a", "yes"}, {"b", {1, Json::object()}}}}}},
  };
  return listing;
}

Card ExampleCard() {
  return {"one",
          {{"Name", "one"}, {"Status", "READY"}, {"Empty", ""}, {"Concurrency limit", "none"}},
          Json{{"name", "one"}, {"text", "a: b"}, {"list", {"x", 1, nullptr}}}};
}

std::string Printed(const OutputOptions& options) {
  std::ostringstream out;
  PrintListing(Example(), options, out);
  out << "\n";
  PrintCard(ExampleCard(), options, out);
  return out.str();
}

void CheckGolden(const char* name, const OutputOptions& options) {
  INFO(name);
  const std::string actual = Printed(options);
  CHECK(actual == Golden(GoldenDirectory() / "cli" / name, actual));
}

TEST_CASE("Every format prints what its golden file says") {
  CheckGolden("table.txt", {});
  CheckGolden("wide.txt", {.format = OutputFormat::kWide});
  CheckGolden("json.txt", {.format = OutputFormat::kJson});
  CheckGolden("yaml.txt", {.format = OutputFormat::kYaml});
  CheckGolden("name.txt", {.format = OutputFormat::kName});
  CheckGolden("csv.txt", {.format = OutputFormat::kCsv});
  CheckGolden("color.txt", {.color_out = true});
  CheckGolden("narrow.txt", {.width = 36});
}

TEST_CASE("An empty list is nothing for people and an empty list for programs") {
  const Listing empty{{{"NAME"}, {"STATE"}}, {}};
  const std::pair<OutputFormat, const char*> expected[] = {
      {OutputFormat::kTable, ""},           {OutputFormat::kJson, "[]\n"},
      {OutputFormat::kYaml, "[]\n"},        {OutputFormat::kName, ""},
      {OutputFormat::kCsv, "NAME,STATE\n"},
  };
  for (const auto& [format, text] : expected) {
    std::ostringstream out;
    PrintListing(empty, {.format = format}, out);
    CHECK(out.str() == text);
  }
}

TEST_CASE("YAML reads back as the value that was written") {
  const auto value = ParseJson(
      R"({"a":"true","b":"5","c":"","d":" x","e":"line\nbreak","f":"it's","g":[],"h":{},"i":[[1,[2]],{"k":[{"l":null}]}],
          "yes":"no","1":1.5,"- x":"- y","k: v":"k: v","#":"#","u":"ä\u0001","big":18446744073709551615,"~":"~","t":true})",
      "x");
  REQUIRE(value.ok());
  const std::string text = ToYaml(*value);
  INFO(text);
  const auto again = ParseYaml(text, "x");
  REQUIRE(again.ok());
  CHECK(DumpJson(*again) == DumpJson(*value));
}

}  // namespace
}  // namespace forebay::cli
