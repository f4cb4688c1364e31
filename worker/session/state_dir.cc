#include "worker/session/state_dir.h"

#include <unistd.h>

#include <cstdlib>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/os/files.h"
#include "common/rpc/server_list.h"

namespace forebay::worker {
namespace {

// More workers of one pool on one host than this are somebody's mistake.
constexpr int kMostSiblings = 1000;

std::string ReadName(const std::string& path) {
  const auto text = ReadSmallFile(path);
  return text.ok() ? std::string(Trim(*text)) : "";
}

bool HasRuns(const std::string& path) {
  const auto runs = ListDirectory(path + "/runs");
  return runs.ok() && !runs->empty();
}

bool HasRunsOfAnother(const std::string& path, const std::string& server) {
  const std::string known = ReadName(path + "/server");
  return !known.empty() && !ShareServer(known, server) && HasRuns(path);
}

absl::Status NameOption(const absl::Status& locked, const std::string& path) {
  ErrorDetail detail = DetailOf(locked).value_or(ErrorDetail());
  detail.metadata["field"] = "state_dir";
  detail.metadata["value"] = path;
  absl::Status status(locked.code(), fmt::format("{}; each worker needs a directory of its own: "
                                                 "give this one another with --state-dir",
                                                 MessageOf(locked)));
  AttachDetail(status, detail);
  return status;
}

}  // namespace

absl::StatusOr<StateDir> StateDir::Open(const std::string& path, const std::string& server) {
  RETURN_IF_ERROR(MakeDirectories(path));
  auto lock = FileLock::Take(path + "/lock", fmt::format("the state directory '{}'", path));
  if (ReasonOf(lock.status()) == "LOCKED") return NameOption(lock.status(), path);
  RETURN_IF_ERROR(lock.status());
  RETURN_IF_ERROR(WriteFileAtomically(path + "/server", server + "\n"));
  return StateDir(path, *std::move(lock));
}

absl::StatusOr<StateDir> StateDir::OpenFirst(const std::string& base, const std::string& server) {
  for (int number = 1; number < kMostSiblings; ++number) {
    const std::string path = number == 1 ? base : fmt::format("{}-{}", base, number);
    if (HasRunsOfAnother(path, server)) continue;
    auto opened = Open(path, server);
    if (ReasonOf(opened.status()) != "LOCKED") return opened;
  }
  return Open(base, server);
}

std::string StateDir::predecessor() const { return ReadName(path_ + "/worker_id"); }

absl::Status StateDir::Remember(const std::string& worker_id) const {
  return WriteFileAtomically(path_ + "/worker_id", worker_id + "\n", {.durable = true});
}

std::string DefaultStateDir(const std::string& pool) {
  if (geteuid() == 0) return "/var/lib/forebay/worker/" + pool;
  const char* home = std::getenv("HOME");
  return fmt::format("{}/.local/share/forebay/worker/{}", home == nullptr ? "/tmp" : home, pool);
}

}  // namespace forebay::worker
