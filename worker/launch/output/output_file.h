#pragma once

// The output of a run as it stands on the worker's disk: records one after the other in one file. A
// record's place in the file is its sequence number.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace forebay::output {

inline constexpr size_t kMostLineBytes = 64 * 1024;

enum class Stream : uint8_t { kStdout = 1, kStderr = 2, kSystem = 3 };

// The fixed part of a record; the text follows. In the host's byte order: a directory never leaves
// its host.
struct OutputHeader {
  uint32_t text_bytes = 0;
  Stream stream = Stream::kStdout;
  uint8_t partial = 0;
  uint16_t mark = kMark;
  int64_t time_micros = 0;
  int64_t dropped_lines = 0;

  static constexpr uint16_t kMark = 0xF0BA;
};
static_assert(sizeof(OutputHeader) == 24);

struct OutputRecord {
  OutputHeader header;
  std::string_view text;
  // Of the whole record in the file.
  size_t size() const { return sizeof(OutputHeader) + text.size(); }
};

// `text_bytes` is set here.
void AppendRecord(std::string& file, OutputHeader header, std::string_view text);
// The record at the start of `bytes`, or nothing when it is not complete; the text points into
// `bytes`.
std::optional<OutputRecord> FirstRecord(std::string_view bytes);

}  // namespace forebay::output
