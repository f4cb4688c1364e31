#include "worker/launch/docker/registry_credentials.h"

#include <vector>

#include <absl/strings/escaping.h>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/json/json.h"
#include "common/os/files.h"

namespace forebay::worker {
namespace {

absl::Status Missing(const std::string& name, std::string_view why,
                     const std::vector<std::string>& known) {
  return Error(absl::StatusCode::kFailedPrecondition, "REGISTRY_CREDENTIALS_MISSING")
      .Field("registry_credentials", name)
      .With("nearest", NearestName(name, known))
      .With("allowed", Join(known, ", "))
      .Says("registry_credentials '{}' cannot be used: {}", name, why);
}

std::string TextOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// "user:password", or empty.
std::string UserAndPassword(const Json& entry) {
  std::string plain;
  if (absl::Base64Unescape(TextOf(entry, "auth"), &plain) && !plain.empty()) return plain;
  const std::string user = TextOf(entry, "username");
  return user.empty() ? "" : user + ":" + TextOf(entry, "password");
}

absl::StatusOr<Json> EntriesOf(const std::string& file, const std::string& name) {
  if (file.empty()) {
    return Missing(name, "this worker has no registry_credentials_file", {});
  }
  const auto text = ReadSmallFile(file);
  if (!text.ok()) return Missing(name, MessageOf(text.status()), {});
  const auto parsed = ParseJson(*text, "registry_credentials_file");
  // Not a word of what stands in it.
  if (!parsed.ok() || !parsed->is_object()) {
    return Missing(name, "the worker's registry_credentials_file is not a JSON object", {});
  }
  const auto entries = parsed->find("auths");
  return entries != parsed->end() && entries->is_object() ? Json(*entries) : Json::object();
}

}  // namespace

absl::StatusOr<std::string> RegistryAuth(const std::string& file, const std::string& name) {
  ASSIGN_OR_RETURN(const Json entries, EntriesOf(file, name));
  const auto entry = entries.find(name);
  if (entry == entries.end() || !entry->is_object()) {
    std::vector<std::string> known;
    for (const auto& [key, value] : entries.items()) known.push_back(key);
    return Missing(name, "the worker's registry_credentials_file has no such entry", known);
  }
  const std::string plain = UserAndPassword(*entry);
  const size_t colon = plain.find(':');
  if (colon == std::string::npos) return Missing(name, "its entry has no user and password", {});
  const Json auth = {{"username", plain.substr(0, colon)},
                     {"password", plain.substr(colon + 1)},
                     {"serveraddress", name}};
  // With padding, without which engines drop the header unread.
  return ReplaceAll(ReplaceAll(absl::Base64Escape(DumpJson(auth)), "+", "-"), "/", "_");
}

}  // namespace forebay::worker
