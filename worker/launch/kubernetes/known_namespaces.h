#pragma once

// The namespaces in which runs of this pool may be: those of the configuration, and those in which
// this worker has launched something, kept across its restarts.

#include <set>
#include <string>

#include "absl/status/status.h"

namespace forebay::worker {

// Not thread-safe.
class KnownNamespaces {
 public:
  // `path`: of the file that keeps the learned ones, one a line.
  KnownNamespaces(std::string path, std::set<std::string> configured);

  // The configured ones and the learned ones.
  std::set<std::string> all() const;
  bool configured(const std::string& name) const { return configured_.contains(name); }
  bool contains(const std::string& name) const;
  // On the disk before it returns.
  absl::Status Learn(const std::string& name);

 private:
  const std::string path_;
  const std::set<std::string> configured_;
  std::set<std::string> learned_;
};

}  // namespace forebay::worker
