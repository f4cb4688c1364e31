#pragma once

// The layers of job variables laid over each other. Pure.

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/job_template/rendered_job.h"
#include "common/json/json.h"

namespace forebay {

// The one variable that is merged name by name.
inline constexpr std::string_view kEnvVariable = "env";

// The value of one variable and who set it.
struct LayeredValue {
  Json value;
  Origin origin = Origin::kTemplate;
  // For `env` when it is an object: who set each name.
  std::map<std::string, Origin, std::less<>> member_origins;
};

using LayeredValues = std::map<std::string, LayeredValue, std::less<>>;

// The first part of a dotted key.
std::string_view VariableOfKey(std::string_view key);

// `layer` with its dotted keys turned into nested objects; what the layer says in nested form wins.
// Below `env` the rest of the key is one name, because environment names may hold dots; so it is
// from part kMaxJsonDepth on.
Json ExpandDottedKeys(const Json& layer);

class JobTemplate;

// The defaults of a schema's properties; null is none.
Json SchemaDefaults(const Json& schema);

// Schema defaults < deployment < run. null is no default; an `env` that the template does not
// declare is left out. INVALID_ARGUMENT (INVALID_JOB_VARIABLE) for a layer that is no object.
absl::StatusOr<LayeredValues> LayerVariables(const JobTemplate& job_template,
                                             const Json& deployment, const Json& run);

// Lays the expanded `layer` over `values`: whole values, `env` name by name.
void LayOver(Json layer, Origin origin, LayeredValues& values);

}  // namespace forebay
