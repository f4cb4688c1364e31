// The public JSON-Schema-Test-Suite (Debian's json-schema-test-suite), for what is supported.

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
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

// Keywords that templates have no use for, and what would have to be fetched.
const std::set<std::string>& OutsideFiles() {
  static const auto* const files = new std::set<std::string>{"contains.json", "dependencies.json",
                                                             "if-then-else.json", "refRemote.json"};
  return *files;
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
};

void RunGroup(const std::string& file, const Json& group, Tally& tally) {
  const auto schema = JsonSchema::Parse(group.at("schema"), "schema");
  const auto title = group.at("description").get<std::string>();
  if (!schema.ok() && IsOutside(schema.status())) {
    tally.outside += static_cast<int>(group.at("tests").size());
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
    WARN("skipped: json-schema-test-suite is not installed");
    return;
  }
  Tally tally;
  for (const auto& entry : fs::directory_iterator(kSuite)) {
    if (entry.path().extension() != ".json") continue;
    const std::string file = entry.path().filename();
    const auto groups = ParseJson(ReadAll(entry.path()), file);
    INFO(groups.status().ToString());
    REQUIRE(groups.ok());
    for (const Json& group : *groups) {
      if (OutsideFiles().contains(file)) {
        tally.outside += static_cast<int>(group.at("tests").size());
      } else {
        RunGroup(file, group, tally);
      }
    }
  }
  for (const std::string& failure : tally.failures) UNSCOPED_INFO(failure);
  fmt::print("json-schema-test-suite, draft 7: {} of {} passed, {} outside the subset\n",
             tally.passed, tally.inside, tally.outside);
  CHECK(tally.inside > 300);
  CHECK(tally.passed >= kLeastShare * tally.inside);
}

}  // namespace
}  // namespace forebay
