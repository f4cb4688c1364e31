#pragma once

// Writes lines to a run's output file, within its rate, and marks what it leaves out.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/os/unique_fd.h"
#include "worker/launch/output/output_file.h"

namespace forebay::output {

// A bucket of `burst` bytes that fills at `rate` bytes a second. When it is empty lines are dropped
// until it holds a second's worth again, so that a flood shows as a few long gaps. A full disk is
// treated the same. Each gap is marked with one SYSTEM record: before the next line that is kept,
// each second, and at the end. Times are milliseconds of some clock that never goes back.
class OutputWriter {
 public:
  // `wall_micros`: since the epoch; asked for each record. Rate 0: no limit.
  using WallMicros = std::function<int64_t()>;
  OutputWriter(UniqueFd file, int64_t rate_bytes, int64_t burst_bytes, WallMicros wall_micros);

  // Takes a line of any bytes; it is in the file after Flush.
  void Line(Stream stream, std::string_view text, bool partial, int64_t now);
  void Flush(int64_t now);
  // Marks a gap that is due; call it when `now` reaches NextTick.
  void Tick(int64_t now);
  std::optional<int64_t> NextTick() const;
  // The last mark, and everything to the disk.
  void Finish(int64_t now);

  // Records in the file.
  int64_t lines() const { return lines_; }
  bool dropping() const { return gap_.lines > 0; }

 private:
  enum class Cause { kRate, kSpace };
  struct Gap {
    int64_t lines = 0;
    int64_t since = 0;
    Cause cause = Cause::kRate;
  };
  // A record in buffer_ that is not in the file yet.
  struct Pending {
    size_t end = 0;
    // What is lost if it cannot be written: 1, or for a mark the lines it stands for.
    int64_t lines = 1;
  };

  bool Admit(size_t bytes, int64_t now);
  void Refill(int64_t now);
  void Drop(int64_t lines, Cause cause, int64_t now);
  void Keep(Stream stream, std::string_view text, bool partial);
  void Mark();
  void Append(OutputHeader header, std::string_view text, int64_t stands_for);
  void SettleUnwritten(size_t written, int64_t now);

  UniqueFd file_;
  const WallMicros wall_micros_;
  const int64_t rate_;
  const int64_t burst_;
  double tokens_;
  std::optional<int64_t> refilled_at_;
  bool rate_exceeded_ = false;
  bool disk_full_ = false;
  Gap gap_;
  std::string buffer_;
  std::vector<Pending> pending_;
  int64_t file_size_ = 0;
  int64_t lines_ = 0;
};

}  // namespace forebay::output
