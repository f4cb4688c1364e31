#pragma once

// Names of container images, by the grammar of the distribution project
// (https://github.com/distribution/reference). Pure.

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace forebay {

// Always in full: "python" is docker.io/library/python with the tag "latest". What is compared with
// a policy is what is launched.
struct ImageReference {
  // Lower case; "docker.io" for what names none, and for index.docker.io.
  std::string registry;
  // "library/python".
  std::string repository;
  // Empty beside a digest, if none was given.
  std::string tag;
  // "sha256:<64 hex>" or empty.
  std::string digest;
  // Neither tag nor digest was given, or the tag is `latest`.
  bool floating = false;

  // registry/repository[:tag][@digest]
  std::string ToString() const;
  // registry/repository
  std::string Name() const { return registry + "/" + repository; }
};

// INVALID_ARGUMENT (INVALID_JOB, `field`, `value`) for text that is not a reference, also one that
// is 64 hexadecimal digits (an image's id), longer than 255 characters, or has white space around
// it.
absl::StatusOr<ImageReference> ParseImageReference(std::string_view text, std::string_view field);

}  // namespace forebay
