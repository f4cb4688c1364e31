#include "server/runs/log_read.h"

#include <algorithm>

#include "common/base/status.h"
#include "forebay/v1/worker_protocol.pb.h"
#include "server/db/queries.h"
#include "server/runs/standing.h"

namespace forebay::server {
namespace {

// A chunk holds at least one line; chunks of a busy run hold hundreds. Bounds what one page reads.
constexpr int kMostChunks = 200;
constexpr size_t kMostBytes = 4 << 20;

void AddLines(const Rows& rows, size_t row, int64_t offset, int most,
              v1::ListLogLinesResponse& response) {
  v1::AttemptLogs body;
  if (!body.ParseFromString(rows.Bytes(row, 3))) return;
  const int64_t first = rows.Int(row, 0);
  for (int i = 0; i < body.entries_size(); ++i) {
    if (first + i < offset || response.lines_size() >= most) continue;
    v1::LogLine& line = *response.add_lines();
    line.set_offset(first + i);
    line.set_attempt(static_cast<int>(rows.Int(row, 1)));
    line.mutable_entry()->Swap(body.mutable_entries(i));
  }
}

}  // namespace

absl::StatusOr<v1::ListLogLinesResponse> ReadLog(Session& session, const Uuid& team,
                                                 const Uuid& run, int64_t offset, int most) {
  // The end is read first: lines that come between the two looks are the next page's.
  ASSIGN_OR_RETURN(Rows end, session.Run(queries::kLogEnd, Args().Id(run).Id(team)));
  if (end.empty()) return RunNotFound(run);
  v1::ListLogLinesResponse response;
  response.set_next_offset(offset);
  const int64_t log_end = end.Int(0, 1);
  if (offset < log_end) {
    ASSIGN_OR_RETURN(Rows rows,
                     session.Run(queries::kReadLogs, Args().Id(run).Int(offset).Int(kMostChunks)));
    for (size_t row = 0; row < rows.size() && response.ByteSizeLong() < kMostBytes; ++row) {
      AddLines(rows, row, offset, most, response);
    }
    if (response.lines_size() > 0)
      response.set_next_offset(response.lines(response.lines_size() - 1).offset() + 1);
  }
  response.set_complete(end.Bool(0, 0) && response.next_offset() >= log_end);
  return response;
}

}  // namespace forebay::server
