#pragma once

// The user's own file: which servers there are and the keys for them
// (`~/.config/forebay/config.yaml`, mode 0600). Not thread-safe.

#include <filesystem>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace forebay::cli {

// One server and how to speak to it.
struct Profile {
  std::string server;
  // Either the key or the file that holds it; the file wins.
  std::string api_key;
  std::string api_key_file;
  std::string tls_ca_file;

  bool operator==(const Profile&) const = default;
};

struct Settings {
  // Name of the context used when none is asked for; may be empty.
  std::string current;
  std::map<std::string, Profile> contexts;

  bool operator==(const Settings&) const = default;
};

// $XDG_CONFIG_HOME/forebay, else ~/.config/forebay.
std::filesystem::path ConfigDirectory();

// No file: empty settings. INVALID_ARGUMENT for a file that is not ours: the key, its nearest, the
// file.
absl::StatusOr<Settings> LoadSettings(const std::filesystem::path& directory);
// Replaces the file in one step; mode 0600, directory 0700.
absl::Status SaveSettings(const std::filesystem::path& directory, const Settings& settings);

}  // namespace forebay::cli
