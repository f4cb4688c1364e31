#pragma once

// Stage 4: from an assignment to what the launcher is told: the pool's template filled with the job
// variables of deployment and run, what the worker adds, and whether pool and worker allow it.

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/sync.h"
#include "common/job_template/job_template.h"
#include "common/launch_plan/attribution.h"
#include "common/policy/policy.h"
#include "forebay/v1/worker_protocol.pb.h"
#include "worker/launch/launcher.h"

namespace forebay {

struct PlannedJob;

namespace worker {

// Thread-safe.
class Renderer {
 public:
  // `server`: the address that runs are told.
  // `api_url`: the same of its HTTP listener; empty: as the server says.
  Renderer(std::string worker_name, std::string server, std::string api_url = "")
      : worker_name_(std::move(worker_name)),
        server_(std::move(server)),
        own_api_url_(std::move(api_url)),
        api_url_(own_api_url_) {}

  // What this worker allows, whatever its pool says. Before the first Render.
  void SetFloor(Policy floor) { floor_ = std::move(floor); }

  // Certificates, in PEM, by which runs know the server's HTTP listener. Before the first Render.
  void SetAuthority(std::string pem) { authority_ = std::move(pem); }

  // As the server told them last; a pool of an older revision than the known one changes nothing.
  void SetPool(const v1::PoolSnapshot& pool);
  void SetWorkerId(const std::string& worker_id);
  // Where runs reach the server's HTTP listener, if the worker was not told so itself; empty:
  // nowhere.
  void SetApiUrl(const std::string& url);
  int64_t pool_revision() const;
  // Between asking a run to end and ending it by force.
  absl::Duration cancel_grace() const;

  // INVALID_ARGUMENT: INVALID_JOB, or RENDER_FAILED for a template or variables that do not render.
  // FAILED_PRECONDITION: UNRESOLVED_REFERENCE, NO_HTTP_LISTENER. PERMISSION_DENIED: POLICY_DENIED.
  absl::StatusOr<LaunchSpec> Render(const v1::Assignment& assignment) const;

 private:
  struct Pool {
    v1::PoolSnapshot snapshot;
    absl::StatusOr<JobTemplate> job_template;
    absl::StatusOr<Policy> policy;
  };
  Attribution AttributionOf(const v1::Assignment& assignment, const std::string& pool) const;
  absl::Status AddOwnGate(const v1::Assignment& assignment, LaunchSpec& spec) const;
  absl::Status CheckPolicies(const Pool& pool, const PlannedJob& job) const;
  std::shared_ptr<const Pool> pool() const;

  const std::string worker_name_;
  const std::string server_;
  const std::string own_api_url_;
  std::optional<Policy> floor_;
  std::string authority_;
  mutable Mutex mutex_;
  std::string worker_id_ GUARDED_BY(mutex_);
  std::string api_url_ GUARDED_BY(mutex_);
  std::shared_ptr<const Pool> pool_ GUARDED_BY(mutex_);
};

}  // namespace worker
}  // namespace forebay
