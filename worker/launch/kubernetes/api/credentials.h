#pragma once

// What the API server is shown, fresh for each call: files rotate, and what programs give expires.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "worker/launch/kubernetes/api/cluster_access.h"
#include "worker/launch/kubernetes/api/exec_plugin.h"

namespace forebay::worker {

struct Credential {
  // Empty: none.
  std::string bearer_token;
  std::string certificate_pem;
  std::string key_pem;
};

// Thread-safe.
class Credentials {
 public:
  Credentials(const ClusterAccess& access, const Clock& clock);

  // May wait for a program. FAILED_PRECONDITION (CREDENTIAL_UNREADABLE, CREDENTIAL_PLUGIN_FAILED).
  absl::StatusOr<Credential> Current();
  // The server refused what Current gave: whether asking again may give something else.
  bool Refused();

 private:
  const UserAccess user_;
  std::unique_ptr<ExecPlugin> plugin_;
};

// The text, or what the file holds now. FAILED_PRECONDITION (CREDENTIAL_UNREADABLE).
absl::StatusOr<std::string> ReadPem(const PemSource& source);

}  // namespace forebay::worker
