// YAML of the configuration files and of forebay.yaml from hostile text.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "common/config/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto value = forebay::ParseYaml({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!value.ok()) return 0;
  // What was accepted is a value that can be written and read again.
  if (!forebay::ParseJson(forebay::DumpJson(*value), "again").ok()) std::abort();
  return 0;
}
