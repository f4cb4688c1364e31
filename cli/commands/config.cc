#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/private_file.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::cli {
namespace {

// Never the key itself.
std::string KeyText(const Profile& profile) {
  if (!profile.api_key_file.empty()) return profile.api_key_file;
  return profile.api_key.empty() ? "none" : "in this file";
}

absl::Status Show(Session& session, const Arguments&) {
  ASSIGN_OR_RETURN(const Settings settings, LoadSettings(session.config_directory()));
  Listing listing;
  listing.columns = {{"CURRENT"}, {"NAME"}, {"SERVER"}, {"KEY"}, {"TLS AUTHORITY", true}};
  for (const auto& [name, profile] : settings.contexts) {
    const bool current = name == settings.current;
    listing.rows.push_back(
        {name,
         {current ? "*" : "", name, profile.server, KeyText(profile), profile.tls_ca_file},
         Json{{"name", name},
              {"current", current},
              {"server", profile.server},
              {"key", KeyText(profile)},
              {"tls_ca_file", profile.tls_ca_file}}});
  }
  return AnswerList(
      session, listing,
      "No contexts. Make one: forebay dev, or forebay config set NAME --server HOST:PORT");
}

std::string Absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

absl::StatusOr<std::string> KeepKeyFromInput(Session& session, const std::string& name) {
  const std::string text{std::istreambuf_iterator<char>(std::cin),
                         std::istreambuf_iterator<char>()};
  const auto path = session.config_directory() / "keys" / (name + ".key");
  RETURN_IF_ERROR(WritePrivateFile(path, std::string(Trim(text)) + "\n"));
  return path.string();
}

absl::Status Set(Session& session, const Arguments& arguments) {
  const std::string name = arguments.Get("name");
  if (!IsResourceName(name)) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_NAME")
        .Field("name", name)
        .Says("a context's name is 1-63 of a-z 0-9 - _, beginning with a letter or digit, not `{}`",
              name);
  }
  ASSIGN_OR_RETURN(Settings settings, LoadSettings(session.config_directory()));
  Profile& profile = settings.contexts[name];
  if (arguments.Has("server")) profile.server = arguments.Get("server");
  if (arguments.Has("tls-ca-file")) profile.tls_ca_file = Absolute(arguments.Get("tls-ca-file"));
  if (arguments.Has("api-key-file")) profile.api_key_file = Absolute(arguments.Get("api-key-file"));
  if (arguments.Has("api-key-stdin")) {
    ASSIGN_OR_RETURN(profile.api_key_file, KeepKeyFromInput(session, name));
  }
  if (profile.server.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field("server", "")
        .Says("a new context needs an address: forebay config set {} --server HOST:PORT", name);
  }
  if (settings.current.empty()) settings.current = name;
  RETURN_IF_ERROR(SaveSettings(session.config_directory(), settings));
  session.Say(fmt::format("Context `{}` saved{}.", name,
                          settings.current == name ? "; it is the current one" : ""));
  return absl::OkStatus();
}

absl::Status MustExist(const Settings& settings, const std::string& name) {
  SessionOptions options;
  options.context = name;
  Settings without_keys = settings;
  for (auto& [context, profile] : without_keys.contexts) profile.api_key_file.clear();
  return ResolveProfile(options, without_keys).status();
}

absl::Status Use(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Settings settings, LoadSettings(session.config_directory()));
  settings.current = arguments.Get("name");
  RETURN_IF_ERROR(MustExist(settings, settings.current));
  RETURN_IF_ERROR(SaveSettings(session.config_directory(), settings));
  session.Say(fmt::format("Using context `{}`.", settings.current));
  return absl::OkStatus();
}

absl::Status Delete(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Settings settings, LoadSettings(session.config_directory()));
  const std::string name = arguments.Get("name");
  RETURN_IF_ERROR(MustExist(settings, name));
  settings.contexts.erase(name);
  if (settings.current == name) settings.current.clear();
  RETURN_IF_ERROR(SaveSettings(session.config_directory(), settings));
  session.Say(fmt::format("Context `{}` deleted.", name));
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> ConfigCommands() {
  const Positional name = {"NAME", "Name of the context", true, {}, Completes::kContexts};
  return {
      {"config show", "List contexts; keys are not shown", {}, {}, false, false, Show},
      {"config set",
       "Make or change a context (with --server HOST:PORT)",
       {name},
       {{"--api-key-file", "FILE", "File with the key", false, false, false, {}, Completes::kFiles},
        {"--api-key-stdin", "", "Read the key from standard input and keep it, mode 0600"},
        {"--tls-ca-file",
         "FILE",
         "Certificate authority of the server",
         false,
         false,
         false,
         {},
         Completes::kFiles}},
       false,
       false,
       Set},
      {"config use", "Make a context the current one", {name}, {}, false, false, Use},
      {"config delete", "Delete a context", {name}, {}, false, false, Delete},
  };
}

}  // namespace forebay::cli
