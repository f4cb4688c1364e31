#pragma once

// Options about limits, retries and what describes a deployment, shared by `deploy` and
// `deployment update`. Pure.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/command.h"
#include "forebay/v1/deployment.pb.h"

namespace forebay::cli {

// --description … --timeout.
std::vector<Option> DeploymentFieldOptions();
// --no-limits and the like: what takes away, for updates only.
std::vector<Option> DeploymentClearOptions();

// Lays the given options over `deployment`; answers the paths of an update mask that they change.
// Of the retry policy only what was given is changed, so that the rest may be read first.
// INVALID_ARGUMENT (USAGE).
absl::StatusOr<std::vector<std::string>> SetDeploymentFields(const Arguments& arguments,
                                                             v1::Deployment& deployment);
// One of the options changes a part of the retry policy, which the API replaces whole.
bool ChangesRetry(const Arguments& arguments);

// The parts, for the deploy file; `where` names the option or key in errors.
absl::Status SetRetryDelay(const std::string& text, std::string_view where,
                           v1::RetryPolicy& policy);
absl::Status SetRetryCauses(const std::vector<std::string>& words, std::string_view where,
                            v1::RetryPolicy& policy);
absl::Status SetRetryJitter(const std::string& text, std::string_view where,
                            v1::RetryPolicy& policy);
// "none" clears it.
absl::Status SetTimeout(const std::string& text, std::string_view where,
                        v1::Deployment& deployment);
absl::Status SetCollision(const std::string& word, std::string_view where,
                          v1::Deployment& deployment);

// For people: "3, after 10s, 20s, up to 20 % longer, when failed or timed-out"; empty without
// retries.
std::string RetryText(const v1::RetryPolicy& policy);
// "enqueue" or "cancel-new".
std::string CollisionText(const v1::Deployment& deployment);

}  // namespace forebay::cli
