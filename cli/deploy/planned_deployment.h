#pragma once

// A deployment as options or a file describe it, on its way to the server.

#include <optional>
#include <string>

#include "forebay/v1/deployment.pb.h"

namespace forebay::cli {

// How the image of its runs comes to be.
struct ImagePlan {
  // JSON object: `image` (name or name:tag) and what DockerImage of the Python package takes
  // (`dockerfile`, `context`, `platform`, …).
  std::string settings;
  bool build = true;
  bool push = true;

  bool operator==(const ImagePlan&) const = default;
};

struct PlannedDeployment {
  v1::ApplyDeploymentRequest request;
  // Absent: its runs' image, if there is one, is a job variable like others.
  std::optional<ImagePlan> image;
  // Of a Python flow; else empty.
  std::string interpreter;
};

inline bool IsPython(const PlannedDeployment& planned) {
  return !planned.request.deployment().entrypoint().empty();
}

}  // namespace forebay::cli
