#include "common/config/proto_texts.h"

namespace forebay {
namespace embedded {

// In the order of the files in CMakeLists.txt.
extern const std::string_view kConfigProtos[];

}  // namespace embedded

std::string_view ServerConfigProtoText() { return embedded::kConfigProtos[0]; }
std::string_view WorkerConfigProtoText() { return embedded::kConfigProtos[1]; }

}  // namespace forebay
