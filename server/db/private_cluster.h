#pragma once

// A PostgreSQL of the server's own, under its data directory: the default when no database URL is
// given. The same engine and SQL as any other; unix socket only, no network.
//
// Started as root it runs as the system's `postgres` user, for PostgreSQL refuses root. It ends
// with the server, also when the server is killed. One server uses it at a time: the caller holds
// the data directory's lock.
//
// Start on the main thread: the kernel ties the database's life to the thread that started it.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/os/subprocess.h"

namespace forebay::server {

class PrivateCluster {
 public:
  // Makes the cluster under `directory` if there is none, recovers it if it was killed, and waits
  // until it answers. FAILED_PRECONDITION (POSTGRESQL_MISSING, CLUSTER_VERSION_MISMATCH), INTERNAL
  // (CLUSTER_FAILED with the end of its log).
  static absl::StatusOr<std::unique_ptr<PrivateCluster>> Start(const std::string& directory);
  // A fast, clean shutdown; waits for it.
  ~PrivateCluster();

  // For libpq.
  const std::string& url() const { return url_; }

 private:
  PrivateCluster(std::string url, Subprocess postgres)
      : url_(std::move(url)), postgres_(std::move(postgres)) {}

  std::string url_;
  Subprocess postgres_;
};

}  // namespace forebay::server
