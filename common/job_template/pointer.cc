#include "common/job_template/pointer.h"

#include "common/base/text.h"

namespace forebay {

std::string PointerStep(std::string_view key) {
  if (key.find_first_of("~/") == std::string_view::npos) return std::string(key);
  return ReplaceAll(ReplaceAll(key, "~", "~0"), "/", "~1");
}

std::string DottedPointer(std::string_view pointer) {
  return ReplaceAll(ReplaceAll(ReplaceAll(pointer, "/", "."), "~1", "/"), "~0", "~");
}

}  // namespace forebay
