// The public JSON-Schema-Test-Suite (Debian's json-schema-test-suite), for what is supported.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/base/status.h"
#include "common/json_schema/json_schema.h"
#include "tests/support/catch.h"

namespace forebay {
namespace {

namespace fs = std::filesystem;

constexpr char kSuite[] = "/usr/share/json-schema-test-suite/tests/draft7";
constexpr double kLeastShare = 0.99;

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// A schema that is refused because it says what is not supported is outside; one that is refused
// for another reason is a failure.
bool IsOutside(const absl::Status& refusal) {
  const std::string_view message = MessageOf(refusal);
  const auto has = [message](std::string_view part) {
    return message.find(part) != std::string_view::npos;
  };
  return has("which is not supported") || has("only places in this document");
}

struct Tally {
  int passed = 0, inside = 0, outside = 0;
  std::vector<std::string> failures;
  // Groups outside of the subset, and why.
  std::vector<std::string> left_out;
};

void RunGroup(const std::string& file, const Json& group, Tally& tally) {
  const auto schema = JsonSchema::Parse(group.at("schema"), "schema");
  const auto title = group.at("description").get<std::string>();
  if (!schema.ok() && IsOutside(schema.status())) {
    const size_t count = group.at("tests").size();
    tally.outside += static_cast<int>(count);
    tally.left_out.push_back(
        fmt::format("{}: {} ({} cases): {}", file, title, count, MessageOf(schema.status())));
    return;
  }
  for (const Json& test : group.at("tests")) {
    ++tally.inside;
    const bool expected = test.at("valid").get<bool>();
    const bool valid = schema.ok() && schema->Validate(test.at("data"), {}).empty();
    if (schema.ok() && valid == expected) {
      ++tally.passed;
    } else {
      tally.failures.push_back(fmt::format("{}: {}: {} {}", file, title,
                                           test.at("description").get<std::string>(),
                                           schema.status().ToString()));
    }
  }
}

TEST_CASE("the public test suite of JSON Schema, for the supported keywords") {
  if (!fs::exists(kSuite)) {
    fmt::print("SKIPPED json_schema_suite: {} is not there (Debian's json-schema-test-suite)\n",
               kSuite);
    WARN("SKIPPED json_schema_suite");
    return;
  }
  Tally tally;
  for (const auto& entry : fs::directory_iterator(kSuite)) {
    if (entry.path().extension() != ".json") continue;
    const std::string file = entry.path().filename();
    const auto groups = ParseJson(ReadAll(entry.path()), file);
    INFO(groups.status().ToString());
    REQUIRE(groups.ok());
    for (const Json& group : *groups) RunGroup(file, group, tally);
  }
  for (const std::string& failure : tally.failures) UNSCOPED_INFO(failure);
  std::sort(tally.left_out.begin(), tally.left_out.end());
  for (const std::string& group : tally.left_out) fmt::print("outside: {}\n", group);
  fmt::print(
      "json-schema-test-suite, draft 7: passed {} of {} inside the subset, {} outside; its "
      "optional "
      "files are not run\n",
      tally.passed, tally.inside, tally.outside);
  CHECK(tally.inside > 300);
  CHECK(tally.passed >= kLeastShare * tally.inside);
}

}  // namespace
}  // namespace forebay
