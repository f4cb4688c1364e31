// What job variables may be: the checks of JobTemplate that are about values.

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/job_template/declared_names.h"
#include "common/job_template/environment.h"
#include "common/job_template/job_template.h"
#include "common/job_template/layers.h"
#include "common/job_template/pointer.h"
#include "common/job_template/references.h"

namespace forebay {
namespace {

// Look-ups in a Json object search it from the start, so the work grows with the square of this.
constexpr size_t kMaxNodes = 10'000;

Error Invalid(std::string_view reason, std::string_view field, std::string_view value) {
  return Error(absl::StatusCode::kInvalidArgument, reason).Field(field, value);
}

size_t CountNodes(const Json& node) {
  size_t count = 1;
  if (node.is_structured()) {
    for (const Json& child : node) count += CountNodes(child);
  }
  return count;
}

absl::Status CheckEnv(const Json& expanded, std::string_view field) {
  const auto env = expanded.find(std::string(kEnvVariable));
  if (env == expanded.end() || IsReference(*env)) return absl::OkStatus();
  Json known = *env;
  if (env->is_object()) {
    known = Json::object();
    for (const auto& [name, value] : env->items()) {
      if (!IsReference(value)) known[name] = value;
    }
  }
  std::map<std::string, std::string> ignored;
  return Annotate(ApplyEnv(known, ignored), field);
}

absl::Status FirstViolation(const std::vector<SchemaViolation>& violations,
                            std::string_view field) {
  if (violations.empty()) return absl::OkStatus();
  const SchemaViolation& first = violations.front();
  const std::string more =
      violations.size() == 1 ? "" : fmt::format(" (and {} more)", violations.size() - 1);
  const std::string dotted = DottedPointer(first.pointer);
  const bool missing = first.rule == "required";
  const std::string value = missing ? "" : fmt::format(" is {} and", first.value);
  return Invalid(missing ? "MISSING_JOB_VARIABLE" : "INVALID_JOB_VARIABLE",
                 std::string(field) + dotted, missing ? "" : first.value)
      .With("pointer", first.pointer)
      .With("rule", first.rule)
      .With("allowed", first.allowed)
      .With("nearest", first.nearest)
      .Says("{}{} {}{}",
            dotted.empty() ? "all job variables together"
                           : fmt::format("job variable `{}`", dotted.substr(1)),
            value, first.message, more);
}

absl::Status CheckKeys(const Json& layer, const std::vector<std::string>& names,
                       std::string_view field) {
  for (const auto& [key, value] : layer.items()) {
    const std::string_view name = VariableOfKey(key);
    if (!Declares(names, name)) {
      const std::string nearest = NearestDeclared(name, names);
      return WithNames(Invalid("UNKNOWN_JOB_VARIABLE", field, key), nearest, names)
          .Says("unknown variable `{}` in job variables: the pool's template declares {}{}", name,
                ShownNames(names), DidYouMean(nearest));
    }
    if (key.ends_with('.') || key.find("..") != std::string::npos) {
      return Invalid("INVALID_JOB_VARIABLE", field, key)
          .Says("`{}` in job variables has an empty part; write it like `env.DEBUG`", key);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status JobTemplate::CheckJobVariables(const Json& layer, std::string_view field) const {
  if (!layer.is_object()) {
    return Invalid("INVALID_JOB_VARIABLE", field, DumpJson(layer))
        .Says("job variables must be an object, not {}", JsonTypeName(layer));
  }
  if (CountNodes(layer) > kMaxNodes) {
    return Invalid("INVALID_JOB_VARIABLE", field, "")
        .Says("job variables hold more than {} values", kMaxNodes);
  }
  RETURN_IF_ERROR(CheckKeys(layer, variables(), field));
  RETURN_IF_ERROR(CheckReferences(layer, field));
  const Json expanded = ExpandDottedKeys(layer);
  RETURN_IF_ERROR(CheckEnv(expanded, field));
  return FirstViolation(
      schema().Validate(
          expanded, {.require_top = false, .null_is_absent = true, .fits_anything = IsReference}),
      field);
}

std::vector<SchemaViolation> JobTemplate::Violations(const Json& deployment,
                                                     const Json& run) const {
  const auto layered = LayerVariables(*this, deployment, run);
  if (!layered.ok()) return {};
  Json values = Json::object();
  for (const std::string& name : variables()) {
    const auto found = layered->find(name);
    if (found != layered->end()) values[name] = found->second.value;
  }
  return schema().Validate(
      values, {.require_top = true, .null_is_absent = true, .fits_anything = IsReference});
}

absl::Status JobTemplate::CheckRun(const Json& deployment, const Json& run) const {
  return FirstViolation(Violations(deployment, run), "job_variables");
}

}  // namespace forebay
