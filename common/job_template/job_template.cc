#include "common/job_template/job_template.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/job_template/environment.h"
#include "common/job_template/layers.h"
#include "common/job_template/placeholder.h"

namespace forebay {
namespace {

constexpr std::string_view kField = "base_job_template";
constexpr char kConfiguration[] = "job_configuration";
constexpr char kVariables[] = "variables";
constexpr char kProperties[] = "properties";
// So many names fit a sentence; programs find all of them in the metadata.
constexpr size_t kShownNames = 12;
// Look-ups in a Json object search it from the start, so the work grows with the square of this.
constexpr size_t kMaxNodes = 10'000;

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
    const std::string nearest = NearestName(key, known);
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

// "a, b, c, …"
std::string ShownNames(const std::vector<std::string>& names) {
  if (names.empty()) return "no variables";
  if (names.size() <= kShownNames) return Join(names, ", ");
  return Join(std::span(names).first(kShownNames), ", ") + ", …";
}

Error WithNames(Error error, std::string_view nearest, const std::vector<std::string>& names) {
  Error full = std::move(error).With("allowed", Join(names, ", "));
  return nearest.empty() ? full : std::move(full).With("nearest", nearest);
}

std::string DidYouMean(std::string_view nearest) {
  return nearest.empty() ? "" : fmt::format("; did you mean `{}`?", nearest);
}

bool Declares(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

absl::Status CheckText(std::string_view text, const std::vector<std::string>& names) {
  for (const TextPart& part : SplitPlaceholders(text)) {
    if (!part.path.has_value() || Declares(names, part.path->root())) continue;
    const std::string nearest = NearestName(part.path->root(), names);
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

size_t CountNodes(const Json& node) {
  size_t count = 1;
  if (node.is_structured()) {
    for (const Json& child : node) count += CountNodes(child);
  }
  return count;
}

absl::Status CheckEnv(const Json& layer, std::string_view field) {
  const Json expanded = ExpandDottedKeys(layer);
  const auto env = expanded.find(std::string(kEnvVariable));
  if (env == expanded.end()) return absl::OkStatus();
  std::map<std::string, std::string> ignored;
  return Annotate(ApplyEnv(*env, ignored), field);
}

}  // namespace

absl::StatusOr<JobTemplate> JobTemplate::Parse(std::string_view text) {
  ASSIGN_OR_RETURN(Json document, ParseJson(text, kField));
  if (!document.is_object()) {
    return Invalid("INVALID_TEMPLATE", kField, DumpJson(document))
        .Says("the base job template must be an object, not {}", JsonTypeName(document));
  }
  RETURN_IF_ERROR(CheckTopLevelKeys(document));
  ASSIGN_OR_RETURN(auto names, DeclaredNames(document[kVariables]));
  RETURN_IF_ERROR(CheckPlaceholders(document[kConfiguration], names));
  auto shared = std::make_shared<const Json>(std::move(document));
  return JobTemplate(std::make_shared<const Content>(Content{std::move(shared), std::move(names)}));
}

absl::Status JobTemplate::CheckJobVariables(const Json& layer, std::string_view field) const {
  if (!layer.is_object()) {
    return Invalid("INVALID_JOB_VARIABLE", field, DumpJson(layer))
        .Says("job variables must be an object, not {}", JsonTypeName(layer));
  }
  if (CountNodes(layer) > kMaxNodes) {
    return Invalid("INVALID_JOB_VARIABLE", field, "")
        .Says("job variables hold more than {} values", kMaxNodes);
  }
  const auto& names = variables();
  for (const auto& [key, value] : layer.items()) {
    const std::string_view name = VariableOfKey(key);
    if (!Declares(names, name)) {
      const std::string nearest = NearestName(name, names);
      return WithNames(Invalid("UNKNOWN_JOB_VARIABLE", field, key), nearest, names)
          .Says("unknown variable `{}` in job variables: the pool's template declares {}{}", name,
                ShownNames(names), DidYouMean(nearest));
    }
    if (key.ends_with('.') || key.find("..") != std::string::npos) {
      return Invalid("INVALID_JOB_VARIABLE", field, key)
          .Says("`{}` in job variables has an empty part; write it like `env.DEBUG`", key);
    }
  }
  return CheckEnv(layer, field);
}

const Json& JobTemplate::job_configuration() const {
  return content_->document->at(kConfiguration);
}

const Json& JobTemplate::variables_schema() const { return content_->document->at(kVariables); }

}  // namespace forebay
