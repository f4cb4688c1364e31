#include <algorithm>

#include "common/base/status.h"
#include "forebay/v1/log.pb.h"
#include "server/api/handlers.h"
#include "server/api/long_poll.h"
#include "server/api/messages.h"
#include "server/api/service_table.h"
#include "server/runs/log_read.h"

namespace forebay::server {
namespace {

constexpr int kDefaultLines = 1000;
constexpr int kMostLines = 10'000;

void ListLines(Backend& backend, const Caller& caller, const v1::ListLogLinesRequest& request,
               const Responder<v1::ListLogLinesResponse>& respond) {
  const auto id = IdOf(request.flow_run(), "flowRuns", "flow_run");
  if (!id.ok()) return respond(id.status());
  if (request.offset() < 0 || request.max_lines() < 0) {
    const bool offset = request.offset() < 0;
    return respond(Error(absl::StatusCode::kInvalidArgument, "OUT_OF_RANGE")
                       .Field(offset ? "offset" : "max_lines",
                              std::to_string(offset ? request.offset() : request.max_lines()))
                       .Says("{} is negative", offset ? "offset" : "max_lines"));
  }
  const int most =
      request.max_lines() == 0 ? kDefaultLines : std::min(request.max_lines(), kMostLines);
  auto look = [caller, id = *id, offset = request.offset(), most, respond](Session& session,
                                                                           bool last) {
    auto page = ReadLog(session, caller.team, id, offset, most);
    if (page.ok() && page->lines_size() == 0 && !page->complete() && !last)
      return Watchers::Seen::kNothing;
    respond(std::move(page));
    return Watchers::Seen::kAnswered;
  };
  LongPoll(backend.watchers, *id, WaitOf(request, absl::ZeroDuration()), respond, std::move(look));
}

}  // namespace

void RegisterLogs(ServiceTable& table, Backend& backend) {
  table.Async<v1::ListLogLinesRequest, v1::ListLogLinesResponse>(
      "LogService.ListLogLines", [&backend](const Caller& c, const auto& r, auto respond) {
        ListLines(backend, c, r, respond);
      });
}

}  // namespace forebay::server
