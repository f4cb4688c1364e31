#pragma once

// An API server as it is spoken to: the few calls that a launcher needs, all of them in the table
// of verbs.h.
//
// Thread-safe. Errors as of api_error.h; besides UNAVAILABLE (INFRASTRUCTURE_UNAVAILABLE) when
// there is no connection or it breaks, and what became of the call is unknown; DEADLINE_EXCEEDED
// (the same reason) after a time; FAILED_PRECONDITION (CREDENTIAL_UNREADABLE,
// CREDENTIAL_PLUGIN_FAILED).

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/sync.h"
#include "common/json/json.h"
#include "common/net/http_client.h"
#include "common/net/http_streams.h"
#include "worker/launch/kubernetes/api/api_error.h"
#include "worker/launch/kubernetes/api/cluster_access.h"
#include "worker/launch/kubernetes/api/credentials.h"

namespace forebay::worker {

// What is listed and watched.
enum class ObjectKind { kJob, kPod, kEvent };

struct ListQuery {
  ObjectKind kind = ObjectKind::kJob;
  std::string name_space;
  // "key=value"; empty: all.
  std::string label_selector;
};

struct LogQuery {
  std::string name_space;
  std::string pod;
  std::string container;
  // Goes on until the container ends.
  bool follow = true;
  // Whole seconds since the epoch; lines of that second and later ones. 0: all.
  int64_t since_seconds = 0;
};

struct DeleteOptions {
  // Goes only when it is the object of this uid; empty: any.
  std::string uid;
  // Waits for what it owns; else that goes later.
  bool foreground = false;
  // Whole seconds, at least 1 (0 would forget the object at once, ended or not); negative: as the
  // object says.
  int64_t grace_seconds = -1;
};

class KubernetesApi {
 public:
  // INVALID_ARGUMENT (INVALID_KUBECONFIG) for a server's address that is none, or
  // FAILED_PRECONDITION (HTTP_LIBRARY_MISSING).
  static absl::StatusOr<std::unique_ptr<KubernetesApi>> Make(ClusterAccess access,
                                                             const Clock& clock);
  // Gives up waiting calls and streams.
  ~KubernetesApi();

  // They block; those that the server asks to come later (429) do so by themselves, for a while.
  absl::StatusOr<Json> Version();
  absl::StatusOr<Json> CreateJob(const std::string& name_space, const Json& manifest);
  // As CreateJob without making anything; the server's warnings, often none.
  absl::StatusOr<std::string> TryJob(const std::string& name_space, const Json& manifest);
  absl::StatusOr<Json> GetJob(const std::string& name_space, const std::string& name);
  // OK also when it is not there.
  absl::Status DeleteJob(const std::string& name_space, const std::string& name,
                         const DeleteOptions& options);
  absl::Status CreateSecret(const std::string& name_space, const Json& manifest);
  // `patch`: a JSON merge patch, or a JSON patch when it is an array. The patched Pod.
  absl::StatusOr<Json> PatchPod(const std::string& name_space, const std::string& name,
                                const Json& patch);
  // OK also when it is not there.
  absl::Status DeletePod(const std::string& name_space, const std::string& name,
                         const DeleteOptions& options);
  // Whether this worker may do it there.
  absl::StatusOr<bool> May(const Verb& verb, const std::string& name_space);

  // Streams; functions are called as HttpStreams says, and the handle is one of its.
  // One page: `items` and `metadata` (resourceVersion, continue). `continued`: as the page before
  // said; empty: the first.
  uint64_t List(const ListQuery& query, const std::string& continued,
                std::function<void(const absl::StatusOr<Json>&)> done, absl::Duration delay);
  // What Pods use now: `items`, PodMetrics. The API is an extension, which has no pages and is
  // NOT_FOUND in many clusters.
  uint64_t ListPodMetrics(const std::string& name_space, const std::string& label_selector,
                          std::function<void(const absl::StatusOr<Json>&)> done,
                          absl::Duration delay);
  // Changes since the resource version, one JSON object each, until the server ends it (OK).
  // `began`: the server has taken it up.
  uint64_t Watch(const ListQuery& query, const std::string& resource_version,
                 std::function<void()> began, std::function<void(const Json&)> change,
                 std::function<void(const absl::Status&)> done, absl::Duration delay);
  // Lines with a time in front.
  uint64_t ReadLog(const LogQuery& query, std::function<void(std::string_view)> bytes,
                   std::function<void(const absl::Status&)> done, absl::Duration delay);
  void End(uint64_t stream) { streams_.End(stream); }

  const ClusterAccess& access() const { return access_; }

 private:
  KubernetesApi(const CurlLibrary& curl, ClusterAccess access, const Clock& clock);

  // A call with what the server is to be shown.
  absl::StatusOr<HttpStreams::Call> Signed(HttpRequest request);
  std::shared_ptr<HttpClient> ClientFor(const HttpServer& server);
  absl::StatusOr<HttpResponse> Do(const HttpRequest& request, const Asked& asked);
  absl::StatusOr<Json> DoJson(const HttpRequest& request, const Asked& asked);
  // Waits; false when this object ends.
  bool Pause(absl::Duration duration);
  uint64_t GetJson(const std::string& path, const Asked& asked, absl::Duration patience,
                   std::function<void(const absl::StatusOr<Json>&)> done, absl::Duration delay);
  absl::Status NoAnswer(const absl::Status& error) const;
  absl::Status EndOf(const absl::StatusOr<HttpResponse>& outcome, const Asked& asked);

  const CurlLibrary& curl_;
  const ClusterAccess access_;
  const Clock& clock_;
  Credentials credentials_;
  // Ends the calls that wait.
  Cancellation cancellation_;
  Mutex mutex_;
  CondVar changed_;
  bool ending_ GUARDED_BY(mutex_) = false;
  HttpServer server_ GUARDED_BY(mutex_);
  std::shared_ptr<HttpClient> client_ GUARDED_BY(mutex_);
  // Last: its thread uses the others.
  HttpStreams streams_;
};

}  // namespace forebay::worker
