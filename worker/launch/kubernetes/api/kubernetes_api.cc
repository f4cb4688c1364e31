#include "worker/launch/kubernetes/api/kubernetes_api.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/json/json_lines.h"
#include "common/net/curl_library.h"

namespace forebay::worker {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);
// For the server that asks to come later.
constexpr absl::Duration kMostWaiting = absl::Seconds(30);
constexpr absl::Duration kDefaultRetryAfter = absl::Seconds(1);
// Short, so that a connection that has fallen silent is noticed.
constexpr int kWatchSeconds = 25;
constexpr absl::Duration kWatchLeeway = absl::Seconds(5);
constexpr absl::Duration kListPatience = absl::Seconds(60);
constexpr absl::Duration kMetricsPatience = absl::Seconds(10);
// A server in trouble that does not say for how long. All calls can be repeated: what they make has
// a name of its own.
constexpr absl::Duration kAfterTrouble = absl::Milliseconds(200);
constexpr int kMostTroubles = 4;
// Objects of a page; what a parsed one takes in memory is what counts.
constexpr int kPage = 100;
constexpr size_t kLongestObject = 4 << 20;

std::string Collection(std::string_view resource, const std::string& name_space) {
  const std::string_view root = resource == "jobs" ? "/apis/batch/v1" : "/api/v1";
  return fmt::format("{}/namespaces/{}/{}", root, UrlEscape(name_space), resource);
}

std::string ObjectPath(std::string_view resource, const std::string& name_space,
                       const std::string& name) {
  return fmt::format("{}/{}", Collection(resource, name_space), UrlEscape(name));
}

std::string CollectionOf(const ListQuery& query) {
  switch (query.kind) {
    case ObjectKind::kJob:
      return Collection("jobs", query.name_space);
    case ObjectKind::kPod:
      return Collection("pods", query.name_space);
    case ObjectKind::kEvent:
      break;
  }
  return Collection("events", query.name_space);
}

Use ListUse(ObjectKind kind) {
  if (kind == ObjectKind::kJob) return Use::kListJobs;
  return kind == ObjectKind::kPod ? Use::kListPods : Use::kListEvents;
}

Use WatchUse(ObjectKind kind) {
  if (kind == ObjectKind::kJob) return Use::kWatchJobs;
  return kind == ObjectKind::kPod ? Use::kWatchPods : Use::kWatchEvents;
}

std::string Selector(const ListQuery& query) {
  if (query.label_selector.empty()) return "";
  return "&labelSelector=" + UrlEscape(query.label_selector);
}

HttpRequest Request(std::string method, std::string path, absl::Duration timeout = kPatience) {
  HttpRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.timeout = timeout;
  return request;
}

HttpRequest WithBody(std::string method, std::string path, const Json& body) {
  HttpRequest request = Request(std::move(method), std::move(path));
  request.body = DumpJson(body);
  return request;
}

Json DeleteBody(const DeleteOptions& options) {
  Json body = {{"apiVersion", "v1"}, {"kind", "DeleteOptions"}};
  body["propagationPolicy"] = options.foreground ? "Foreground" : "Background";
  if (options.grace_seconds >= 0) {
    body["gracePeriodSeconds"] = std::max<int64_t>(options.grace_seconds, 1);
  }
  if (!options.uid.empty()) body["preconditions"] = {{"uid", options.uid}};
  return body;
}

// The server's name for TLS in the URL, and where to connect to instead.
void RenameServer(const ClusterAccess& access, HttpServer& server) {
  server.base_url = access.server;
  if (access.tls_server_name.empty()) return;
  constexpr std::string_view kScheme = "https://";
  const std::string rest = access.server.substr(kScheme.size());
  const size_t end = rest.find('/');
  std::string host = rest.substr(0, end);
  const bool has_port = host.rfind(':') != std::string::npos && !host.ends_with(']');
  if (!has_port) host += ":443";
  server.connect_to = host;
  server.base_url =
      fmt::format("{}{}{}{}", kScheme, access.tls_server_name, host.substr(host.rfind(':')),
                  end == std::string::npos ? "" : rest.substr(end));
}

absl::Status OkIfAbsent(const absl::Status& status) {
  // ABORTED: its name belongs to another object by now.
  return absl::IsNotFound(status) || absl::IsAborted(status) ? absl::OkStatus() : status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KubernetesApi>> KubernetesApi::Make(ClusterAccess access,
                                                                   const Clock& clock) {
  if (!access.tls_server_name.empty() && !access.server.starts_with("https://")) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_KUBECONFIG")
        .Field("tls-server-name", access.tls_server_name)
        .Says("tls-server-name means nothing for {}", access.server);
  }
  ASSIGN_OR_RETURN(const CurlLibrary* curl, CurlLibrary::Loaded());
  return std::unique_ptr<KubernetesApi>(new KubernetesApi(*curl, std::move(access), clock));
}

KubernetesApi::KubernetesApi(const CurlLibrary& curl, ClusterAccess access, const Clock& clock)
    : curl_(curl),
      access_(std::move(access)),
      clock_(clock),
      credentials_(access_, clock),
      streams_(curl, clock) {}

KubernetesApi::~KubernetesApi() {
  cancellation_.Cancel();
  MutexLock lock(mutex_);
  ending_ = true;
  changed_.NotifyAll();
}

absl::StatusOr<HttpStreams::Call> KubernetesApi::Signed(HttpRequest request) {
  ASSIGN_OR_RETURN(Credential credential, credentials_.Current());
  HttpStreams::Call call{{}, std::move(request)};
  RenameServer(access_, call.server);
  ASSIGN_OR_RETURN(call.server.tls_ca_pem, ReadPem(access_.authority));
  call.server.tls_certificate_pem = std::move(credential.certificate_pem);
  call.server.tls_key_pem = std::move(credential.key_pem);
  call.request.headers.push_back("Accept: application/json");
  call.request.headers.push_back("User-Agent: forebay-worker/" FOREBAY_VERSION);
  if (!credential.bearer_token.empty()) {
    call.request.headers.push_back("Authorization: Bearer " + credential.bearer_token);
  }
  return call;
}

std::shared_ptr<HttpClient> KubernetesApi::ClientFor(const HttpServer& server) {
  MutexLock lock(mutex_);
  if (client_ == nullptr || server_ != server) {
    server_ = server;
    client_ = std::make_shared<HttpClient>(curl_, server);
  }
  return client_;
}

absl::Status KubernetesApi::NoAnswer(const absl::Status& error) const {
  const std::string reason = ReasonOf(error);
  if (!reason.starts_with("HTTP_") || absl::IsCancelled(error)) return error;
  const auto code = absl::IsDeadlineExceeded(error) ? error.code() : absl::StatusCode::kUnavailable;
  return Error(code, "INFRASTRUCTURE_UNAVAILABLE")
      .With("value", access_.server)
      .Says("the Kubernetes API server at {} does not answer: {}", access_.server,
            MessageOf(error));
}

bool KubernetesApi::Pause(absl::Duration duration) {
  const absl::Duration end = clock_.Monotonic() + duration;
  MutexLock lock(mutex_);
  while (!ending_ && clock_.Monotonic() < end) {
    changed_.WaitFor(mutex_, end - clock_.Monotonic());
  }
  return !ending_;
}

absl::StatusOr<HttpResponse> KubernetesApi::Do(const HttpRequest& request, const Asked& asked) {
  const absl::Duration end = clock_.Monotonic() + kMostWaiting;
  bool refreshed = false;
  int troubles = 0;
  while (true) {
    ASSIGN_OR_RETURN(const HttpStreams::Call call, Signed(request));
    auto response = ClientFor(call.server)->Do(call.request, &cancellation_);
    if (!response.ok()) return NoAnswer(response.status());
    if (response->status < 400) return response;
    const absl::Status refused = RefusedBy(*response, asked);
    if (absl::IsUnauthenticated(refused) && !std::exchange(refreshed, true) &&
        credentials_.Refused()) {
      continue;
    }
    const bool in_trouble = response->status >= 500 && troubles < kMostTroubles;
    if (response->status != 429 && !RetryAfter(*response).has_value() && !in_trouble) {
      return refused;
    }
    const absl::Duration own = in_trouble ? kAfterTrouble * (1 << troubles++) : kDefaultRetryAfter;
    const absl::Duration pause = RetryAfter(*response).value_or(own);
    if (clock_.Monotonic() + pause > end || !Pause(pause)) return refused;
  }
}

absl::StatusOr<Json> KubernetesApi::DoJson(const HttpRequest& request, const Asked& asked) {
  ASSIGN_OR_RETURN(const HttpResponse response, Do(request, asked));
  auto parsed = ParseJson(response.body, "answer");
  if (parsed.ok() && parsed->is_object()) return parsed;
  return Error(absl::StatusCode::kUnavailable, "INFRASTRUCTURE_UNAVAILABLE")
      .Says("what answers at {} is no Kubernetes API server: it answered no JSON object",
            access_.server);
}

absl::StatusOr<Json> KubernetesApi::Version() { return DoJson(Request("GET", "/version"), {}); }

absl::StatusOr<Json> KubernetesApi::CreateJob(const std::string& name_space, const Json& manifest) {
  return DoJson(WithBody("POST", Collection("jobs", name_space), manifest),
                {Use::kCreateJob, name_space, ""});
}

absl::StatusOr<std::string> KubernetesApi::TryJob(const std::string& name_space,
                                                  const Json& manifest) {
  const std::string path = Collection("jobs", name_space) + "?dryRun=All&fieldValidation=Strict";
  ASSIGN_OR_RETURN(const HttpResponse response,
                   Do(WithBody("POST", path, manifest), {Use::kCreateJob, name_space, ""}));
  const auto warning = response.headers.find("warning");
  return warning == response.headers.end() ? "" : warning->second;
}

absl::StatusOr<Json> KubernetesApi::GetJob(const std::string& name_space, const std::string& name) {
  return DoJson(Request("GET", ObjectPath("jobs", name_space, name)),
                {Use::kGetJob, name_space, name});
}

absl::Status KubernetesApi::DeleteJob(const std::string& name_space, const std::string& name,
                                      const DeleteOptions& options) {
  const auto request =
      WithBody("DELETE", ObjectPath("jobs", name_space, name), DeleteBody(options));
  return OkIfAbsent(Do(request, {Use::kDeleteJob, name_space, name}).status());
}

absl::Status KubernetesApi::CreateSecret(const std::string& name_space, const Json& manifest) {
  return Do(WithBody("POST", Collection("secrets", name_space), manifest),
            {Use::kCreateSecret, name_space, ""})
      .status();
}

absl::StatusOr<Json> KubernetesApi::PatchPod(const std::string& name_space, const std::string& name,
                                             const Json& patch) {
  HttpRequest request = WithBody("PATCH", ObjectPath("pods", name_space, name), patch);
  request.content_type =
      patch.is_array() ? "application/json-patch+json" : "application/merge-patch+json";
  return DoJson(request, {Use::kPatchPod, name_space, name});
}

absl::Status KubernetesApi::DeletePod(const std::string& name_space, const std::string& name,
                                      const DeleteOptions& options) {
  const auto request =
      WithBody("DELETE", ObjectPath("pods", name_space, name), DeleteBody(options));
  return OkIfAbsent(Do(request, {Use::kDeletePod, name_space, name}).status());
}

absl::StatusOr<bool> KubernetesApi::May(const Verb& verb, const std::string& name_space) {
  const size_t slash = verb.resource.find('/');
  Json attributes = {{"namespace", name_space},
                     {"verb", verb.verb},
                     {"group", verb.group},
                     {"resource", verb.resource.substr(0, slash)}};
  if (slash != std::string_view::npos) attributes["subresource"] = verb.resource.substr(slash + 1);
  const Json review = {{"apiVersion", "authorization.k8s.io/v1"},
                       {"kind", "SelfSubjectAccessReview"},
                       {"spec", {{"resourceAttributes", attributes}}}};
  ASSIGN_OR_RETURN(
      const Json answer,
      DoJson(WithBody("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review),
             {}));
  const auto status = answer.find("status");
  return status != answer.end() && status->is_object() && status->value("allowed", false);
}

absl::Status KubernetesApi::EndOf(const absl::StatusOr<HttpResponse>& outcome, const Asked& asked) {
  if (!outcome.ok()) return NoAnswer(outcome.status());
  if (outcome->status < 400) return absl::OkStatus();
  absl::Status refused = RefusedBy(*outcome, asked);
  if (absl::IsUnauthenticated(refused)) (void)credentials_.Refused();
  return refused;
}

uint64_t KubernetesApi::List(const ListQuery& query, const std::string& continued,
                             std::function<void(const absl::StatusOr<Json>&)> done,
                             absl::Duration delay) {
  std::string path = fmt::format("{}?limit={}{}", CollectionOf(query), kPage, Selector(query));
  if (!continued.empty()) path += "&continue=" + UrlEscape(continued);
  return GetJson(path, {ListUse(query.kind), query.name_space, ""}, kListPatience, std::move(done),
                 delay);
}

uint64_t KubernetesApi::ListPodMetrics(const std::string& name_space,
                                       const std::string& label_selector,
                                       std::function<void(const absl::StatusOr<Json>&)> done,
                                       absl::Duration delay) {
  const std::string path =
      fmt::format("/apis/metrics.k8s.io/v1beta1/namespaces/{}/pods?labelSelector={}",
                  UrlEscape(name_space), UrlEscape(label_selector));
  return GetJson(path, {Use::kListPodMetrics, name_space, ""}, kMetricsPatience, std::move(done),
                 delay);
}

uint64_t KubernetesApi::GetJson(const std::string& path, const Asked& asked,
                                absl::Duration patience,
                                std::function<void(const absl::StatusOr<Json>&)> done,
                                absl::Duration delay) {
  auto body = std::make_shared<std::string>();
  HttpStreams::Stream stream;
  stream.call = [this, path, patience] { return Signed(Request("GET", path, patience)); };
  stream.bytes = [body](std::string_view bytes) { *body += bytes; };
  stream.done = [this, body, done = std::move(done), asked](const auto& outcome) {
    const absl::Status ended = EndOf(outcome, asked);
    if (!ended.ok()) return done(ended);
    const auto page = ParseJsonObject(*body, "list");
    body->clear();
    done(page);
  };
  return streams_.Begin(std::move(stream), delay);
}

uint64_t KubernetesApi::Watch(const ListQuery& query, const std::string& resource_version,
                              std::function<void()> began, std::function<void(const Json&)> change,
                              std::function<void(const absl::Status&)> done, absl::Duration delay) {
  const std::string path =
      fmt::format("{}?watch=1&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={}{}",
                  CollectionOf(query), kWatchSeconds, UrlEscape(resource_version), Selector(query));
  auto lines = std::make_shared<JsonLines>(std::move(change), kLongestObject);
  HttpStreams::Stream stream;
  stream.call = [this, path] {
    return Signed(Request("GET", path, absl::Seconds(kWatchSeconds) + kWatchLeeway));
  };
  stream.began = std::move(began);
  stream.bytes = [lines](std::string_view bytes) { lines->Feed(bytes); };
  stream.done = [this, done = std::move(done),
                 asked = Asked{WatchUse(query.kind), query.name_space, ""}](const auto& outcome) {
    done(EndOf(outcome, asked));
  };
  return streams_.Begin(std::move(stream), delay);
}

uint64_t KubernetesApi::ReadLog(const LogQuery& query, std::function<void(std::string_view)> bytes,
                                std::function<void(const absl::Status&)> done,
                                absl::Duration delay) {
  std::string path = fmt::format("{}/log?container={}&timestamps=true&follow={}",
                                 ObjectPath("pods", query.name_space, query.pod),
                                 UrlEscape(query.container), query.follow);
  if (query.since_seconds > 0) {
    const absl::Time since = absl::FromUnixSeconds(query.since_seconds);
    path += "&sinceTime=" +
            UrlEscape(absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", since, absl::UTCTimeZone()));
  }
  HttpStreams::Stream stream;
  stream.call = [this, path] { return Signed(Request("GET", path, absl::InfiniteDuration())); };
  stream.bytes = std::move(bytes);
  stream.done = [this, done = std::move(done),
                 asked = Asked{Use::kReadLog, query.name_space, query.pod}](const auto& outcome) {
    done(EndOf(outcome, asked));
  };
  return streams_.Begin(std::move(stream), delay);
}

}  // namespace forebay::worker
