#pragma once

// What Kubernetes takes for names. Pure.

#include <string_view>

namespace forebay {

// RFC 1123: at most 63 of [a-z0-9-], beginning and ending with a letter or a digit.
bool IsDnsLabel(std::string_view text);
// Labels with dots between them, at most 253 characters.
bool IsDnsSubdomain(std::string_view text);
// Of a label or an annotation: [subdomain/]name, the name at most 63 of [A-Za-z0-9._-], beginning
// and ending with a letter or a digit.
bool IsMarkName(std::string_view text);
// Of a label: empty, or as the name of one.
bool IsLabelValue(std::string_view text);
// Of an environment variable: [A-Za-z0-9._-], not beginning with a digit, such as every version
// takes.
bool IsVariableName(std::string_view text);
// What the Job and the Secret of a run are called (InfrastructureName of worker/launch/launcher.h).
bool IsRunObjectName(std::string_view text);

}  // namespace forebay
