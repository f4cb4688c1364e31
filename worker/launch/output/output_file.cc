#include "worker/launch/output/output_file.h"

#include <cstring>

namespace forebay::output {

void AppendRecord(std::string& file, OutputHeader header, std::string_view text) {
  header.text_bytes = static_cast<uint32_t>(text.size());
  file.append(reinterpret_cast<const char*>(&header), sizeof header);
  file.append(text);
}

std::optional<OutputRecord> FirstRecord(std::string_view bytes) {
  OutputRecord record;
  if (bytes.size() < sizeof record.header) return std::nullopt;
  std::memcpy(&record.header, bytes.data(), sizeof record.header);
  if (record.header.mark != OutputHeader::kMark) return std::nullopt;
  if (bytes.size() - sizeof record.header < record.header.text_bytes) return std::nullopt;
  record.text = bytes.substr(sizeof record.header, record.header.text_bytes);
  return record;
}

}  // namespace forebay::output
