#pragma once

// What an API server refused, as an error of this project. Pure.

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/net/http_client.h"
#include "worker/launch/kubernetes/api/verbs.h"

namespace forebay::worker {

// What was asked for.
struct Asked {
  Use use = Use::kGetJob;
  std::string name_space;
  // Of the object; empty: none.
  std::string name;
};

// The error for an answer of 400 or above, with the server's own words:
//   401  UNAUTHENTICATED (CLUSTER_UNAUTHENTICATED)
//   403  PERMISSION_DENIED (CLUSTER_PERMISSION_DENIED; `verb`, `resource`, `namespace`, `rule`)
//   when
//        a permission is missing; RESOURCE_EXHAUSTED (CLUSTER_REFUSED) for a quota;
//        FAILED_PRECONDITION (CLUSTER_REFUSED) when an admission rule said no
//   404  NOT_FOUND (CLUSTER_REFUSED)
//   409  ALREADY_EXISTS or ABORTED (CLUSTER_REFUSED)
//   410  OUT_OF_RANGE (CLUSTER_REFUSED): the resource version is too old
//   429 and 5xx  UNAVAILABLE (INFRASTRUCTURE_UNAVAILABLE)
//   else INVALID_ARGUMENT (CLUSTER_REFUSED)
absl::Status RefusedBy(const HttpResponse& response, const Asked& asked);

// How long the server asks to be left alone after a 429 or 5xx; nothing: it does not say.
std::optional<absl::Duration> RetryAfter(const HttpResponse& response);
// The same of an error of RefusedBy; zero when it says nothing.
absl::Duration RetryAfter(const absl::Status& refused);

// An error of RefusedBy, or of no answer, as one of Launcher::Launch: reasons as of
// forebay.v1.LaunchFailed, UNAVAILABLE when it may go well later or elsewhere.
absl::Status AsLaunchError(const absl::Status& error);

}  // namespace forebay::worker
