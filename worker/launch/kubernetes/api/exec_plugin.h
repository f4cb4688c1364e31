#pragma once

// Credentials that a program gives (client.authentication.k8s.io/v1 and v1beta1).

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/sync.h"
#include "worker/launch/kubernetes/api/cluster_access.h"

namespace forebay::worker {

struct ExecCredential {
  std::string token;
  std::string certificate_pem;
  std::string key_pem;
  absl::Time expires = absl::InfiniteFuture();
};

// What the program wrote to its standard output. FAILED_PRECONDITION (CREDENTIAL_PLUGIN_FAILED).
// Pure.
absl::StatusOr<ExecCredential> ParseExecCredential(const std::string& output, const ExecSpec& spec);

// Thread-safe: one run of the program at a time, and its answer is kept until it expires.
class ExecPlugin {
 public:
  // `access`: of the cluster, told to the program if it asks for that.
  ExecPlugin(ExecSpec spec, const ClusterAccess& access, const Clock& clock);

  // Waits for the program, at most half a minute. FAILED_PRECONDITION (CREDENTIAL_PLUGIN_FAILED)
  // with what it said; for a while after a failure it is not run again.
  absl::StatusOr<ExecCredential> Get();
  // The credential was refused: the next Get runs the program.
  void Forget();

 private:
  absl::StatusOr<ExecCredential> Run() const;

  const ExecSpec spec_;
  // KUBERNETES_EXEC_INFO.
  const std::string info_;
  const Clock& clock_;
  Mutex mutex_;
  std::optional<absl::StatusOr<ExecCredential>> known_ GUARDED_BY(mutex_);
  absl::Duration failed_at_ GUARDED_BY(mutex_);
};

}  // namespace forebay::worker
