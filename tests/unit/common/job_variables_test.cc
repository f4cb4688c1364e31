// What JobTemplate says of defaults, layers, whole runs and references.

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/job_template/job_template.h"
#include "common/job_template/references.h"
#include "common/job_template/rendered_job.h"
#include "tests/support/catch.h"

namespace forebay {
namespace {

Json Parsed(std::string_view text) { return *ParseJson(text, "test"); }

// The layer {name: {key: value}}.
Json Layer(const char* name, const char* key, const Json& value) {
  Json layer = Json::object();
  layer[name][key] = value;
  return layer;
}

std::string TemplateText(std::string_view variables, std::string_view configuration = "{}") {
  return fmt::format(R"({{"job_configuration":{},"variables":{}}})", configuration, variables);
}

JobTemplate Template(std::string_view variables, std::string_view configuration = "{}") {
  auto job_template = JobTemplate::Parse(TemplateText(variables, configuration));
  INFO(job_template.status().ToString());
  REQUIRE(job_template.ok());
  return *std::move(job_template);
}

ErrorDetail Refusal(std::string_view variables, std::string_view configuration = "{}") {
  const auto job_template = JobTemplate::Parse(TemplateText(variables, configuration));
  REQUIRE_FALSE(job_template.ok());
  return *DetailOf(job_template.status());
}

constexpr char kVariables[] =
    R"({"type":"object","required":["image"],"properties":{
        "image":{"type":"string"},"cpus":{"type":"integer","default":1},
        "policy":{"enum":["Always","Never"]},
        "limits":{"type":"object","additionalProperties":false,
                  "properties":{"mem_limit":{"type":"integer"},"a/b":{"type":"integer"}}}}})";

TEST_CASE("The schema of variables must be one, and of an object") {
  CHECK(Refusal(R"({"properties":{"a":{"maxLenght":1}}})").reason == "INVALID_SCHEMA");
  CHECK(Refusal(R"({"properties":{"a":{"maxLenght":1}}})").metadata.at("field") ==
        "base_job_template.variables/properties/a");
  const auto type = Refusal(R"({"type":"array"})");
  CHECK(type.reason == "INVALID_SCHEMA");
  CHECK(type.metadata.at("field") == "base_job_template.variables.type");
  Template(R"({"type":["object","null"]})");
}

TEST_CASE("A default must fit its own schema, whatever the rest of the template says") {
  const auto own = Refusal(R"({"properties":{"cpus":{"type":"integer","default":"two"}}})");
  CHECK(own.reason == "INVALID_DEFAULT");
  CHECK(own.metadata.at("field") == "base_job_template.variables.properties.cpus.default");
  CHECK(own.metadata.at("rule") == "type");
  CHECK(own.metadata.at("allowed") == "an integer");
  CHECK(own.metadata.at("value") == "\"two\"");
  const auto inner = Refusal(
      R"({"properties":{"a":{"properties":{"b":{"type":"integer"}},"default":{"b":true}}}})");
  CHECK(inner.metadata.at("field") == "base_job_template.variables.properties.a.default.b");
  Template(R"({"properties":{"a":{"type":"integer","default":null}}})");
  Template(R"({"properties":{"a":{"type":"integer","default":1.0}}})");
  Template(R"({"properties":{"a":{"default":1}},"maxProperties":0})");
  Template(
      R"({"properties":{"a":{"$ref":"#/$defs/n","default":1}},"$defs":{"n":{"type":"integer"}}})");
}

TEST_CASE("A layer is checked against the schema after its dotted keys are expanded") {
  const auto job_template = Template(kVariables);
  const auto check = [&](std::string_view layer) {
    return job_template.CheckJobVariables(Parsed(layer), "job_variables");
  };
  CHECK(check("{}").ok());
  CHECK(check(R"({"policy":null,"limits.mem_limit":null})").ok());
  const auto status = check(R"({"limits.mem_limit":"5","policy":"Nver"})");
  CHECK(ReasonOf(status) == "INVALID_JOB_VARIABLE");
  auto metadata = DetailOf(status)->metadata;
  CHECK(metadata["field"] == "job_variables.policy");
  CHECK(metadata["pointer"] == "/policy");
  CHECK(metadata["rule"] == "enum");
  CHECK(metadata["value"] == "\"Nver\"");
  CHECK(metadata["nearest"] == "Never");
  CHECK(MessageOf(status) ==
        "job variable `policy` is \"Nver\" and must be one of \"Always\", \"Never\"; did you mean "
        "`Never`? (and 1 more)");
  metadata = DetailOf(check(R"({"limits":{"memory_limit":5}})"))->metadata;
  CHECK(metadata["field"] == "job_variables.limits.memory_limit");
  CHECK(metadata["nearest"] == "mem_limit");
  CHECK(DetailOf(check(R"({"limits":{"a/b":"x"}})"))->metadata["field"] ==
        "job_variables.limits.a/b");
  for (const char* layer : {R"({"cpus":true})", R"({"cpus":"5"})", R"({"cpus":1.5})"}) {
    CHECK(ReasonOf(check(layer)) == "INVALID_JOB_VARIABLE");
  }
  CHECK(check(R"({"cpus":2.0})").ok());
}

TEST_CASE("A violation of the whole is told as such") {
  const auto status = Template(R"({"properties":{"a":{},"b":{}},"maxProperties":1})")
                          .CheckRun(Parsed(R"({"a":1})"), Parsed(R"({"b":1})"));
  CHECK(ReasonOf(status) == "INVALID_JOB_VARIABLE");
  CHECK(DetailOf(status)->metadata["field"] == "job_variables");
  CHECK(MessageOf(status).starts_with("all job variables together"));
}

TEST_CASE("What is required comes from any layer, and null does not count") {
  const auto job_template = Template(kVariables);
  const auto check = [&](std::string_view deployment, std::string_view run) {
    return job_template.CheckRun(Parsed(deployment), Parsed(run));
  };
  CHECK(check(R"({"image":"a"})", "{}").ok());
  CHECK(check("{}", R"({"image":"a"})").ok());
  CHECK(check(R"({"image":"a"})", R"({"cpus":null})").ok());
  for (const auto& [deployment, run] :
       {std::pair("{}", "{}"), std::pair(R"({"image":"a"})", R"({"image":null})")}) {
    const auto status = check(deployment, run);
    CHECK(ReasonOf(status) == "MISSING_JOB_VARIABLE");
    CHECK(DetailOf(status)->metadata["field"] == "job_variables.image");
    CHECK(DetailOf(status)->metadata["allowed"] == "a string");
    CHECK(MessageOf(status) == "job variable `image` must be given: a string");
  }
  CHECK(Template(R"({"required":["a"],"properties":{"a":{"default":""}}})")
            .CheckRun(Json::object(), Json::object())
            .ok());
  CHECK(ReasonOf(Template(R"({"required":["a"],"properties":{"a":{"default":null}}})")
                     .CheckRun(Json::object(), Json::object())) == "MISSING_JOB_VARIABLE");
}

TEST_CASE("A preview is told every violation") {
  const auto violations =
      Template(kVariables).Violations(Parsed(R"({"cpus":"x"})"), Parsed(R"({"policy":1})"));
  REQUIRE(violations.size() == 3);
  CHECK(violations[0].pointer == "/image");
  CHECK(violations[1].pointer == "/cpus");
  CHECK(violations[2].pointer == "/policy");
}

TEST_CASE("References are found as objects and in texts, with their whole names") {
  const auto found = FindReferences(Parsed(
      R"({"a":{"$secret":"k.1"},"b":["x",{"$variable":"v"}],"c":"u:{{ forebay.secrets.x.y }}@{{forebay.variables.z}}",
          "d":{"$secret":"k","more":1},"e":"{{ forebay.other.x }} {{ a }}"})"));
  REQUIRE(found.size() == 4);
  CHECK(found[0].pointer == "/a");
  CHECK(found[0].kind == "secret");
  CHECK(found[0].name == "k.1");
  CHECK(found[1].pointer == "/b/1");
  CHECK(found[1].kind == "variable");
  CHECK(found[2].pointer == "/c");
  CHECK(found[2].name == "x.y");
  CHECK(found[3].name == "z");
  const auto status = UnresolvedReference(found[0]);
  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(ReasonOf(status) == "UNRESOLVED_REFERENCE");
  CHECK(MessageOf(status).starts_with("/a refers to the secret 'k.1', and this server keeps no"));
}

TEST_CASE("A reference needs a name, fits any schema, and has no place in the fixed part") {
  const auto job_template = Template(kVariables);
  CHECK(job_template.CheckJobVariables(Layer("cpus", "$secret", "k"), "x").ok());
  CHECK(job_template.CheckRun(Layer("image", "$variable", "k"), Json::object()).ok());
  for (const Json& name : {Json("a b"), Json(""), Json(5), Json(std::string(256, 'a'))}) {
    const auto status = job_template.CheckJobVariables(Layer("image", "$secret", name), "x");
    INFO(DumpJson(name));
    REQUIRE(ReasonOf(status) == "INVALID_REFERENCE");
    CHECK(DetailOf(status)->metadata["field"] == "x/image");
  }
  for (const char* text : {"{{ forebay.secrets }}", "{{ forebay.secrets.a[0] }}"}) {
    CHECK(ReasonOf(job_template.CheckJobVariables({{"image", text}}, "x")) == "INVALID_REFERENCE");
  }
  CHECK(Refusal("{}", R"({"a":{"$secret":"k"}})").reason == "REFERENCE_IN_TEMPLATE");
  CHECK(Refusal("{}", R"({"a":["x {{ forebay.variables.k }}"]})").metadata.at("field") ==
        "base_job_template.job_configuration/a/0");
}

TEST_CASE("A reference that becomes part of a text is still found") {
  const auto job =
      *Template(R"({"properties":{"password":{}}})", R"({"url":"db://me:{{ password }}@host"})")
           .Render(Layer("password", "$secret", "k"), Json::object());
  CHECK(DumpJson(job.configuration) == R"({"url":"db://me:{{ forebay.secrets.k }}@host"})");
  REQUIRE(FindReferences(job.configuration).size() == 1);
}

}  // namespace
}  // namespace forebay
