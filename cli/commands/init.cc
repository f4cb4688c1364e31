#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands/commands.h"
#include "cli/deploy/python_package.h"
#include "cli/session.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/json/json.h"
#include "common/os/files.h"
#include "common/os/subprocess.h"

namespace forebay::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kFile[] = "forebay.yaml";
constexpr char kDefaultPool[] = "default";
constexpr mode_t kPublic = 0644;

constexpr char kHead[] =
    "# What `forebay deploy --all` deploys. Paths are relative to this file; the guide is "
    "docs/guide/deploy.md.\n";

// Of an address of HTTP what stands before the host is a password or a token.
std::string WithoutCredentials(const std::string& address) {
  const size_t scheme = address.find("://");
  if (scheme == std::string::npos || !address.starts_with("http")) return address;
  const size_t host = scheme + 3;
  const std::string authority = address.substr(host, address.find('/', host) - host);
  const size_t at = authority.rfind('@');
  return at == std::string::npos ? address
                                 : address.substr(0, host) + address.substr(host + at + 1);
}

absl::StatusOr<std::string> Origin() {
  SubprocessSpec spec;
  spec.argv = {"git", "remote", "get-url", "origin"};
  spec.environment = CurrentEnvironment();
  ASSIGN_OR_RETURN(const CommandResult result, RunCommand(spec, absl::Seconds(10)));
  const std::string address(Trim(result.output));
  if (result.exit.success()) return WithoutCredentials(address);
  return Error(absl::StatusCode::kFailedPrecondition, "SOURCE_MISSING")
      .Field("from", "git")
      .Next("git remote add origin URL")
      .Says("--from git needs a git repository with a remote `origin`: {}", address);
}

// Small letters, digits and dashes: a name of an image or a deployment.
std::string PlainName(const std::string& text) {
  std::string name;
  for (const char c : ToLower(text)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain || (!name.empty() && name.back() != '-')) name += plain ? c : '-';
  }
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? "flows" : name;
}

// Where the code comes from when a run starts, for all deployments of the file.
absl::StatusOr<std::string> Steps(const Arguments& arguments, const std::string& directory) {
  if (arguments.Get("from") == "image")
    return fmt::format("build:\n  image: {}:latest\npush: false\n\n", directory);
  if (arguments.Get("from") == "git") {
    ASSIGN_OR_RETURN(const std::string origin, Origin());
    return fmt::format("pull:\n  - git_clone:\n      repository: {}\n\n", DumpJson(Json(origin)));
  }
  return std::string();
}

std::string Quoted(const std::string& text) { return DumpJson(Json(text)); }

// Two functions of one name have to be told apart.
std::string NameOf(const std::string& entrypoint, const std::vector<std::string>& all) {
  const auto function = [](const std::string& of) { return of.substr(of.rfind(':') + 1); };
  const auto same = std::count_if(all.begin(), all.end(), [&](const std::string& other) {
    return function(other) == function(entrypoint);
  });
  if (same <= 1) return "default";
  return PlainName(entrypoint.substr(0, entrypoint.rfind(':')));
}

std::string Entry(const std::string& name, const std::string& entrypoint, const std::string& pool) {
  return fmt::format(
      "  - name: {}\n    entrypoint: {}\n    pool: {}\n"
      "    # parameters: {{name: value}}\n    # schedules: [{{cron: 0 6 * * *, timezone: "
      "Europe/Berlin}}]\n    # job_variables: {{env: {{NAME: value}}}}\n",
      name, Quoted(entrypoint), Quoted(pool));
}

absl::StatusOr<std::vector<std::string>> Entrypoints(const Arguments& arguments) {
  if (arguments.Has("entrypoint")) return arguments.All("entrypoint");
  ASSIGN_OR_RETURN(const Json found, AskPython({"flow", "find", "."}, ""));
  auto entrypoints = found.value("entrypoints", std::vector<std::string>());
  if (!entrypoints.empty()) return entrypoints;
  return Error(absl::StatusCode::kNotFound, "NOT_A_FLOW")
      .Next("forebay init file.py:function")
      .Says("no function in the Python files below this directory is marked with @flow");
}

absl::Status Init(Session& session, const Arguments& arguments) {
  if (FileExists(kFile) && !arguments.Has("force")) {
    return Error(absl::StatusCode::kAlreadyExists, "FILE_EXISTS")
        .Field("file", kFile)
        .Next("forebay deploy --all")
        .Says("there is a {} already; --force replaces it", kFile);
  }
  ASSIGN_OR_RETURN(const auto entrypoints, Entrypoints(arguments));
  ASSIGN_OR_RETURN(const std::string steps,
                   Steps(arguments, PlainName(fs::current_path().filename())));
  std::string text = kHead + steps + "deployments:\n";
  const std::string pool = arguments.Has("pool") ? arguments.Get("pool") : kDefaultPool;
  for (const std::string& entrypoint : entrypoints)
    text += Entry(NameOf(entrypoint, entrypoints), entrypoint, pool);
  RETURN_IF_ERROR(WriteFileAtomically(kFile, text, {kPublic}));
  session.Say(fmt::format("Wrote {} with {} deployment{}: {}. Deploy: forebay deploy --all", kFile,
                          entrypoints.size(), entrypoints.size() == 1 ? "" : "s",
                          Join(entrypoints, ", ")));
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> InitCommands() {
  return {{"init",
           "Write a forebay.yaml that deploys the Python flows of this directory",
           {{"ENTRYPOINT",
             "file.py:function (all that are found)",
             false,
             {},
             Completes::kFiles,
             true}},
           {{"-p,--pool",
             "POOL",
             "Work pool that runs them (default)",
             false,
             false,
             false,
             {},
             Completes::kPools},
            {"--from",
             "WHERE",
             "Where runs have the code from: here, an image that is built, or git",
             false,
             false,
             false,
             {"here", "image", "git"}},
            {"--force", "", "Replace a forebay.yaml that is there"}},
           false,
           false,
           Init}};
}

}  // namespace forebay::cli
