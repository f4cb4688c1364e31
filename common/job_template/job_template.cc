#include "common/job_template/job_template.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/job_template/declared_names.h"
#include "common/job_template/layers.h"
#include "common/job_template/placeholder.h"
#include "common/job_template/pointer.h"
#include "common/job_template/references.h"

namespace forebay {
namespace {

constexpr std::string_view kField = "base_job_template";
constexpr char kConfiguration[] = "job_configuration";
constexpr char kVariables[] = "variables";
constexpr char kProperties[] = "properties";

Error Invalid(std::string_view reason, std::string_view field, std::string_view value) {
  return Error(absl::StatusCode::kInvalidArgument, reason).Field(field, value);
}

absl::Status CheckObjectAt(const Json& document, const std::string& key) {
  const auto found = document.find(key);
  if (found == document.end()) {
    return Invalid("INVALID_TEMPLATE", kField, "")
        .With("missing", key)
        .Says(
            "the base job template lacks the key `{}`; it needs `job_configuration` and "
            "`variables`",
            key);
  }
  if (found->is_object()) return absl::OkStatus();
  return Invalid("INVALID_TEMPLATE", fmt::format("{}.{}", kField, key), DumpJson(*found))
      .Says("`{}` in the base job template must be an object, not {}", key, JsonTypeName(*found));
}

absl::Status CheckTopLevelKeys(const Json& document) {
  const std::vector<std::string> known = {kConfiguration, kVariables};
  for (const auto& [key, value] : document.items()) {
    if (key == kConfiguration || key == kVariables) continue;
    const std::string nearest = NearestDeclared(key, known);
    return Invalid("INVALID_TEMPLATE", kField, key)
        .With("nearest", nearest)
        .Says(
            "unknown key `{}` in the base job template: it has `job_configuration` and "
            "`variables`{}",
            key, nearest.empty() ? "" : fmt::format("; did you mean `{}`?", nearest));
  }
  RETURN_IF_ERROR(CheckObjectAt(document, kConfiguration));
  return CheckObjectAt(document, kVariables);
}

absl::StatusOr<std::vector<std::string>> DeclaredNames(const Json& schema) {
  std::vector<std::string> names;
  const auto properties = schema.find(kProperties);
  if (properties == schema.end()) return names;
  if (!properties->is_object()) {
    return Invalid("INVALID_TEMPLATE", fmt::format("{}.variables.properties", kField),
                   DumpJson(*properties))
        .Says("`variables.properties` in the base job template must be an object, not {}",
              JsonTypeName(*properties));
  }
  for (const auto& [name, declaration] : properties->items()) names.push_back(name);
  return names;
}

absl::Status CheckText(std::string_view text, const std::vector<std::string>& names) {
  for (const TextPart& part : SplitPlaceholders(text)) {
    if (!part.path.has_value() || Declares(names, part.path->root())) continue;
    const std::string nearest = NearestDeclared(part.path->root(), names);
    return WithNames(Invalid("UNDECLARED_PLACEHOLDER", kField, part.path->root()), nearest, names)
        .Says(
            "the placeholder {} in the base job template names a variable that "
            "`variables.properties` "
            "does not declare; it declares {}{}",
            part.text, ShownNames(names), DidYouMean(nearest));
  }
  return absl::OkStatus();
}

absl::Status CheckPlaceholders(const Json& node, const std::vector<std::string>& names) {
  if (node.is_string()) return CheckText(node.get_ref<const std::string&>(), names);
  if (!node.is_structured()) return absl::OkStatus();
  for (const Json& child : node) RETURN_IF_ERROR(CheckPlaceholders(child, names));
  return absl::OkStatus();
}

// What is the same for all runs of a pool has no owner whose grants could be asked.
absl::Status CheckFixedPart(const Json& configuration) {
  const auto references = FindReferences(configuration);
  if (references.empty()) return absl::OkStatus();
  const Reference& first = references.front();
  return Invalid("REFERENCE_IN_TEMPLATE",
                 fmt::format("{}.{}{}", kField, kConfiguration, first.pointer), first.name)
      .Says("job_configuration{} refers to the {} '{}'; references belong into job variables",
            first.pointer, first.kind, first.name);
}

// Job variables are an object, so a schema for anything else would refuse them all.
absl::Status CheckType(const Json& variables) {
  const auto type = variables.find("type");
  if (type == variables.end() || *type == "object" ||
      (type->is_array() && std::ranges::count(*type, "object") > 0)) {
    return absl::OkStatus();
  }
  return Invalid("INVALID_SCHEMA", fmt::format("{}.variables.type", kField), DumpJson(*type))
      .With("allowed", "object")
      .Says("`variables.type` in the base job template must be \"object\", not {}",
            DumpJson(*type));
}

absl::Status CheckDefault(const JsonSchema& schema, const std::string& name, const Json& value) {
  const auto violations = schema.Validate(value, {.null_is_absent = true});
  if (violations.empty()) return absl::OkStatus();
  const SchemaViolation& first = violations.front();
  return Invalid("INVALID_DEFAULT",
                 fmt::format("{}.variables.properties.{}.default{}", kField, name,
                             DottedPointer(first.pointer)),
                 first.value)
      .With("pointer", first.pointer)
      .With("rule", first.rule)
      .With("allowed", first.allowed)
      .With("nearest", first.nearest)
      .Says(
          "the default of `{}{}` in the base job template does not fit its own schema: it is {} "
          "and {}",
          name, DottedPointer(first.pointer), first.value, first.message);
}

// A default must be what the variable may be; null is no default.
absl::Status CheckDefaults(const Json& defaults, const JsonSchema& schema) {
  RETURN_IF_ERROR(CheckReferences(defaults, fmt::format("{}.variables.properties", kField)));
  for (const auto& [name, value] : defaults.items()) {
    if (const auto own = schema.Property(name)) RETURN_IF_ERROR(CheckDefault(*own, name, value));
  }
  return absl::OkStatus();
}

}  // namespace

struct JobTemplate::Content {
  Json document;
  std::vector<std::string> names;
  JsonSchema schema;
  Json defaults;
};

absl::StatusOr<JobTemplate> JobTemplate::Parse(std::string_view text) {
  ASSIGN_OR_RETURN(Json document, ParseJson(text, kField));
  if (!document.is_object()) {
    return Invalid("INVALID_TEMPLATE", kField, DumpJson(document))
        .Says("the base job template must be an object, not {}", JsonTypeName(document));
  }
  RETURN_IF_ERROR(CheckTopLevelKeys(document));
  ASSIGN_OR_RETURN(auto names, DeclaredNames(document[kVariables]));
  RETURN_IF_ERROR(CheckFixedPart(document[kConfiguration]));
  RETURN_IF_ERROR(CheckPlaceholders(document[kConfiguration], names));
  RETURN_IF_ERROR(CheckType(document[kVariables]));
  ASSIGN_OR_RETURN(JsonSchema schema,
                   JsonSchema::Parse(document[kVariables], fmt::format("{}.variables", kField)));
  Json defaults = SchemaDefaults(document[kVariables]);
  RETURN_IF_ERROR(CheckDefaults(defaults, schema));
  return JobTemplate(std::make_shared<const Content>(
      Content{std::move(document), std::move(names), std::move(schema), std::move(defaults)}));
}

const std::vector<std::string>& JobTemplate::variables() const { return content_->names; }

const Json& JobTemplate::job_configuration() const { return content_->document.at(kConfiguration); }

const Json& JobTemplate::defaults() const { return content_->defaults; }

const JsonSchema& JobTemplate::schema() const { return content_->schema; }

const Json& JobTemplate::variables_schema() const { return content_->document.at(kVariables); }

}  // namespace forebay
