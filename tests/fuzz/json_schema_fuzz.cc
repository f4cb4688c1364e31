// Schemas and values from hostile bytes: everything ends, in time, with a verdict or an error.

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "common/json_schema/json_schema.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t cut = text.find('\0');
  const auto schema_json = forebay::ParseJson(text.substr(0, cut), "schema");
  if (!schema_json.ok()) return 0;
  const auto schema = forebay::JsonSchema::Parse(*schema_json, "schema");
  if (!schema.ok()) return 0;
  // A schema is a value too.
  (void)schema->Validate(*schema_json, {});
  if (cut == std::string_view::npos) return 0;
  const auto value = forebay::ParseJson(text.substr(cut + 1), "value");
  if (value.ok()) (void)schema->Validate(*value, {false, true, nullptr});
  return 0;
}
