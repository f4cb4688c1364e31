#include "worker/launch/kubernetes/kubernetes_launcher.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/obs/log.h"
#include "common/os/files.h"
#include "worker/launch/kubernetes/api/api_error.h"
#include "worker/launch/kubernetes/cluster_options.h"
#include "worker/launch/kubernetes/go_patch.h"
#include "worker/launch/kubernetes/labels.h"
#include "worker/launch/kubernetes/manifest.h"
#include "worker/launch/launch_error.h"

namespace forebay::worker {
namespace {

// The least that a cluster takes without forgetting the Pod at once.
int64_t GraceSeconds(absl::Duration grace) {
  return std::max<int64_t>(absl::ToInt64Seconds(absl::Ceil(grace, absl::Seconds(1))), 1);
}

bool IsUnclear(const absl::Status& error) {
  return absl::IsAlreadyExists(error) || absl::IsUnavailable(error) ||
         absl::IsDeadlineExceeded(error);
}

// Its Job ended, or will say so in a moment because its command has; and it is to be kept.
bool StaysAfterwards(const RunView& view) {
  const SeenPod* pod = ChosenPod(view);
  const bool ended =
      pod != nullptr && !pod->gone && pod->digest.main.state == ContainerDigest::State::kTerminated;
  const bool over = view.job.ended() || ended;
  return view.job.keep && over && !view.stop_wanted && !view.job.deleting && !view.job_gone;
}

ManifestContext ContextOf(const std::string& pool_uid) {
  ManifestContext context;
  context.pool_uid = pool_uid;
  return context;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Launcher>> MakeKubernetesLauncher(LauncherOptions options) {
  ASSIGN_OR_RETURN(ClusterAccess access, AccessOf(options.cluster, PodSurroundings::Own()));
  ASSIGN_OR_RETURN(auto api, KubernetesApi::Make(std::move(access), SystemClock()));
  // Before the launcher reads what is below it.
  RETURN_IF_ERROR(MakeDirectories(options.state_dir + "/output"));
  RETURN_IF_ERROR(MakeDirectories(options.state_dir + "/kept"));
  return std::make_unique<KubernetesLauncher>(std::move(options), std::move(api));
}

KubernetesLauncher::KubernetesLauncher(LauncherOptions options, std::unique_ptr<KubernetesApi> api)
    : options_(std::move(options)),
      api_(std::move(api)),
      table_(clock_, {[this](const std::string& name) { Changed(name); },
                      [this](const std::string& name) { (void)RemoveTree(KeptPath(name)); }}),
      cluster_(
          *api_,
          KnownNamespaces(options_.state_dir + "/namespaces",
                          NamespacesOf(options_.cluster, api_->access())),
          [this](const std::string& name_space) { return SinkOf(name_space); },
          [this] {
            if (options_.readiness_changed) options_.readiness_changed();
          }) {}

KubernetesLauncher::~KubernetesLauncher() = default;

NamespaceWatch::Sink KubernetesLauncher::SinkOf(const std::string& name_space) {
  NamespaceWatch::Sink sink;
  sink.job = [this](const Json& job) { table_.TakeJob(job); };
  sink.job_gone = [this](const Json& job) { table_.JobGone(job); };
  sink.pod = [this](const Json& pod) { table_.TakePod(pod); };
  sink.pod_gone = [this](const Json& pod) { table_.PodGone(pod); };
  sink.event = [this](const Json& event) { table_.TakeEvent(event); };
  sink.sample = [this](const PodSample& sample) { table_.TakeSample(sample); };
  sink.running = [this, name_space] { return table_.AnyRunning(name_space); };
  sink.jobs_listed = [this, name_space](const std::set<std::string>& names, int64_t version) {
    table_.JobsListed(name_space, names, version);
  };
  sink.pods_listed = [this, name_space](const std::set<std::string>& uids, int64_t version) {
    table_.PodsListed(name_space, uids, version);
  };
  return sink;
}

void KubernetesLauncher::SetPool(const std::string& pool_uid) {
  {
    MutexLock lock(mutex_);
    if (pool_uid_ == pool_uid) return;
    pool_uid_ = pool_uid;
  }
  const auto kept = ListDirectory(options_.state_dir + "/kept");
  if (kept.ok()) {
    for (const std::string& name : *kept) {
      table_.Hide(name, ReadSmallFile(KeptPath(name)).value_or(""));
    }
  }
  cluster_.Start(fmt::format("{}={}", kPoolIdLabel, pool_uid));
}

std::string KubernetesLauncher::PoolUid() {
  MutexLock lock(mutex_);
  return pool_uid_;
}

std::string KubernetesLauncher::OutputPath(const std::string& name) const {
  return options_.state_dir + "/output/" + name;
}

std::string KubernetesLauncher::KeptPath(const std::string& name) const {
  return options_.state_dir + "/kept/" + name;
}

void KubernetesLauncher::Changed(const std::string& name) const {
  if (options_.changed) options_.changed(name);
}

absl::StatusOr<KubernetesLauncher::RunPtr> KubernetesLauncher::Known(const std::string& name) {
  // Before the look: what is complete then stays so.
  const bool complete = cluster_.complete();
  RunPtr run = table_.Find(name);
  if (run != nullptr) return run;
  if (complete) return NoSuch("job", name);
  return Error(absl::StatusCode::kUnavailable, "INFRASTRUCTURE_UNAVAILABLE")
      .Says("not all of the cluster's jobs are known yet");
}

absl::Status KubernetesLauncher::Hold(Run& run) {
  if (run.held()) return absl::OkStatus();
  auto log =
      std::make_unique<PodLog>(*api_, OutputPath(run.name()),
                               output::LogLimits{options_.log_rate_bytes, options_.log_burst_bytes},
                               [this, name = run.name()] { Changed(name); });
  return run.Hold(std::move(log));
}

absl::Status KubernetesLauncher::Launch(const LaunchSpec& launch) {
  ASSIGN_OR_RETURN(const KubernetesSpec spec, TypeKubernetesSpec(launch.configuration));
  ASSIGN_OR_RETURN(const Json manifest, JobManifest(launch, spec, ContextOf(PoolUid())));
  RETURN_IF_ERROR(NotReadyNow(cluster_.Ready()));
  if (const absl::Status watched = cluster_.Include(spec.name_space); !watched.ok()) {
    return AsLaunchError(watched);
  }
  RunPtr run = table_.Find(launch.name);
  if (run == nullptr) {
    RETURN_IF_ERROR(MakeJob(launch, spec, manifest));
    run = table_.Find(launch.name);
    if (run == nullptr) return NoSuch("job", launch.name);
  }
  RETURN_IF_ERROR(Hold(*run));
  const RunView view = run->view();
  const SeenPod* pod = ChosenPod(view);
  // What has begun has read its Secret, and what is over needs none.
  if (view.job.ended() || (pod != nullptr && HasBegun(*pod))) return absl::OkStatus();
  const absl::Status secret = EnsureSecret(launch, spec, view.job.uid);
  if (secret.ok()) return secret;
  // Nothing is left behind. What cannot be deleted now is found again, and removed.
  (void)Remove(launch.name);
  return secret;
}

absl::Status KubernetesLauncher::MakeJob(const LaunchSpec& launch, const KubernetesSpec& spec,
                                         const Json& manifest) {
  const auto made = api_->CreateJob(spec.name_space, manifest);
  if (made.ok()) {
    table_.TakeJob(*made);
    return absl::OkStatus();
  }
  if (!IsUnclear(made.status())) return AsLaunchError(made.status());
  ASSIGN_OR_RETURN(const Json existing, OwnJob(launch, spec.name_space, made.status()));
  table_.TakeJob(existing);
  return absl::OkStatus();
}

// A create whose name is taken, or whose answer did not come, is settled by a look at who has the
// name. Nothing is created twice.
absl::StatusOr<Json> KubernetesLauncher::OwnJob(const LaunchSpec& launch,
                                                const std::string& name_space,
                                                const absl::Status& refused) {
  auto found = api_->GetJob(name_space, launch.name);
  if (!found.ok()) return AsLaunchError(refused);
  const JobDigest job = DigestJob(*found);
  const bool ours =
      job.pool_id == LabelValue(PoolUid()) && job.run_id == LabelValue(launch.run.run_id);
  if (ours) return found;
  return Error(absl::StatusCode::kFailedPrecondition, "NAME_TAKEN")
      .Field("name", launch.name)
      .Says("a job named {} exists in namespace {}, and it is not this run's", launch.name,
            name_space);
}

absl::Status KubernetesLauncher::EnsureSecret(const LaunchSpec& launch, const KubernetesSpec& spec,
                                              const std::string& job_uid) {
  const auto secret = SecretManifest(launch, spec, ContextOf(PoolUid()), job_uid);
  if (!secret.has_value()) return absl::OkStatus();
  const absl::Status made = api_->CreateSecret(spec.name_space, *secret);
  // It has the name of the Job that owns it: it is there from an earlier try.
  if (made.ok() || absl::IsAlreadyExists(made)) return absl::OkStatus();
  return AsLaunchError(made);
}

absl::Status KubernetesLauncher::Go(const std::string& name) {
  ASSIGN_OR_RETURN(const RunPtr run, Known(name));
  RETURN_IF_ERROR(Hold(*run));
  const RunView view = run->view();
  const SeenPod* pod = ChosenPod(view);
  // It passes the gate itself, has begun, or is not to begin any more.
  if (!view.job.gated || view.stop_wanted || pod == nullptr || !IsWaiting(*pod)) {
    return absl::OkStatus();
  }
  const auto patched = api_->PatchPod(run->name_space(), pod->digest.name, GoPatch(pod->digest));
  if (patched.ok()) {
    table_.TakePod(*patched);
    return absl::OkStatus();
  }
  if (run->GoFailed(patched.status())) {
    spdlog::warn("{}: not let go: {}", name, MessageOf(patched.status()));
  }
  return patched.status();
}

void KubernetesLauncher::TellPreparation(Run& run) {
  const auto untold = run.PodToTell();
  if (!untold.has_value()) return;
  const auto patched = api_->PatchPod(run.name_space(), untold->pod.name,
                                      PreparationPatch(untold->pod, untold->lines));
  if (patched.ok()) return table_.TakePod(*patched);
  spdlog::warn("{}: the length of its preparation is not noted: {}", run.name(),
               MessageOf(patched.status()));
}

absl::StatusOr<Observation> KubernetesLauncher::Observe(const std::string& name) {
  ASSIGN_OR_RETURN(const RunPtr run, Known(name));
  // Who sees it wait lets it go, at once.
  if (run->go_failed_just_now()) {
    return Error(absl::StatusCode::kUnavailable, "INFRASTRUCTURE_UNAVAILABLE")
        .Says("the run could not be let go just now");
  }
  TellPreparation(*run);
  // An API server that was away is told again.
  (void)TellStop(*run);
  return run->Observe();
}

absl::StatusOr<std::vector<v1::LogEntry>> KubernetesLauncher::ReadLog(const std::string& name,
                                                                      int64_t from, int most_lines,
                                                                      size_t most_bytes) {
  ASSIGN_OR_RETURN(const RunPtr run, Known(name));
  if (!run->held()) {
    RETURN_IF_ERROR(Hold(*run));
    (void)run->Observe();
  }
  return log_tail_.Read(OutputPath(name), from, most_lines, most_bytes);
}

std::vector<std::string> KubernetesLauncher::Find() { return table_.Names(); }

absl::Status KubernetesLauncher::DeletePods(const Run& run, int64_t grace_seconds) {
  const RunView view = run.view();
  for (const SeenPod& pod : view.pods) {
    // An ended one goes with its Job, if it has one.
    if (pod.gone || (pod.digest.ended() && !view.job_gone)) continue;
    DeleteOptions options;
    options.uid = pod.digest.uid;
    options.grace_seconds = grace_seconds;
    RETURN_IF_ERROR(api_->DeletePod(run.name_space(), pod.digest.name, options));
  }
  return absl::OkStatus();
}

// The Job is deleted before its Pod, so that nobody makes another one. Deleting the Job gives its
// Pod the grace of its spec, which can be shortened after that and not lengthened.
absl::Status KubernetesLauncher::EndJob(const Run& run, int64_t grace_seconds) {
  const RunView view = run.view();
  const SeenPod* pod = ChosenPod(view);
  const bool alive = pod != nullptr && !pod->gone && !pod->digest.ended();
  const bool longer = alive && !pod->digest.deleting && grace_seconds > pod->digest.grace_seconds;
  const bool shorter = alive && grace_seconds < pod->digest.grace_seconds;
  if (longer) RETURN_IF_ERROR(DeletePods(run, grace_seconds));
  DeleteOptions options;
  options.uid = view.job.uid;
  options.foreground = true;
  if (view.job_gone) return DeletePods(run, grace_seconds);
  RETURN_IF_ERROR(api_->DeleteJob(run.name_space(), run.name(), options));
  return shorter ? DeletePods(run, grace_seconds) : absl::OkStatus();
}

absl::Status KubernetesLauncher::TellStop(Run& run) {
  const auto grace_seconds = run.pending_stop();
  if (!grace_seconds.has_value()) return absl::OkStatus();
  RETURN_IF_ERROR(EndJob(run, *grace_seconds));
  run.StopTold(*grace_seconds);
  return absl::OkStatus();
}

absl::Status KubernetesLauncher::Stop(const std::string& name, absl::Duration grace) {
  const auto known = Known(name);
  if (absl::IsNotFound(known.status())) return absl::OkStatus();
  RETURN_IF_ERROR(known.status());
  Run& run = **known;
  const Stage stage = ObservationOf(run.view()).stage;
  if (stage == Stage::kExited) return absl::OkStatus();
  RETURN_IF_ERROR(Hold(run));
  const RunView view = run.view();
  const SeenPod* pod = ChosenPod(view);
  // What has not begun has nothing to finish.
  const bool begun = pod != nullptr && HasBegun(*pod);
  run.WantStop(begun ? GraceSeconds(grace) : 1);
  const absl::Status told = TellStop(run);
  Changed(name);
  return told;
}

absl::Status KubernetesLauncher::Remove(const std::string& name) {
  const RunPtr run = table_.Find(name);
  if (run != nullptr) {
    const RunView view = run->view();
    const bool over = ObservationOf(view).stage == Stage::kExited;
    const bool stays = StaysAfterwards(view);
    if (stays) RETURN_IF_ERROR(WriteFileAtomically(KeptPath(name), run->name_space()));
    if (!stays && !over) {
      run->WantStop(1);
      RETURN_IF_ERROR(TellStop(*run));
    } else if (!stays && view.job_gone) {
      RETURN_IF_ERROR(DeletePods(*run, 1));
    } else if (!stays) {
      DeleteOptions options;
      options.uid = view.job.uid;
      RETURN_IF_ERROR(api_->DeleteJob(run->name_space(), name, options));
    }
    // The cluster takes its time; what it says of the run until then is of no interest.
    table_.Hide(name, run->name_space());
  }
  log_tail_.Forget(OutputPath(name));
  return RemoveTree(OutputPath(name));
}

}  // namespace forebay::worker
