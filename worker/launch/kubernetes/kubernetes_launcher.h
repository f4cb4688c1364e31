#pragma once

// Stage 5: runs as Jobs of a Kubernetes cluster.
//
// What must survive the worker is in the cluster: a Job of the attempt's name with the pool's
// label, its Secret and its Pod. Whether a Pod was let go, and how many lines the worker wrote
// before the Pod's own, stand in its annotations. So any worker of the pool finds a run and goes on
// with it. On the worker's disk, below the state directory: `output/<name>`, the output read so
// far, which can be read again; `kept/<name>`, an ended Job that is nobody's concern any more but
// stays, because its job asked for that; `namespaces`, where this worker has launched something.
//
// A Job whose command is held back (labels.h: gated) is preparing until its Pod is ready to be let
// go, then waiting; let go, it has started. One whose program passes the gate itself waits from the
// beginning, letting it go changes nothing, and it has started when its container runs. All of this
// is known from watches that runs share; looking at a run asks nobody.
//
// Threads: one for all watches and logs, whatever their number.

#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/sync.h"
#include "common/job_spec/kubernetes_spec.h"
#include "worker/launch/kubernetes/api/kubernetes_api.h"
#include "worker/launch/kubernetes/run_table.h"
#include "worker/launch/kubernetes/watch/cluster_watch.h"
#include "worker/launch/launcher.h"
#include "worker/launch/output/log_tail.h"

namespace forebay::worker {

class KubernetesLauncher final : public Launcher {
 public:
  KubernetesLauncher(LauncherOptions options, std::unique_ptr<KubernetesApi> api);
  ~KubernetesLauncher() override;

  std::string type() const override { return "kubernetes"; }
  // They wait for the API server.
  int concurrency() const override { return 16; }
  void SetPool(const std::string& pool_uid) override;
  absl::Status Ready() override { return cluster_.Ready(); }
  absl::Status Launch(const LaunchSpec& launch) override;
  absl::Status Go(const std::string& name) override;
  absl::Status Stop(const std::string& name, absl::Duration grace) override;
  absl::StatusOr<Observation> Observe(const std::string& name) override;
  absl::StatusOr<std::vector<v1::LogEntry>> ReadLog(const std::string& name, int64_t from,
                                                    int most_lines, size_t most_bytes) override;
  std::vector<std::string> Find() override;
  absl::Status Remove(const std::string& name) override;

 private:
  using RunPtr = std::shared_ptr<Run>;

  std::string PoolUid();
  std::string OutputPath(const std::string& name) const;
  std::string KeptPath(const std::string& name) const;
  // NOT_FOUND, or UNAVAILABLE while not all of the cluster has been seen.
  absl::StatusOr<RunPtr> Known(const std::string& name);
  // This worker looks after it from now on.
  absl::Status Hold(Run& run);

  absl::Status MakeJob(const LaunchSpec& launch, const KubernetesSpec& spec, const Json& manifest);
  // The Job of that name, if it is this attempt's.
  absl::StatusOr<Json> OwnJob(const LaunchSpec& launch, const std::string& name_space,
                              const absl::Status& refused);
  absl::Status EnsureSecret(const LaunchSpec& launch, const KubernetesSpec& spec,
                            const std::string& job_uid);
  absl::Status DeletePods(const Run& run, int64_t grace_seconds);
  absl::Status EndJob(const Run& run, int64_t grace_seconds);
  // Tells the cluster that the run shall end, if that is pending.
  absl::Status TellStop(Run& run);
  void TellPreparation(Run& run);
  NamespaceWatch::Sink SinkOf(const std::string& name_space);
  void Changed(const std::string& name) const;

  const LauncherOptions options_;
  const Clock& clock_ = SystemClock();
  LogTail log_tail_;
  Mutex mutex_;
  std::string pool_uid_ GUARDED_BY(mutex_);
  // In this order: runs have logs that are streams of the API, and the watch fills the table.
  const std::unique_ptr<KubernetesApi> api_;
  RunTable table_;
  ClusterWatch cluster_;
};

// INVALID_ARGUMENT (INVALID_KUBECONFIG) or NOT_FOUND (KUBECONFIG_MISSING). A cluster that cannot be
// reached is no error here: Ready tells.
absl::StatusOr<std::unique_ptr<Launcher>> MakeKubernetesLauncher(LauncherOptions options);

}  // namespace forebay::worker
