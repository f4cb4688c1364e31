#pragma once

// Runs the duties of this server on one thread, each when its time comes and while its lease is
// ours. A duty that fails is tried again at its next time; the others go on.

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/base/sync.h"
#include "server/duties/duty.h"

namespace forebay::server {

class DutyRunner {
 public:
  DutyRunner(std::string url, Uuid server, const Clock& clock,
             std::vector<std::unique_ptr<Duty>> duties);
  // Ends after the duty under way.
  ~DutyRunner();

 private:
  struct Entry {
    std::unique_ptr<Duty> duty;
    absl::Duration next = absl::ZeroDuration();
    // Since when it is held without a break; nothing while it is not.
    std::optional<absl::Duration> since;
    int64_t fence = 0;
  };
  void Loop();
  void RunDue(Session& session, Entry& entry, absl::Duration now);
  bool Take(Session& session, Entry& entry, absl::Duration now);

  const std::string url_;
  const Uuid server_;
  const Clock& clock_;
  std::vector<Entry> entries_;
  Mutex mutex_;
  CondVar wake_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace forebay::server
