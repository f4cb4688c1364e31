#include "cli/settings.h"

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/output/yaml.h"
#include "cli/private_file.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/config/yaml.h"
#include "common/os/files.h"

namespace forebay::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kFileName[] = "config.yaml";

using ProfileField = std::pair<const char*, std::string Profile::*>;
constexpr ProfileField kProfileFields[] = {
    {"server", &Profile::server},
    {"api_key", &Profile::api_key},
    {"api_key_file", &Profile::api_key_file},
    {"tls_ca_file", &Profile::tls_ca_file},
};

absl::Status UnknownKey(std::string_view file, const std::string& key,
                        const std::vector<std::string>& known) {
  const std::string nearest = NearestName(key, known);
  return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_CONFIG_KEY")
      .Field(key, "")
      .With("nearest", nearest)
      .Says("{}: unknown key `{}`{}", file, key,
            nearest.empty() ? "" : fmt::format("; did you mean `{}`?", nearest));
}

absl::Status NotThat(std::string_view file, std::string_view key, std::string_view wanted,
                     const Json& value) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_CONFIG_VALUE")
      .Field(key, DumpJson(value))
      .Says("{}: `{}` must be {}, not {}", file, key, wanted, DumpJson(value));
}

absl::StatusOr<Profile> ParseProfile(std::string_view file, const std::string& name,
                                     const Json& value) {
  if (!value.is_object()) return NotThat(file, "contexts." + name, "keys and values", value);
  Profile profile;
  for (const auto& [key, text] : value.items()) {
    std::string Profile::*slot = nullptr;
    std::vector<std::string> known;
    for (const auto& [field, member] : kProfileFields) {
      known.emplace_back(field);
      if (key == field) slot = member;
    }
    if (slot == nullptr) return UnknownKey(file, key, known);
    if (!text.is_string()) return NotThat(file, key, "text", text);
    profile.*slot = text.get<std::string>();
  }
  return profile;
}

absl::StatusOr<Settings> ParseSettings(std::string_view file, const Json& document) {
  Settings settings;
  if (document.is_null()) return settings;
  if (!document.is_object()) return NotThat(file, "the file", "keys and values", document);
  for (const auto& [key, value] : document.items()) {
    if (key == "current") {
      if (!value.is_string()) return NotThat(file, key, "text", value);
      settings.current = value.get<std::string>();
    } else if (key == "contexts") {
      if (!value.is_object()) return NotThat(file, key, "keys and values", value);
      for (const auto& [name, profile] : value.items()) {
        ASSIGN_OR_RETURN(settings.contexts[name], ParseProfile(file, name, profile));
      }
    } else {
      return UnknownKey(file, key, {"current", "contexts"});
    }
  }
  return settings;
}

Json ToJson(const Settings& settings) {
  Json document = Json::object();
  if (!settings.current.empty()) document["current"] = settings.current;
  document["contexts"] = Json::object();
  for (const auto& [name, profile] : settings.contexts) {
    Json& entry = document["contexts"][name] = Json::object();
    for (const auto& [field, member] : kProfileFields) {
      if (!(profile.*member).empty()) entry[field] = profile.*member;
    }
  }
  return document;
}

}  // namespace

fs::path ConfigDirectory() {
  // Before threads exist: main resolves the directory first.
  if (const char* xdg = std::getenv("XDG_CONFIG_HOME"); xdg != nullptr && *xdg == '/') {
    return fs::path(xdg) / "forebay";
  }
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr || *home == '\0' ? "/" : home) / ".config" / "forebay";
}

absl::StatusOr<Settings> LoadSettings(const fs::path& directory) {
  const fs::path file = directory / kFileName;
  std::error_code error;
  if (!fs::exists(file, error)) return Settings();
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(file));
  ASSIGN_OR_RETURN(const Json document, ParseYaml(text, file.string()));
  return ParseSettings(file.string(), document);
}

absl::Status SaveSettings(const fs::path& directory, const Settings& settings) {
  return WritePrivateFile(directory / kFileName, ToYaml(ToJson(settings)));
}

}  // namespace forebay::cli
