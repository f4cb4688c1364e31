#include "worker/launch/docker/engine/engine_api.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/json/json_lines.h"
#include "common/net/curl_library.h"

namespace forebay::worker {
namespace {

// Minor versions of API 1: of Docker 19.03, and the newest that this client was written for.
constexpr int64_t kOldestApi = 40;
constexpr int64_t kNewestApi = 44;
constexpr int64_t kMicros = 1'000'000;
constexpr absl::Duration kPatience = absl::Seconds(20);
// The worker's session asks for the list between its heartbeats.
constexpr absl::Duration kListPatience = absl::Seconds(3);
// Engines start and remove slowly when they have much to do; giving up too early only makes it
// unclear what happened.
constexpr absl::Duration kLongPatience = absl::Minutes(5);

HttpRequest Request(std::string method, std::string path, absl::Duration timeout = kPatience) {
  HttpRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.timeout = timeout;
  return request;
}

absl::StatusCode CodeOf(int status) {
  if (status == 404) return absl::StatusCode::kNotFound;
  if (status == 409) return absl::StatusCode::kAlreadyExists;
  if (status >= 500) return absl::StatusCode::kInternal;
  return absl::StatusCode::kInvalidArgument;
}

absl::Status Refused(const HttpResponse& response) {
  const auto body = ParseJson(response.body, "answer");
  std::string message = response.body;
  if (body.ok() && body->is_object()) {
    if (const auto found = body->find("message"); found != body->end() && found->is_string()) {
      message = found->get<std::string>();
    }
  }
  return Error(CodeOf(response.status), "ENGINE_REFUSED")
      .With("status", std::to_string(response.status))
      .Says("{}", Trim(message));
}

// "1.41" is 41; anything else of API 1 that cannot be read is 0.
int64_t MinorOf(const Json& version, const char* key) {
  const auto found = version.find(key);
  if (found == version.end() || !found->is_string()) return 0;
  const auto& text = found->get_ref<const std::string&>();
  if (!text.starts_with("1.")) return 0;
  return ParseInt(std::string_view(text).substr(2)).value_or(0);
}

std::string Filters(const std::string& label) {
  const Json filters = {{"label", {label}}, {"type", {"container"}}};
  return UrlEscape(DumpJson(filters));
}

std::string LabelFilter(const std::string& label) {
  return UrlEscape(DumpJson(Json{{"label", {label}}}));
}

}  // namespace

absl::StatusOr<std::unique_ptr<EngineApi>> EngineApi::Make(const EngineOptions& options) {
  constexpr std::string_view kUnix = "unix://", kTcp = "tcp://";
  const std::string_view address = options.address;
  HttpServer server;
  if (address.starts_with("unix:///")) {
    server.base_url = "http://localhost";
    server.unix_socket = address.substr(kUnix.size());
  } else if (address.starts_with(kTcp) && address.size() > kTcp.size()) {
    const bool tls = !options.tls_ca_file.empty() || !options.tls_certificate_file.empty();
    server.base_url = fmt::format("{}://{}", tls ? "https" : "http", address.substr(kTcp.size()));
    server.tls_ca_file = options.tls_ca_file;
    server.tls_certificate_file = options.tls_certificate_file;
    server.tls_key_file = options.tls_key_file;
  } else {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ENGINE_ADDRESS")
        .Field("docker_host", address)
        .With("allowed", "unix:///path/to/socket, tcp://host:port")
        .Says("docker_host '{}' is neither unix:///path/to/socket nor tcp://host:port", address);
  }
  ASSIGN_OR_RETURN(const CurlLibrary* curl, CurlLibrary::Loaded());
  return std::unique_ptr<EngineApi>(new EngineApi(*curl, std::move(server), options.address));
}

EngineApi::EngineApi(const CurlLibrary& curl, HttpServer server, std::string address)
    : address_(std::move(address)), socket_(server.unix_socket), http_(curl, std::move(server)) {}

// What a socket's file says is more to the point than what connecting to it fails with.
absl::Status EngineApi::Unreachable(const absl::Status& error) const {
  if (absl::IsCancelled(error)) return error;
  if (!socket_.empty() && ::access(socket_.c_str(), F_OK) != 0) {
    return Error(absl::StatusCode::kUnavailable, "INFRASTRUCTURE_UNAVAILABLE")
        .With("value", address_)
        .Next("systemctl start docker")
        .Says("no container engine listens at {}: {}", address_, std::strerror(errno));
  }
  if (!socket_.empty() && ::access(socket_.c_str(), R_OK | W_OK) != 0) {
    return Error(absl::StatusCode::kFailedPrecondition, "ENGINE_PERMISSION_DENIED")
        .With("value", address_)
        .Next("sudo usermod -aG docker $USER")
        .Says("this user may not use the container engine at {}: {}", address_,
              std::strerror(errno));
  }
  const auto code = absl::IsDeadlineExceeded(error) ? error.code() : absl::StatusCode::kUnavailable;
  return Error(code, "INFRASTRUCTURE_UNAVAILABLE")
      .With("value", address_)
      .Says("the container engine at {} does not answer: {}", address_, MessageOf(error));
}

absl::StatusOr<std::string> EngineApi::Call(HttpRequest request, Cancellation* cancellation) {
  {
    MutexLock lock(mutex_);
    request.path = prefix_ + request.path;
  }
  auto response = http_.Do(request, cancellation);
  if (!response.ok()) return Unreachable(response.status());
  // 304: it is so already.
  if (response->status >= 400) return Refused(*response);
  return std::move(response->body);
}

absl::StatusOr<Json> EngineApi::CallJson(HttpRequest request, Cancellation* cancellation) {
  ASSIGN_OR_RETURN(const std::string body, Call(std::move(request), cancellation));
  auto parsed = ParseJson(body, "answer");
  if (parsed.ok()) return parsed;
  return Error(absl::StatusCode::kInternal, "ENGINE_REFUSED")
      .Says("the container engine at {} answered what is no JSON: {}", address_,
            MessageOf(parsed.status()));
}

absl::StatusOr<Json> EngineApi::Negotiate(Cancellation& cancellation) {
  // Without a version in its path the engine answers as its newest self.
  HttpRequest request = Request("GET", "/version", absl::Seconds(10));
  auto response = http_.Do(request, &cancellation);
  if (!response.ok()) return Unreachable(response.status());
  if (response->status != 200) return Refused(*response);
  ASSIGN_OR_RETURN(Json version, ParseJsonObject(response->body, "version"));
  const int64_t minor = std::min(MinorOf(version, "ApiVersion"), kNewestApi);
  if (minor < kOldestApi || MinorOf(version, "MinAPIVersion") > kNewestApi) {
    return Error(absl::StatusCode::kFailedPrecondition, "ENGINE_TOO_OLD")
        .With("value", version.value("ApiVersion", ""))
        .With("allowed", fmt::format("1.{} to 1.{}", kOldestApi, kNewestApi))
        .Says(
            "the container engine at {} ({}) speaks API {}; this worker needs one of 1.{} to 1.{}",
            address_, version.value("Version", "unknown version"),
            version.value("ApiVersion", "unknown"), kOldestApi, kNewestApi);
  }
  MutexLock lock(mutex_);
  prefix_ = fmt::format("/v1.{}", minor);
  return version;
}

absl::StatusOr<Json> EngineApi::Info() { return CallJson(Request("GET", "/info")); }

absl::StatusOr<Json> EngineApi::InspectContainer(const std::string& name_or_id) {
  return CallJson(Request("GET", fmt::format("/containers/{}/json", UrlEscape(name_or_id))));
}

absl::StatusOr<Json> EngineApi::ListContainers(const std::string& label) {
  return CallJson(Request(
      "GET", fmt::format("/containers/json?all=1&filters={}", LabelFilter(label)), kListPatience));
}

absl::StatusOr<std::string> EngineApi::CreateContainer(const std::string& name,
                                                       const std::string& platform,
                                                       const Json& body,
                                                       Cancellation& cancellation) {
  std::string path = fmt::format("/containers/create?name={}", UrlEscape(name));
  if (!platform.empty()) path += fmt::format("&platform={}", UrlEscape(platform));
  HttpRequest request = Request("POST", std::move(path), kLongPatience);
  request.body = DumpJson(body);
  ASSIGN_OR_RETURN(const Json created, CallJson(std::move(request), &cancellation));
  return created.value("Id", "");
}

absl::Status EngineApi::ConnectNetwork(const std::string& network, const std::string& container,
                                       Cancellation& cancellation) {
  HttpRequest request =
      Request("POST", fmt::format("/networks/{}/connect", UrlEscape(network)), kLongPatience);
  request.body = DumpJson(Json{{"Container", container}});
  return Call(std::move(request), &cancellation).status();
}

absl::Status EngineApi::StartContainer(const std::string& name) {
  return Call(Request("POST", fmt::format("/containers/{}/start", UrlEscape(name)), kLongPatience))
      .status();
}

absl::Status EngineApi::KillContainer(const std::string& name, std::string_view signal) {
  const absl::Status killed =
      Call(Request("POST", fmt::format("/containers/{}/kill?signal={}", UrlEscape(name), signal)))
          .status();
  // 409: it does not run.
  return absl::IsAlreadyExists(killed) || absl::IsNotFound(killed) ? absl::OkStatus() : killed;
}

absl::Status EngineApi::RemoveContainer(const std::string& name) {
  const absl::Status removed =
      Call(Request("DELETE", fmt::format("/containers/{}?force=1&v=1", UrlEscape(name)),
                   kLongPatience))
          .status();
  return absl::IsNotFound(removed) ? absl::OkStatus() : removed;
}

absl::StatusOr<Json> EngineApi::InspectImage(const std::string& reference) {
  return CallJson(Request("GET", fmt::format("/images/{}/json", UrlEscape(reference))));
}

absl::Status EngineApi::PullImage(const std::string& reference, const std::string& platform,
                                  const std::string& auth, absl::Duration timeout,
                                  const std::function<void(const Json&)>& progress,
                                  Cancellation& cancellation) {
  std::string path = fmt::format("/images/create?fromImage={}", UrlEscape(reference));
  if (!platform.empty()) path += fmt::format("&platform={}", UrlEscape(platform));
  HttpRequest request = Request("POST", std::move(path), timeout);
  if (!auth.empty()) request.headers.push_back("X-Registry-Auth: " + auth);
  JsonLines lines(progress);
  request.sink = [&lines](std::string_view bytes) {
    lines.Feed(bytes);
    return true;
  };
  return Call(std::move(request), &cancellation).status();
}

absl::Status EngineApi::ReadLogs(const std::string& id, bool follow,
                                 const std::function<bool(std::string_view)>& sink,
                                 Cancellation& cancellation) {
  HttpRequest request =
      Request("GET",
              fmt::format("/containers/{}/logs?stdout=1&stderr=1&timestamps=1&follow={}",
                          UrlEscape(id), follow ? 1 : 0),
              absl::InfiniteDuration());
  request.sink = sink;
  return Call(std::move(request), &cancellation).status();
}

absl::Status EngineApi::FollowEvents(const std::string& label, int64_t since_micros,
                                     const std::function<void(const Json&)>& event,
                                     Cancellation& cancellation) {
  HttpRequest request = Request("GET",
                                fmt::format("/events?filters={}&since={}.{:06}", Filters(label),
                                            since_micros / kMicros, since_micros % kMicros),
                                absl::InfiniteDuration());
  JsonLines lines(event);
  request.sink = [&lines](std::string_view bytes) {
    lines.Feed(bytes);
    return true;
  };
  return Call(std::move(request), &cancellation).status();
}

}  // namespace forebay::worker
