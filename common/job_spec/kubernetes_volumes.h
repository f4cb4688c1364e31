#pragma once

// The volumes of a Pod as texts that rules can be about. Pure.

#include <string>
#include <vector>

#include "common/json/json.h"

namespace forebay {

struct VolumeText {
  // The kind, and behind a colon what of it: "emptyDir", "hostPath:/srv/data", "secret:db",
  // "configMap:app", "persistentVolumeClaim:cache", "csi:driver", "nfs:server:/path",
  // "image:docker.io/library/data:1", "serviceAccountToken:audience". What a projected volume puts
  // together stands there part by part; one without parts is "projected".
  std::string text;
  // Of an image volume the image.
  std::string image;
  // JSON pointer into the manifest.
  std::string pointer;
};

// For a manifest of the right shape.
std::vector<VolumeText> VolumesOf(const Json& manifest);

}  // namespace forebay
