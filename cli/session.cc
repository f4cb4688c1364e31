#include "cli/session.h"

#include <ostream>
#include <utility>
#include <vector>

#include "cli/private_file.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/os/files.h"
#include "common/rpc/server_list.h"

namespace forebay::cli {
namespace {

constexpr char kDefaultServer[] = "127.0.0.1:7070";

absl::StatusOr<Profile> FindContext(const std::string& name, const Settings& settings) {
  const auto found = settings.contexts.find(name);
  if (found != settings.contexts.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, profile] : settings.contexts) names.push_back(known);
  const std::string nearest = NearestName(name, names);
  return Error(absl::StatusCode::kNotFound, "CONTEXT_NOT_FOUND")
      .Field("context", name)
      .With("nearest", nearest)
      .Next("forebay config show")
      .Says("there is no context `{}` in the configuration{}", name,
            nearest.empty() ? "" : fmt::format("; did you mean `{}`?", nearest));
}

// Of several servers the key is that of a context which names one of them.
Profile ProfileOfAddress(const std::string& server, const Settings& settings) {
  for (const auto& [name, known] : settings.contexts) {
    if (!ShareServer(known.server, server)) continue;
    Profile profile = known;
    profile.server = server;
    return profile;
  }
  Profile profile;
  profile.server = server;
  return profile;
}

}  // namespace

absl::StatusOr<Profile> ResolveProfile(const SessionOptions& options, const Settings& settings) {
  Profile profile;
  const std::string context = options.context.empty() ? settings.current : options.context;
  if (!options.server.empty()) {
    profile = ProfileOfAddress(options.server, settings);
  } else if (!context.empty()) {
    ASSIGN_OR_RETURN(profile, FindContext(context, settings));
  }
  if (profile.server.empty()) profile.server = kDefaultServer;
  if (!options.api_key.empty()) {
    profile.api_key = options.api_key;
  } else if (!profile.api_key_file.empty()) {
    ASSIGN_OR_RETURN(profile.api_key, ReadKeyFile(profile.api_key_file));
  }
  return profile;
}

Session::Session(SessionOptions options, std::ostream& out, std::ostream& err, const Clock& clock)
    : options_(std::move(options)), out_(out), err_(err), clock_(clock) {}

void Session::Say(std::string_view line) { err_ << line << std::endl; }

absl::StatusOr<Profile> Session::profile() {
  ASSIGN_OR_RETURN(const Settings settings, LoadSettings(options_.config_directory));
  return ResolveProfile(options_, settings);
}

absl::StatusOr<Client*> Session::client() {
  if (client_ == nullptr) {
    ASSIGN_OR_RETURN(const Profile resolved, profile());
    Client::Options options{resolved.server, resolved.api_key, ""};
    if (!resolved.tls_ca_file.empty()) {
      ASSIGN_OR_RETURN(options.tls_ca_pem, ReadSmallFile(resolved.tls_ca_file));
    }
    client_ = std::make_unique<Client>(std::move(options));
  }
  return client_.get();
}

}  // namespace forebay::cli
