#pragma once

// What rendering a job template yields. A plain value.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/json/json.h"

namespace forebay {

// Who set a leaf of the job configuration; a later one is the higher layer.
enum class Origin { kTemplate, kDefault, kDeployment, kRun, kLauncher };

// "template", "default", "deployment", "run", "launcher".
std::string_view OriginName(Origin origin);

struct LeafOrigin {
  // JSON pointer (RFC 6901) into the configuration.
  std::string pointer;
  Origin origin;

  bool operator==(const LeafOrigin&) const = default;
};

struct RenderedJob {
  // The final job configuration. In `env`, null means: unset this name (see environment.h).
  Json configuration;
  // One entry for each scalar and each empty container, in document order. Text with several
  // placeholders has the highest of their origins.
  std::vector<LeafOrigin> origins;
};

}  // namespace forebay
