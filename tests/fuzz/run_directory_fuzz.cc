// What a worker reads of a run's directory and a holder of its socket, from hostile bytes.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "worker/launch/output/output_file.h"
#include "worker/launch/process/format/control.h"
#include "worker/launch/process/format/holder_spec.h"
#include "worker/launch/process/format/status_file.h"

namespace {

// What is accepted is written as something that is accepted and written the same way.
void CheckSpec(std::string_view text) {
  const auto spec = forebay::holder::ParseHolderSpec(text);
  if (!spec.has_value()) return;
  const std::string written = Serialize(*spec);
  const auto again = forebay::holder::ParseHolderSpec(written);
  if (!again.has_value() || Serialize(*again) != written) std::abort();
}

void CheckOutput(std::string_view file) {
  while (const auto record = forebay::output::FirstRecord(file)) {
    if (record->size() > file.size()) std::abort();
    file.remove_prefix(record->size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckSpec(text);
  CheckOutput(text);
  forebay::holder::ParseStatus(text);
  forebay::holder::ParseCommand(text);
  forebay::holder::ParseNotice(text);
  return 0;
}
