#include "worker/launch/kubernetes/known_namespaces.h"

#include "common/base/text.h"
#include "common/os/files.h"

namespace forebay::worker {

KnownNamespaces::KnownNamespaces(std::string path, std::set<std::string> configured)
    : path_(std::move(path)), configured_(std::move(configured)) {
  const auto text = ReadSmallFile(path_);
  if (!text.ok()) return;
  for (const std::string_view line : Split(*text, '\n')) {
    if (!Trim(line).empty()) learned_.emplace(Trim(line));
  }
}

std::set<std::string> KnownNamespaces::all() const {
  std::set<std::string> names = configured_;
  names.insert(learned_.begin(), learned_.end());
  return names;
}

bool KnownNamespaces::contains(const std::string& name) const {
  return configured_.contains(name) || learned_.contains(name);
}

absl::Status KnownNamespaces::Learn(const std::string& name) {
  if (contains(name)) return absl::OkStatus();
  std::string text;
  for (const std::string& known : learned_) text += known + "\n";
  text += name + "\n";
  const absl::Status written = WriteFileAtomically(path_, text, {.durable = true});
  if (written.ok()) learned_.insert(name);
  return written;
}

}  // namespace forebay::worker
