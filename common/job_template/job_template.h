#pragma once

// A pool's base job template: checked when it is saved, rendered when a run is launched
// (docs/guide, "Job templates").
//
// The server checks templates and job variables with it, the worker renders with it: one
// implementation, so that what was accepted is what is launched. Pure: no clock, no input or
// output. Values are immutable and cheap to copy, so they may be shared between threads.
//
// A template is JSON with two keys. `job_configuration` is an object with placeholders `{{ name }}`
// in its strings; `variables` is a JSON Schema object whose `properties` declare the names, with
// defaults.
//
// Placeholders: the name is letters, digits, `_`, `-`, with paths `a.b` and `a[0]`; blanks inside
// the braces are free; anything else stays literal. A string that is one placeholder takes the
// value with its type; inside other text the value becomes text (strings as they are, the rest as
// compact JSON, but a reference in the form that references.h finds in a text). Missing: the key or
// list item goes, or the text is empty. null is a value. One pass: braces inside values stay as
// they are. Keys are never rendered.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/json/json.h"
#include "common/json_schema/json_schema.h"

namespace forebay {

struct RenderedJob;

class JobTemplate {
 public:
  // INVALID_ARGUMENT: INVALID_JSON; INVALID_TEMPLATE for a missing, unknown or ill-typed key;
  // UNDECLARED_PLACEHOLDER (`value` the name, `nearest`, `allowed`) for a placeholder that
  // `variables` does not declare; REFERENCE_IN_TEMPLATE; INVALID_SCHEMA (json_schema.h);
  // INVALID_DEFAULT (`field`, `pointer`, `rule`, `value`, `allowed`, `nearest`) for a default that
  // its own schema refuses; INVALID_REFERENCE in a default.
  static absl::StatusOr<JobTemplate> Parse(std::string_view text);

  // Whether a layer of job variables may be saved for pools with this template: an object whose
  // names are declared. `field` names the layer in errors. Of a dotted key the first part counts.
  // Partial is fine: what is required may come from another layer. A property that is not required
  // may be null; references (references.h) fit anything. INVALID_ARGUMENT: UNKNOWN_JOB_VARIABLE
  // (`field`, `value`, `nearest`, `allowed`), INVALID_JOB_VARIABLE (also `pointer` and `rule`),
  // INVALID_ENV, INVALID_REFERENCE.
  absl::Status CheckJobVariables(const Json& layer, std::string_view field) const;

  // Whether a run may be created from these layers, which passed CheckJobVariables: what is
  // required is there and not null, and all of it fits the schema. INVALID_ARGUMENT:
  // MISSING_JOB_VARIABLE, INVALID_JOB_VARIABLE (`field`, `pointer`, `rule`, `value`, `allowed`,
  // `nearest`).
  absl::Status CheckRun(const Json& deployment, const Json& run) const;
  // All that CheckRun finds, with pointers into the variables.
  std::vector<SchemaViolation> Violations(const Json& deployment, const Json& run) const;

  // The job configuration from schema defaults < deployment < run. Both layers are objects that
  // passed CheckJobVariables for some revision of the template; names that this one does not
  // declare are left out. A higher layer replaces a variable whole; only `env` is merged name by
  // name. Dotted keys are expanded first, the nested form winning over the dotted one; below `env`
  // the rest of the key is one name.
  absl::StatusOr<RenderedJob> Render(const Json& deployment, const Json& run) const;

  // Declared names in the template's order.
  const std::vector<std::string>& variables() const;
  const Json& job_configuration() const;
  // The schema of the variables, as text and ready to compare with.
  const Json& variables_schema() const;
  const JsonSchema& schema() const;
  // The defaults that are not null, by name.
  const Json& defaults() const;

 private:
  struct Content;
  explicit JobTemplate(std::shared_ptr<const Content> content) : content_(std::move(content)) {}

  std::shared_ptr<const Content> content_;
};

// The built-in template of a pool type; empty for an unknown type.
std::string_view DefaultJobTemplate(std::string_view pool_type);
// All types that have one.
std::span<const std::string> PoolTypes();

}  // namespace forebay
