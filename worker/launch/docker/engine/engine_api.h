#pragma once

// A container engine as it is spoken to: HTTP, by Docker's Engine API
// (https://docs.docker.com/reference/api/engine/version/v1.41/).
//
// Thread-safe; calls block. Errors carry the engine's own words as message. UNAVAILABLE
// (INFRASTRUCTURE_UNAVAILABLE): there is no engine, or the connection broke, and what became of the
// call is unknown; DEADLINE_EXCEEDED (INFRASTRUCTURE_UNAVAILABLE): the same after a time.
// NOT_FOUND, ALREADY_EXISTS, INVALID_ARGUMENT, INTERNAL (ENGINE_REFUSED): the engine said 404, 409,
// another 4xx, 5xx. CANCELLED.

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/json/json.h"
#include "common/net/http_client.h"
#include "worker/launch/launcher.h"

namespace forebay::worker {

class EngineApi {
 public:
  // INVALID_ARGUMENT (INVALID_ENGINE_ADDRESS) unless unix:///path or tcp://host:port, or
  // FAILED_PRECONDITION (HTTP_LIBRARY_MISSING).
  static absl::StatusOr<std::unique_ptr<EngineApi>> Make(const EngineOptions& options);

  // Asks the engine for its version and takes the newest API that both know; other calls need it
  // once. UNAVAILABLE or FAILED_PRECONDITION with the exact reason, for people: nothing listens,
  // ENGINE_PERMISSION_DENIED, ENGINE_TOO_OLD.
  absl::StatusOr<Json> Negotiate(Cancellation& cancellation);
  absl::StatusOr<Json> Info();

  absl::StatusOr<Json> InspectContainer(const std::string& name_or_id);
  // Those with the label `key=value`, in any state.
  absl::StatusOr<Json> ListContainers(const std::string& label);
  // The container's id.
  absl::StatusOr<std::string> CreateContainer(const std::string& name, const std::string& platform,
                                              const Json& body, Cancellation& cancellation);
  absl::Status ConnectNetwork(const std::string& network, const std::string& container,
                              Cancellation& cancellation);
  // OK also when it runs already.
  absl::Status StartContainer(const std::string& name);
  // OK also when it does not run.
  absl::Status KillContainer(const std::string& name, std::string_view signal);
  // By force, with its anonymous volumes. OK when absent.
  absl::Status RemoveContainer(const std::string& name);

  absl::StatusOr<Json> InspectImage(const std::string& reference);
  // `progress` gets each message of the engine. `auth`: base64 of Docker's X-Registry-Auth, or
  // empty. A failed pull is told by `progress`, not by the status.
  absl::Status PullImage(const std::string& reference, const std::string& platform,
                         const std::string& auth, absl::Duration timeout,
                         const std::function<void(const Json&)>& progress,
                         Cancellation& cancellation);
  // The output so far and, with `follow`, until the container ends: raw bytes in frames
  // (log_frames.h).
  absl::Status ReadLogs(const std::string& id, bool follow,
                        const std::function<bool(std::string_view)>& sink,
                        Cancellation& cancellation);
  // Events of containers with the label from `since` (microseconds of the engine's clock) on, until
  // the connection ends.
  absl::Status FollowEvents(const std::string& label, int64_t since_micros,
                            const std::function<void(const Json&)>& event,
                            Cancellation& cancellation);

  // As it was given.
  const std::string& address() const { return address_; }
  bool local() const { return !socket_.empty(); }

 private:
  EngineApi(const CurlLibrary& curl, HttpServer server, std::string address);

  absl::StatusOr<std::string> Call(HttpRequest request, Cancellation* cancellation = nullptr);
  absl::StatusOr<Json> CallJson(HttpRequest request, Cancellation* cancellation = nullptr);
  absl::Status Unreachable(const absl::Status& error) const;

  const std::string address_;
  const std::string socket_;
  HttpClient http_;
  mutable Mutex mutex_;
  // "/v1.41"
  std::string prefix_ GUARDED_BY(mutex_) = "/v1.41";
};

}  // namespace forebay::worker
