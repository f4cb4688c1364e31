#pragma once

// The contract between the supervisor and one kind of infrastructure. One launcher a worker
// process.
//
// Infrastructure is named by a pure function of (run, attempt), and that name is the idempotency
// handle of every call: what exists under a name is found again after a restart of the worker, and
// never made twice. It goes through
//
//     (absent) --Launch--> preparing --> waiting --Go--> started --(the command ends)--> exited
//     --Remove--> (absent)
//
// and may also go preparing or waiting --Stop--> exited, preparing --> exited when it fails (an
// image that cannot be pulled), or be seen `lost` when what watched over it died. A launcher whose
// preparation is quick goes to waiting within Launch. What only prepares is gone with the worker. A
// launcher that a plain command's gate cannot hold back does not exist here: Launch never begins
// user code, Go does.
//
// Threads: every method may be called from any thread, but calls for one name come one at a time.
// Calls return quickly (milliseconds); waiting is by the `changed` callback. The worker may be
// killed at any moment between two calls.
//
// Errors: reasons as in forebay.v1.LaunchFailed: COMMAND_NOT_FOUND, PERMISSION_DENIED, INVALID_JOB,
// NO_SPACE (not retryable elsewhere: INVALID_ARGUMENT / FAILED_PRECONDITION),
// INFRASTRUCTURE_UNAVAILABLE (UNAVAILABLE, retryable). Those of a preparation are in its exit
// record.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/json/json.h"
#include "forebay/v1/log.pb.h"

namespace forebay::worker {

// "forebay-<run uuid>-<attempt>", at most 63 characters, RFC 1123.
std::string InfrastructureName(const std::string& run_id, int attempt);
struct RunAttempt {
  std::string run_id;
  int attempt = 0;
};
// The inverse; nothing for a name that is not ours.
std::optional<RunAttempt> ParseInfrastructureName(const std::string& name);

// What to launch: the rendered job, typed by the launcher itself in Launch.
struct LaunchSpec {
  std::string name;
  RunAttempt run;
  // argv of the deployment; a `command` of the rendered configuration wins over it.
  std::vector<std::string> command;
  // The rendered job configuration (common/job_template): every key is read by the launcher or
  // refused (INVALID_JOB).
  Json configuration;
  // Attribution and parameters that the worker adds (FOREBAY_…), below the configuration's own
  // `env`.
  std::map<std::string, std::string> environment;
  // Attribution (forebay.io/…), above the configuration's own `labels`.
  std::map<std::string, std::string> labels;
  absl::Duration cancel_grace;
  // The server gives the attempt up when user code has not begun by then.
  absl::Time start_deadline = absl::InfiniteFuture();
};

enum class Stage { kPreparing, kWaiting, kStarted, kExited, kLost };

// How it ended. Complete and durable before Stage::kExited is seen.
struct ExitRecord {
  std::optional<int> exit_code;
  int signal = 0;
  // EXITED, SIGNALED, OOM_KILLED, NEVER_STARTED (stopped or failed before user code began),
  // HOLDER_LOST; of clusters that ended it EVICTED, PREEMPTED, NODE_LOST, DELETED, DEADLINE, which
  // come with a signal.
  std::string reason;
  // For NEVER_STARTED after a failed preparation or exec: a reason as of forebay.v1.LaunchFailed;
  // else empty.
  std::string launch_failure;
  // Whether that may go well elsewhere or later.
  bool launch_retryable = false;
  std::string message;
  // As of forebay.v1.Usage.
  std::optional<int64_t> cpu_user_micros;
  std::optional<int64_t> cpu_system_micros;
  std::optional<int64_t> max_rss_bytes;
  std::optional<int64_t> cpu_micros;
  std::optional<int64_t> cpu_reserved_micros;
  std::optional<int64_t> memory_reserved_byte_seconds;
};

struct Observation {
  Stage stage = Stage::kWaiting;
  // What the runtime calls it, e.g. "pid:starttime"; for people and for the record.
  std::string infrastructure_id;
  // With kExited and kLost.
  ExitRecord exit;
  // Lines of output so far; final with kExited and kLost.
  int64_t log_lines = 0;
};

class Launcher {
 public:
  virtual ~Launcher() = default;

  // "process": the pool type it serves; "ProcessWorker" is derived from it.
  virtual std::string type() const = 0;
  // As many of its calls are worth making side by side.
  virtual int concurrency() const { return 4; }

  // The pool that is served, before Find and Launch; a repeat with the same one changes nothing.
  // What belongs to other pools is neither found nor touched.
  virtual void SetPool(const std::string& /*pool_uid*/) {}
  // Whether something can be launched now; else why not, for people: UNAVAILABLE or
  // FAILED_PRECONDITION. Changes are told by LauncherOptions::readiness_changed.
  virtual absl::Status Ready() { return absl::OkStatus(); }

  // Puts the infrastructure in place, waiting. OK also when it exists under this name already (then
  // nothing is made). On an error nothing is left behind.
  virtual absl::Status Launch(const LaunchSpec& spec) = 0;
  // Lets user code begin. At most once takes effect; a repeat is OK.
  virtual absl::Status Go(const std::string& name) = 0;
  // Ends it: a gentle request, then after the grace force, on the whole tree; while waiting: at
  // once. Asynchronous: the end is seen by Observe. A repeat with a shorter grace shortens it. OK
  // when it is over or absent.
  virtual absl::Status Stop(const std::string& name, absl::Duration grace) = 0;
  // NOT_FOUND when nothing exists under the name.
  virtual absl::StatusOr<Observation> Observe(const std::string& name) = 0;
  // Output lines from sequence number `from` on, at most `most_lines` and about `most_bytes`; empty
  // when there are no more yet. Sequence numbers count from 0 without gaps and mean the same after
  // a restart of the worker.
  virtual absl::StatusOr<std::vector<v1::LogEntry>> ReadLog(const std::string& name, int64_t from,
                                                            int most_lines, size_t most_bytes) = 0;
  // Names of all infrastructure of ours that exists here, in any stage.
  virtual std::vector<std::string> Find() = 0;
  // Takes away what is left of an ended one, output included. While it runs: stops it by force
  // first. Idempotent.
  virtual absl::Status Remove(const std::string& name) = 0;
};

// Called by a launcher, from a thread of its own and without locks held, when the stage or the
// output of the named infrastructure may have changed. Spurious calls are fine; a missed one costs
// a poll interval.
using ChangedCallback = std::function<void(const std::string& name)>;

// Where a container engine is, and what it needs to know of the worker's host.
struct EngineOptions {
  // unix:///path or tcp://host:port.
  std::string address = "unix:///var/run/docker.sock";
  // PEM files for TCP with TLS; empty: without.
  std::string tls_ca_file;
  std::string tls_certificate_file;
  std::string tls_key_file;
  // JSON in the format of docker's config.json; empty: there are no credentials.
  std::string registry_credentials_file;
};

// Which Kubernetes cluster, and where in it.
struct ClusterOptions {
  // Empty: the one that the worker runs in, else as kubectl has it.
  std::string kubeconfig;
  // Empty: the kubeconfig's current one.
  std::string context;
  // In which runs are looked for; empty: the context's own.
  std::vector<std::string> namespaces;
};

struct LauncherOptions {
  // Directory for what must survive the worker; exists, 0700.
  std::string state_dir;
  int64_t log_rate_bytes = 1 << 20;
  int64_t log_burst_bytes = 4 << 20;
  ChangedCallback changed;
  // Called as `changed` is.
  std::function<void()> readiness_changed;
  EngineOptions engine;
  ClusterOptions cluster;
};

// The launcher of a pool type; INVALID_ARGUMENT (UNKNOWN_POOL_TYPE) naming the known ones. A
// literal table in registry.cc.
absl::StatusOr<std::unique_ptr<Launcher>> MakeLauncher(const std::string& type,
                                                       LauncherOptions options);
// "ProcessWorker" for "process".
std::string WorkerClassName(const std::string& type);

}  // namespace forebay::worker
