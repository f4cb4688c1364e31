#pragma once

// What calls that wait for news have in common: how long at most, and what happens when the client
// goes away.

#include <google/protobuf/duration.pb.h>

#include <algorithm>
#include <utility>

#include "server/api/call.h"
#include "server/api/messages.h"
#include "server/runs/watchers.h"

namespace forebay::server {

// The longest wait a watcher may ask for, and what it gets when it does not.
inline constexpr absl::Duration kMostWait = absl::Seconds(60);
inline constexpr absl::Duration kDefaultWait = absl::Seconds(30);

// `request` has a field `wait`.
template <typename Request>
absl::Duration WaitOf(const Request& request, absl::Duration otherwise) {
  return request.has_wait() ? std::min(FromProto(request.wait()), kMostWait) : otherwise;
}

// Watches `run` (std::nullopt: every run) until `look` has answered the call.
template <typename Response>
void LongPoll(Watchers& watchers, const std::optional<Uuid>& run, absl::Duration wait,
              const Responder<Response>& respond, Watchers::Look look) {
  respond.call().OnCancelled([respond] { respond(absl::CancelledError("the client went away")); });
  auto stopped = [respond] { return respond.call().finished(); };
  run.has_value() ? watchers.Watch(*run, wait, std::move(look), std::move(stopped))
                  : watchers.WatchAll(wait, std::move(look), std::move(stopped));
}

}  // namespace forebay::server
