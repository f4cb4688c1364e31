#include "common/job_template/job_template.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/job_template/rendered_job.h"
#include "tests/golden/golden.h"
#include "tests/support/catch.h"

namespace forebay {
namespace {

namespace fs = std::filesystem;

std::string RenderedText(const fs::path& directory) {
  const auto job_template = JobTemplate::Parse(ReadGolden(directory / "template.json"));
  REQUIRE(job_template.ok());
  const auto deployment = ParseJson(ReadGolden(directory / "deployment.json"), "deployment");
  const auto run = ParseJson(ReadGolden(directory / "run.json"), "run");
  REQUIRE(deployment.ok());
  REQUIRE(run.ok());
  CHECK(job_template->CheckJobVariables(*deployment, "job_variables").ok());
  CHECK(job_template->CheckJobVariables(*run, "job_variables").ok());
  const auto job = job_template->Render(*deployment, *run);
  REQUIRE(job.ok());
  Json expected = Json::object();
  expected["configuration"] = job->configuration;
  for (const LeafOrigin& leaf : job->origins)
    expected["origins"][leaf.pointer] = OriginName(leaf.origin);
  return DumpPrettyJson(expected) + "\n";
}

ErrorDetail Refusal(std::string_view text) {
  const auto job_template = JobTemplate::Parse(text);
  REQUIRE_FALSE(job_template.ok());
  INFO(MessageOf(job_template.status()));
  CHECK(job_template.status().code() == absl::StatusCode::kInvalidArgument);
  return *DetailOf(job_template.status());
}

JobTemplate WithVariables(const std::vector<std::string>& names) {
  Json document = {{"job_configuration", Json::object()},
                   {"variables", {{"properties", Json::object()}}}};
  for (const std::string& name : names) document["variables"]["properties"][name] = Json::object();
  return *JobTemplate::Parse(DumpJson(document));
}

TEST_CASE("Rendering yields what the golden files say") {
  for (const auto& entry : fs::directory_iterator(GoldenDirectory() / "job_template")) {
    INFO(entry.path().filename().string());
    const std::string actual = RenderedText(entry.path());
    CHECK(actual == Golden(entry.path() / "expected.json", actual));
  }
}

TEST_CASE("A template needs both keys, as objects, and nothing else") {
  CHECK(Refusal("{").reason == "INVALID_JSON");
  CHECK(Refusal("[]").reason == "INVALID_TEMPLATE");
  CHECK(Refusal(R"({"variables":{}})").metadata["missing"] == "job_configuration");
  CHECK(Refusal(R"({"job_configuration":{}})").metadata["missing"] == "variables");
  CHECK(Refusal(R"({"job_configuration":[],"variables":{}})").metadata["field"] ==
        "base_job_template.job_configuration");
  CHECK(Refusal(R"({"job_configuration":{},"variables":{"properties":[]}})").metadata["field"] ==
        "base_job_template.variables.properties");
  CHECK(Refusal(R"({"job_configuration":{},"variables":{},"varables":{}})").metadata["nearest"] ==
        "variables");
}

TEST_CASE("A placeholder that is not declared is named with its nearest") {
  const auto detail = Refusal(
      R"({"job_configuration":{"a":[{"b":"x {{ imge.tag }}"}]},"variables":{"properties":{"image":{},"name":{}}}})");
  CHECK(detail.reason == "UNDECLARED_PLACEHOLDER");
  CHECK(detail.metadata.at("value") == "imge");
  CHECK(detail.metadata.at("nearest") == "image");
  CHECK(detail.metadata.at("allowed") == "image, name");
}

TEST_CASE("A variable that is declared and not used is fine") {
  CHECK(JobTemplate::Parse(R"({"job_configuration":{},"variables":{"properties":{"a":{}}}})").ok());
  CHECK(JobTemplate::Parse(R"({"job_configuration":{},"variables":{}})").ok());
}

TEST_CASE("An unknown job variable is refused in the documented words") {
  const auto status = WithVariables({"image", "image_pull_policy"})
                          .CheckJobVariables({{"imge", 1}}, "job_variables");
  CHECK(MessageOf(status) ==
        "unknown variable `imge` in job variables: the pool's template declares image, "
        "image_pull_policy; did you mean "
        "`image`?");
  const auto detail = *DetailOf(status);
  CHECK(detail.reason == "UNKNOWN_JOB_VARIABLE");
  CHECK(detail.metadata.at("field") == "job_variables");
  CHECK(detail.metadata.at("value") == "imge");
  CHECK(detail.metadata.at("nearest") == "image");
  CHECK(detail.metadata.at("allowed") == "image, image_pull_policy");
}

TEST_CASE("Of many declared names only the first are shown, all are in the metadata") {
  std::vector<std::string> names;
  for (int i = 0; i < 40; ++i) names.push_back(fmt::format("variable{}", i));
  const auto status = WithVariables(names).CheckJobVariables({{"zzz", 1}}, "job_variables");
  CHECK(MessageOf(status).ends_with("variable11, …"));
  CHECK(DetailOf(status)->metadata.at("allowed").ends_with("variable39"));
}

TEST_CASE("Of a dotted key the first part must be declared") {
  const auto job_template = WithVariables({"env"});
  CHECK(job_template.CheckJobVariables({{"env.DEBUG", 1}}, "x").ok());
  CHECK(ReasonOf(job_template.CheckJobVariables({{"evn.DEBUG", 1}}, "x")) ==
        "UNKNOWN_JOB_VARIABLE");
  CHECK(ReasonOf(job_template.CheckJobVariables({{"env.", 1}}, "x")) == "INVALID_JOB_VARIABLE");
  CHECK(ReasonOf(job_template.CheckJobVariables({{"env..A", 1}}, "x")) == "INVALID_JOB_VARIABLE");
}

TEST_CASE("Job variables must be an object of a sane size, and env an object of plain values") {
  const auto job_template = WithVariables({"env", "a"});
  CHECK(ReasonOf(job_template.CheckJobVariables(Json::array(), "x")) == "INVALID_JOB_VARIABLE");
  CHECK(ReasonOf(job_template.CheckJobVariables({{"env", "A=1"}}, "x")) == "INVALID_ENV");
  CHECK(ReasonOf(job_template.CheckJobVariables({{"env", {{"A", Json::array()}}}}, "x")) ==
        "INVALID_ENV");
  CHECK(ReasonOf(job_template.CheckJobVariables({{"env.A", Json::object()}}, "x")) ==
        "INVALID_ENV");
  CHECK(ReasonOf(job_template.CheckJobVariables({{"env", {{"A=B", 1}}}}, "x")) == "INVALID_ENV");
  CHECK(job_template.CheckJobVariables({{"env", nullptr}, {"a", nullptr}}, "x").ok());
  CHECK(ReasonOf(job_template.CheckJobVariables({{"a", Json(std::vector<int>(10'001))}}, "x")) ==
        "INVALID_JOB_VARIABLE");
}

TEST_CASE("A key with very many dots does not nest deeper than recursion can follow") {
  std::string key = "a";
  for (int i = 0; i < 100'000; ++i) key += ".a";
  const auto job_template = *JobTemplate::Parse(
      R"({"job_configuration":{"a":"{{ a }}"},"variables":{"properties":{"a":{}}}})");
  CHECK(job_template.Render({{key, 1}}, Json::object()).ok());
}

TEST_CASE("A layer that is no object is an error of rendering") {
  CHECK(ReasonOf(WithVariables({}).Render(Json::array(), Json::object()).status()) ==
        "INVALID_JOB_VARIABLE");
}

TEST_CASE(
    "Names that this revision of the template does not declare are left out of a literal env") {
  const auto job_template =
      *JobTemplate::Parse(R"({"job_configuration":{"env":{"A":"1"}},"variables":{}})");
  const auto job = job_template.Render({{"env", {{"B", "2"}}}}, {{"other", 1}});
  REQUIRE(job.ok());
  CHECK(DumpJson(job->configuration) == R"({"env":{"A":"1"}})");
}

TEST_CASE(
    "Every pool type has a default template that stands its own check, with a title for each "
    "variable") {
  REQUIRE(PoolTypes().size() == 4);
  for (const std::string& type : PoolTypes()) {
    INFO(type);
    const auto job_template = JobTemplate::Parse(DefaultJobTemplate(type));
    REQUIRE(job_template.ok());
    const std::string configuration = DumpJson(job_template->job_configuration());
    for (const std::string& name : job_template->variables()) {
      INFO(name);
      const Json& declaration = job_template->variables_schema()["properties"][name];
      CHECK(declaration.contains("title"));
      CHECK(declaration.contains("description"));
      CHECK((declaration.contains("type") || declaration.contains("anyOf") ||
             declaration.contains("$ref")));
      CHECK(configuration.find("{{ " + name + " }}") != std::string::npos);
    }
  }
  CHECK(DefaultJobTemplate("dockerr").empty());
}

}  // namespace
}  // namespace forebay
