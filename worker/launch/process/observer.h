#pragma once

// Stage 4: one thread that hears from all holders, and says to them what is to be said.
// Thread-safe.

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/sync.h"
#include "common/os/unique_fd.h"
#include "worker/launch/launcher.h"
#include "worker/launch/process/format/control.h"

namespace forebay::worker {

class Observer {
 public:
  // `changed` is called from the thread, without locks held.
  explicit Observer(ChangedCallback changed);
  // Closes all connections; the holders live on.
  ~Observer();
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  absl::Status Start();

  // Takes over a connection. `pid`: the holder, if it is a child of this process. Replaces an
  // earlier connection.
  absl::Status Add(const std::string& name, UniqueFd socket, std::optional<pid_t> pid);
  void Forget(const std::string& name);

  // What the holder said last; nothing when there is no connection.
  std::optional<holder::Notice> Latest(const std::string& name);
  // False when there is no connection.
  bool Send(const std::string& name, const holder::Command& command);
  // Whether the connection ended, or never was, within `most`.
  bool WaitUntilGone(const std::string& name, absl::Duration most);

 private:
  struct Connection {
    std::string name;
    UniqueFd socket;
    std::optional<pid_t> pid;
    holder::Notice latest;
  };

  void Loop();
  // The name to call back with, if there is anything to tell.
  std::optional<std::string> Hear(uint64_t id);
  void Close(uint64_t id) REQUIRES(mutex_);
  void Reap();
  bool reaping();

  const ChangedCallback changed_;
  UniqueFd epoll_;
  UniqueFd wake_;
  Mutex mutex_;
  CondVar closed_;
  uint64_t next_id_ GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, Connection> connections_ GUARDED_BY(mutex_);
  std::map<std::string, uint64_t> ids_ GUARDED_BY(mutex_);
  std::vector<pid_t> unreaped_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace forebay::worker
