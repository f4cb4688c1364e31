#pragma once

// The text of the configuration's .proto files, for ConfigSources::proto_text.

#include <string_view>

namespace forebay {

std::string_view ServerConfigProtoText();
std::string_view WorkerConfigProtoText();

}  // namespace forebay
