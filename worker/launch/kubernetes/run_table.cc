#include "worker/launch/kubernetes/run_table.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "worker/launch/launcher.h"

namespace forebay::worker {
namespace {

// "<job>-x7k2p": the Job controller's name for a Pod. Empty: none of ours.
std::string JobOfPodName(const std::string& pod) {
  const size_t dash = pod.rfind('-');
  if (dash == std::string::npos) return "";
  const std::string job = pod.substr(0, dash);
  return ParseInfrastructureName(job).has_value() ? job : "";
}

}  // namespace

RunTable::RunPtr RunTable::Find(const std::string& name) {
  MutexLock lock(mutex_);
  return FindLocked(name);
}

RunTable::RunPtr RunTable::FindLocked(const std::string& name) {
  const auto found = runs_.find(name);
  return found == runs_.end() ? nullptr : found->second;
}

RunTable::RunPtr RunTable::FindOrMake(const std::string& name, const std::string& name_space) {
  if (!ParseInfrastructureName(name).has_value()) return nullptr;
  MutexLock lock(mutex_);
  if (hidden_.contains(name)) return nullptr;
  RunPtr& run = runs_[name];
  if (run != nullptr) return run;
  run = std::make_shared<Run>(name, name_space, clock_);
  for (auto it = orphans_.begin(); it != orphans_.end();) {
    const bool own = it->second.job == name;
    if (own) run->TakePod(it->second);
    it = own ? orphans_.erase(it) : std::next(it);
  }
  return run;
}

std::vector<std::string> RunTable::Names() {
  MutexLock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, run] : runs_) names.push_back(name);
  return names;
}

void RunTable::Hide(const std::string& name, const std::string& name_space) {
  RunPtr forgotten;
  MutexLock lock(mutex_);
  hidden_[name] = name_space;
  const auto node = runs_.extract(name);
  if (!node.empty()) forgotten = node.mapped();
}

void RunTable::Show(const std::string& name) {
  MutexLock lock(mutex_);
  hidden_.erase(name);
}

void RunTable::Forget(const std::string& name) {
  RunPtr forgotten;
  MutexLock lock(mutex_);
  const auto node = runs_.extract(name);
  if (!node.empty()) forgotten = node.mapped();
}

void RunTable::TakeJob(const Json& job) {
  const JobDigest digest = DigestJob(job);
  const RunPtr run = FindOrMake(NameOfObject(job), digest.name_space);
  if (run != nullptr && run->TakeJob(digest)) Changed(run->name());
}

void RunTable::TakePod(const Json& pod) {
  const PodDigest digest = DigestPod(pod);
  RunPtr run;
  {
    MutexLock lock(mutex_);
    run = FindLocked(digest.job);
    // Jobs and Pods are told of apart, and not always in their order.
    if (run == nullptr && !hidden_.contains(digest.job)) orphans_[digest.uid] = digest;
  }
  if (run != nullptr && run->TakePod(digest)) Changed(run->name());
}

void RunTable::TakeEvent(const Json& event) {
  const EventDigest digest = DigestEvent(event);
  const std::string name = digest.kind == "Job" ? digest.about : JobOfPodName(digest.about);
  const RunPtr run = name.empty() ? nullptr : Find(name);
  if (run != nullptr && run->TakeEvent(digest)) Changed(name);
}

void RunTable::TakeSample(const PodSample& sample) {
  const std::string name = JobOfPodName(sample.pod);
  const RunPtr run = name.empty() ? nullptr : Find(name);
  if (run != nullptr) run->TakeSample(sample);
}

bool RunTable::AnyRunning(const std::string& name_space) {
  MutexLock lock(mutex_);
  return std::ranges::any_of(runs_, [&](const auto& entry) {
    return entry.second->name_space() == name_space && entry.second->running();
  });
}

void RunTable::JobGone(const Json& job) { JobGone(NameOfObject(job)); }

void RunTable::JobGone(const std::string& name) {
  bool was_hidden = false;
  {
    MutexLock lock(mutex_);
    was_hidden = hidden_.erase(name) != 0;
  }
  if (was_hidden) sink_.hidden_gone(name);
  const RunPtr run = Find(name);
  if (run == nullptr) return;
  // Whoever looked after it took it away.
  if (!run->held()) return Forget(name);
  if (run->JobGone()) Changed(name);
}

void RunTable::PodGone(const Json& pod) {
  const PodDigest digest = DigestPod(pod);
  RunPtr run;
  {
    MutexLock lock(mutex_);
    orphans_.erase(digest.uid);
    run = FindLocked(digest.job);
  }
  if (run == nullptr) return;
  // Its last state comes with its end.
  run->TakePod(digest);
  if (run->PodGone(digest.uid)) Changed(run->name());
}

void RunTable::JobsListed(const std::string& name_space, const std::set<std::string>& names,
                          int64_t version) {
  std::vector<std::string> missing;
  {
    MutexLock lock(mutex_);
    for (const auto& [name, run] : runs_) {
      if (run->name_space() != name_space || names.contains(name)) continue;
      // One that was made after the list is not in it.
      if (run->job_version() <= version) missing.push_back(name);
    }
    for (const auto& [name, space] : hidden_) {
      if (space == name_space && !names.contains(name)) missing.push_back(name);
    }
  }
  for (const std::string& name : missing) JobGone(name);
}

void RunTable::PodsListed(const std::string& name_space, const std::set<std::string>& uids,
                          int64_t version) {
  std::vector<RunPtr> runs;
  {
    MutexLock lock(mutex_);
    for (const auto& [name, run] : runs_) {
      if (run->name_space() == name_space) runs.push_back(run);
    }
    std::erase_if(orphans_, [&](const auto& orphan) {
      return orphan.second.name_space == name_space && !uids.contains(orphan.first);
    });
  }
  for (const RunPtr& run : runs) {
    for (const std::string& uid : run->PodsUpTo(version)) {
      if (!uids.contains(uid) && run->PodGone(uid)) Changed(run->name());
    }
  }
}

}  // namespace forebay::worker
