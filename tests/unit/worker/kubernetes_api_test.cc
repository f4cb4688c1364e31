// What API servers refuse, as errors of this project. The words are those of Kubernetes 1.33.

#include <nlohmann/json.hpp>
#include <set>

#include "common/base/status.h"
#include "common/json/json.h"
#include "tests/support/catch.h"
#include "worker/launch/kubernetes/api/api_error.h"

namespace forebay::worker {
namespace {

HttpResponse Answer(int status, const std::string& reason, const std::string& message) {
  HttpResponse response;
  response.status = status;
  response.body = DumpJson({{"kind", "Status"}, {"reason", reason}, {"message", message}});
  return response;
}

TEST_CASE("each refusal has its code, and its reason as a failure of a launch", "[kubernetes]") {
  using Code = absl::StatusCode;
  const std::tuple<int, const char*, const char*, Code, const char*, bool> refusals[] = {
      {401, "Unauthorized", "Unauthorized", Code::kUnauthenticated, "INFRASTRUCTURE_UNAVAILABLE",
       true},
      {403, "Forbidden",
       "jobs.batch is forbidden: User \"system:serviceaccount:a:w\" cannot create resource "
       "\"jobs\" in API group \"batch\" in the namespace \"team-a\"",
       Code::kPermissionDenied, "PERMISSION_DENIED", false},
      {403, "Forbidden",
       "jobs.batch \"x\" is forbidden: exceeded quota: q, requested: count/jobs.batch=1, used: "
       "count/jobs.batch=1, limited: count/jobs.batch=1",
       Code::kResourceExhausted, "INFRASTRUCTURE_UNAVAILABLE", true},
      {403, "Forbidden",
       "jobs.batch \"x\" is forbidden: violates PodSecurity \"restricted:latest\": privileged",
       Code::kFailedPrecondition, "INVALID_JOB", false},
      {403, "", "admission webhook \"w\" denied the request: no team label",
       Code::kFailedPrecondition, "INVALID_JOB", false},
      {404, "NotFound", "namespaces \"team-a\" not found", Code::kNotFound, "NAMESPACE_NOT_FOUND",
       false},
      {409, "AlreadyExists", "jobs.batch \"x\" already exists", Code::kAlreadyExists,
       "INFRASTRUCTURE_UNAVAILABLE", true},
      {409, "Conflict", "the object has been modified", Code::kAborted,
       "INFRASTRUCTURE_UNAVAILABLE", true},
      {410, "Expired", "too old resource version", Code::kOutOfRange, "INFRASTRUCTURE_UNAVAILABLE",
       true},
      {422, "Invalid", "Job.batch \"x\" is invalid: spec.template: Required value",
       Code::kInvalidArgument, "INVALID_JOB", false},
      {429, "TooManyRequests", "the server has received too many requests", Code::kUnavailable,
       "INFRASTRUCTURE_UNAVAILABLE", true},
      {503, "ServiceUnavailable", "apiserver not ready", Code::kUnavailable,
       "INFRASTRUCTURE_UNAVAILABLE", true},
  };
  for (const auto& [status, reason, message, code, launch_reason, retryable] : refusals) {
    INFO(message);
    const absl::Status refused =
        RefusedBy(Answer(status, reason, message), {Use::kCreateJob, "team-a", "x"});
    CHECK(refused.code() == code);
    CHECK(MessageOf(refused).find(message) != std::string_view::npos);
    const absl::Status launch = AsLaunchError(refused);
    CHECK(ReasonOf(launch) == launch_reason);
    CHECK(absl::IsUnavailable(launch) == retryable);
    CHECK(MessageOf(launch) == MessageOf(refused));
  }
}

TEST_CASE("a missing permission names the line for the Role", "[kubernetes]") {
  const absl::Status refused =
      RefusedBy(Answer(403, "Forbidden", "pods is forbidden: User \"x\" cannot get resource"),
                {Use::kReadLog, "team-a", ""});
  auto detail = *DetailOf(refused);
  CHECK(detail.metadata["rule"] ==
        R"(- {apiGroups: [""], resources: ["pods/log"], verbs: ["get"]})");
  CHECK(detail.metadata["namespace"] == "team-a");
  CHECK(MessageOf(refused).find(detail.metadata["rule"]) != std::string_view::npos);
}

TEST_CASE("an answer that is no Status is told as it is", "[kubernetes]") {
  HttpResponse response;
  response.status = 502;
  response.body = "<html>bad gateway</html>\n";
  CHECK(MessageOf(RefusedBy(response, {})) ==
        "the API server cannot answer now (502): <html>bad gateway</html>");
  response.body = "";
  response.status = 418;
  CHECK(MessageOf(RefusedBy(response, {})) == "HTTP status 418");
}

TEST_CASE("how long to wait is taken from who asks for it", "[kubernetes]") {
  HttpResponse response;
  response.status = 429;
  CHECK_FALSE(RetryAfter(response).has_value());
  response.headers["retry-after"] = "7";
  CHECK(RetryAfter(response) == absl::Seconds(7));
  response.headers["retry-after"] = "Fri, 31 Dec 1999 23:59:59 GMT";
  CHECK_FALSE(RetryAfter(response).has_value());
  response.headers["retry-after"] = "7";
  response.status = 403;
  CHECK_FALSE(RetryAfter(response).has_value());
}

TEST_CASE("the table of verbs has each once", "[kubernetes]") {
  std::set<std::string> rules;
  for (const Verb& verb : UsedVerbs()) CHECK(rules.insert(RuleOf(verb)).second);
  CHECK(RuleOf(VerbOf(Use::kWatchEvents)) ==
        R"(- {apiGroups: [""], resources: ["events"], verbs: ["watch"]})");
  CHECK(RuleOf(VerbOf(Use::kCreateJob)) ==
        R"(- {apiGroups: ["batch"], resources: ["jobs"], verbs: ["create"]})");
}

}  // namespace
}  // namespace forebay::worker
