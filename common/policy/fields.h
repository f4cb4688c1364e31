#pragma once

// Which fields the final spec of each pool type has, and what holds for each without a policy.
// Pure.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forebay {

enum class FieldKind {
  kText,
  kFlag,
  // A number; absent: no limit.
  kNumber,
  // The same in bytes.
  kSize,
  // A list of texts.
  kList,
  // An object; its names are what rules are about.
  kNames,
  // One, or a list.
  kImage,
  kVolumes,
  // A text, a number or a list.
  kAny,
};

struct FieldRule {
  enum class BuiltIn {
    kFree,
    // Nothing may stand there but false and 0.
    kForbidden,
    // A container's network: none but those of its own and named ones.
    kOwnNetwork,
    // Named volumes only.
    kNoHostPaths,
    // Volumes of a Pod: of the kinds that Kubernetes' Pod Security "restricted" admits.
    kRestrictedVolumes,
    // Profiles: any but "Unconfined".
    kConfined,
  };
  // "limits.memory" is the member `memory` of the object `limits`.
  std::string_view name;
  FieldKind kind;
  BuiltIn built_in = BuiltIn::kFree;
};

// Empty for an unknown type.
std::span<const FieldRule> FieldsOf(std::string_view pool_type);
const FieldRule* FindField(std::string_view pool_type, std::string_view name);
std::vector<std::string> FieldNames(std::string_view pool_type);
std::string_view KindName(FieldKind kind);

}  // namespace forebay
