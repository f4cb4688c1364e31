#pragma once

// The text of --help. Pure.

#include <google/protobuf/descriptor.h>

#include <string>

#include "common/config/config.h"

namespace forebay {

// One paragraph a field: flag, type, and the field's comment in `sources.proto_text`.
std::string HelpText(const ConfigSources& sources, const google::protobuf::Descriptor& message);

}  // namespace forebay
