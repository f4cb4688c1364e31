#include "worker/launch/kubernetes/api/api_error.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/json/json.h"

namespace forebay::worker {
namespace {

constexpr size_t kMostWords = 1000;
constexpr char kRefused[] = "CLUSTER_REFUSED";
constexpr char kNamespaceNotFound[] = "NAMESPACE_NOT_FOUND";
constexpr char kRetryAfter[] = "retry_after_seconds";
constexpr char kUnavailable[] = "INFRASTRUCTURE_UNAVAILABLE";

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// metav1.Status, as far as it matters.
struct Said {
  std::string message;
  std::string reason;
};

Said SaidBy(const HttpResponse& response) {
  Said said;
  const auto body = ParseJson(response.body, "answer");
  const auto text = [&](const char* key) -> std::string {
    if (!body.ok() || !body->is_object()) return "";
    const auto found = body->find(key);
    return found != body->end() && found->is_string() ? found->get<std::string>() : "";
  };
  said.message = text("message");
  said.reason = text("reason");
  if (said.message.empty()) said.message = CutUtf8(Trim(response.body), kMostWords);
  if (said.message.empty()) said.message = fmt::format("HTTP status {}", response.status);
  return said;
}

absl::Status Plain(absl::StatusCode code, const HttpResponse& response, const Said& said) {
  return Error(code, kRefused)
      .With("status", std::to_string(response.status))
      .Says("{}", said.message);
}

absl::Status MissingPermission(const Said& said, const Asked& asked) {
  const Verb& verb = VerbOf(asked.use);
  return Error(absl::StatusCode::kPermissionDenied, "CLUSTER_PERMISSION_DENIED")
      .With("verb", verb.verb)
      .With("resource", verb.resource)
      .With("namespace", asked.name_space)
      .With("rule", RuleOf(verb))
      .Says("this worker may not {} {} in namespace {} ({}); add to its Role there: {}", verb.verb,
            verb.resource, asked.name_space, said.message, RuleOf(verb));
}

// "User "x" cannot create resource "jobs" …" is the authoriser's; everything else that is forbidden
// was refused by an admission rule.
absl::Status Forbidden(const HttpResponse& response, const Said& said, const Asked& asked) {
  if (Has(said.message, "exceeded quota")) {
    return Plain(absl::StatusCode::kResourceExhausted, response, said);
  }
  const bool by_admission = Has(said.message, "is forbidden") && !Has(said.message, " cannot ") &&
                            !Has(said.message, "User \"");
  if (by_admission || Has(said.message, "denied the request")) {
    return Plain(absl::StatusCode::kFailedPrecondition, response, said);
  }
  return MissingPermission(said, asked);
}

}  // namespace

absl::Status RefusedBy(const HttpResponse& response, const Asked& asked) {
  const Said said = SaidBy(response);
  switch (response.status) {
    case 401:
      return Error(absl::StatusCode::kUnauthenticated, "CLUSTER_UNAUTHENTICATED")
          .Says("the API server does not accept this worker's credential; it may have expired: {}",
                said.message);
    case 403:
      return Forbidden(response, said, asked);
    case 404:
      return Plain(absl::StatusCode::kNotFound, response, said);
    case 409:
      return Plain(said.reason == "AlreadyExists" ? absl::StatusCode::kAlreadyExists
                                                  : absl::StatusCode::kAborted,
                   response, said);
    case 410:
      return Plain(absl::StatusCode::kOutOfRange, response, said);
    default:
      break;
  }
  if (response.status != 429 && response.status < 500) {
    return Plain(absl::StatusCode::kInvalidArgument, response, said);
  }
  const absl::Duration pause = RetryAfter(response).value_or(absl::ZeroDuration());
  return Error(absl::StatusCode::kUnavailable, kUnavailable)
      .With("status", std::to_string(response.status))
      .With(kRetryAfter, std::to_string(absl::ToInt64Seconds(pause)))
      .Says("the API server cannot answer now ({}): {}", response.status, said.message);
}

std::optional<absl::Duration> RetryAfter(const HttpResponse& response) {
  if (response.status != 429 && response.status < 500) return std::nullopt;
  const auto header = response.headers.find("retry-after");
  if (header == response.headers.end()) return std::nullopt;
  const auto seconds = ParseInt(Trim(header->second));
  if (!seconds.has_value() || *seconds < 0) return std::nullopt;
  return absl::Seconds(*seconds);
}

absl::Duration RetryAfter(const absl::Status& refused) {
  auto detail = DetailOf(refused);
  if (!detail.has_value()) return absl::ZeroDuration();
  return absl::Seconds(ParseInt(detail->metadata[kRetryAfter]).value_or(0));
}

absl::Status AsLaunchError(const absl::Status& error) {
  const auto as = [&error](absl::StatusCode code, std::string_view reason) {
    return Error(code, reason).Says("{}", MessageOf(error));
  };
  const std::string reason = ReasonOf(error);
  if (reason == "CLUSTER_PERMISSION_DENIED") {
    return as(absl::StatusCode::kFailedPrecondition, "PERMISSION_DENIED");
  }
  if (reason != kRefused) return as(absl::StatusCode::kUnavailable, kUnavailable);
  const bool no_namespace = absl::IsNotFound(error) && MessageOf(error).starts_with("namespaces ");
  if (no_namespace) return as(absl::StatusCode::kFailedPrecondition, kNamespaceNotFound);
  if (absl::IsInvalidArgument(error) || absl::IsFailedPrecondition(error)) {
    return as(absl::StatusCode::kFailedPrecondition, "INVALID_JOB");
  }
  return as(absl::StatusCode::kUnavailable, kUnavailable);
}

}  // namespace forebay::worker
