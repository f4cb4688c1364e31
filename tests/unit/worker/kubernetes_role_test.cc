// The rights that deploy/kubernetes gives to workers are those that the launcher uses, no more and
// no less; the chart gives the same.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "common/base/text.h"
#include "common/config/yaml.h"
#include "tests/golden/golden.h"
#include "tests/support/catch.h"
#include "worker/launch/kubernetes/api/verbs.h"

namespace forebay::worker {
namespace {

using Right = std::tuple<std::string, std::string, std::string>;

std::set<Right> Used() {
  std::set<Right> rights;
  for (const Verb& verb : UsedVerbs()) {
    rights.emplace(verb.group, verb.resource, verb.verb);
  }
  return rights;
}

// Of the one Role among the documents of the file. Its names are what a template may have made of
// them; its rules are plain YAML.
std::set<Right> Granted(const std::string& file) {
  const std::string text =
      ReplaceAll(ReadGolden(std::filesystem::path(FOREBAY_SOURCE_DIR) / file), "{{", "x{{");
  std::set<Right> rights;
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find("\n---\n", at), text.size());
    const auto document = ParseYaml(text.substr(at, end - at), file);
    INFO(document.status().ToString());
    REQUIRE(document.ok());
    at = end + 5;
    if ((*document)["kind"] != "Role") continue;
    for (const Json& rule : (*document)["rules"]) {
      CHECK(rule.size() == 3);
      for (const Json& group : rule["apiGroups"]) {
        for (const Json& resource : rule["resources"]) {
          for (const Json& verb : rule["verbs"]) rights.emplace(group, resource, verb);
        }
      }
    }
  }
  return rights;
}

TEST_CASE("workers in a cluster may do what they do, and nothing else", "[kubernetes]") {
  CHECK(Granted("deploy/kubernetes/worker-role.yaml") == Used());
  CHECK(Granted("deploy/kubernetes/chart/templates/worker-role.yaml") == Used());
}

}  // namespace
}  // namespace forebay::worker
