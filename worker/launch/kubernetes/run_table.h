#pragma once

// All runs of the pool that the cluster tells of, in every namespace that is watched, whoever looks
// after them.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/sync.h"
#include "common/json/json.h"
#include "worker/launch/kubernetes/run.h"

namespace forebay::worker {

// Thread-safe.
class RunTable {
 public:
  using RunPtr = std::shared_ptr<Run>;
  struct Sink {
    // Something about the run may have changed; without locks.
    std::function<void(const std::string& name)> changed;
    // A hidden run is not in the cluster any more.
    std::function<void(const std::string& name)> hidden_gone;
  };
  RunTable(const Clock& clock, Sink sink) : clock_(clock), sink_(std::move(sink)) {}

  // From watches and answers.
  void TakeJob(const Json& job);
  void TakePod(const Json& pod);
  void TakeEvent(const Json& event);
  void TakeSample(const PodSample& sample);
  void JobGone(const Json& job);
  void PodGone(const Json& pod);
  // A list of the namespace is complete as of the version: what it does not have is gone.
  void JobsListed(const std::string& name_space, const std::set<std::string>& names,
                  int64_t version);
  void PodsListed(const std::string& name_space, const std::set<std::string>& uids,
                  int64_t version);

  // Null when it is not known, or hidden.
  RunPtr Find(const std::string& name);
  std::vector<std::string> Names();
  // Whether user code of a run there runs now.
  bool AnyRunning(const std::string& name_space);
  // It is nobody's concern any more, whatever the cluster says of it, until it is gone there.
  void Hide(const std::string& name, const std::string& name_space);
  void Show(const std::string& name);

 private:
  RunPtr FindLocked(const std::string& name) REQUIRES(mutex_);
  // Makes it, with the Pods that came before it, unless it is hidden or no run of ours.
  RunPtr FindOrMake(const std::string& name, const std::string& name_space);
  void JobGone(const std::string& name);
  void Forget(const std::string& name);
  void Changed(const std::string& name) const { sink_.changed(name); }

  const Clock& clock_;
  const Sink sink_;
  Mutex mutex_;
  std::map<std::string, RunPtr> runs_ GUARDED_BY(mutex_);
  // With their namespaces.
  std::map<std::string, std::string> hidden_ GUARDED_BY(mutex_);
  // Pods, by their uids, whose Job has not been seen (yet, or any more).
  std::map<std::string, PodDigest> orphans_ GUARDED_BY(mutex_);
};

}  // namespace forebay::worker
