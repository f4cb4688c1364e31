// What callers send as text: ids, numbers, keys, from hostile bytes.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/base/text.h"
#include "common/base/uuid.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto id = forebay::Uuid::Parse(text);
  if (id.has_value() && forebay::Uuid::Parse(id->ToString()) != id) std::abort();
  const auto number = forebay::ParseInt(text);
  if (number.has_value() && forebay::ParseInt(std::to_string(*number)) != number) std::abort();
  const auto bytes = forebay::HexDecode(text);
  if (bytes.has_value() && bytes->size() * 2 != size) std::abort();
  return 0;
}
