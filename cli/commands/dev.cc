#include <stdlib.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/cleanup/cleanup.h"
#include "cli/commands/commands.h"
#include "cli/dev_stack.h"
#include "cli/names.h"
#include "cli/private_file.h"
#include "cli/process.h"
#include "cli/worker_key.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/os/file_lock.h"
#include "common/os/files.h"
#include "forebay/v1/work_pool.pb.h"

namespace forebay::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kPool[] = "default";
constexpr char kContext[] = "dev";
constexpr int64_t kDefaultPort = 7070;

fs::path DefaultDataDir() {
  if (geteuid() == 0) return "/var/lib/forebay";
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "/" : home) / ".local" / "share" / "forebay";
}

// The file that the server writes when it is ready stands in a directory that only we can write to.
absl::StatusOr<fs::path> MakeScratch() {
  std::string path = (fs::temp_directory_path() / "forebay-dev-XXXXXX").string();
  if (mkdtemp(path.data()) != nullptr) return fs::path(path);
  return Error(absl::StatusCode::kInternal, "FILE_UNWRITABLE")
      .Field("directory", path)
      .Says("cannot make a temporary directory like {}", path);
}

fs::path KeptKey(const fs::path& config) { return config / "keys" / "dev.key"; }

// Remembers the server and its first key as the context `dev`; answers the current context.
absl::StatusOr<std::string> KeepContext(const fs::path& config, const std::string& address,
                                        const std::string& key) {
  RETURN_IF_ERROR(WritePrivateFile(KeptKey(config), key + "\n"));
  ASSIGN_OR_RETURN(Settings settings, LoadSettings(config));
  settings.contexts[kContext] = {address, "", KeptKey(config).string(), ""};
  if (settings.current.empty()) settings.current = kContext;
  RETURN_IF_ERROR(SaveSettings(config, settings));
  return settings.current;
}

absl::Status EnsurePool(Client& client) {
  v1::GetWorkPoolRequest get;
  get.set_name(PoolResource(kPool));
  const auto found = client.Call<v1::GetWorkPoolResponse>(get);
  if (found.status().code() != absl::StatusCode::kNotFound) return found.status();
  v1::CreateWorkPoolRequest create;
  create.mutable_work_pool()->set_name(PoolResource(kPool));
  create.mutable_work_pool()->set_type("process");
  return client.Call<v1::CreateWorkPoolResponse>(create).status();
}

struct DevPlan {
  fs::path data_dir;
  fs::path scratch;
  std::string listen;
  std::optional<int64_t> limit;
};

absl::StatusOr<std::string> StartServer(DevStack& stack, const DevPlan& plan) {
  ASSIGN_OR_RETURN(const std::string program, FindProgram("forebay-server"));
  const fs::path ready = plan.scratch / "server.ready";
  RETURN_IF_ERROR(stack.Start("server", program,
                              {"--listen=" + plan.listen, "--data-dir=" + plan.data_dir.string(),
                               "--ready-file=" + ready.string()}));
  std::string address;
  RETURN_IF_ERROR(stack.WaitUntil([&] {
    const auto text = ReadSmallFile(ready);
    if (text.ok()) address = Trim(text->substr(0, text->find('\n')));
    return !address.empty();
  }));
  return address;
}

absl::Status StartWorker(DevStack& stack, const DevPlan& plan, Session& session,
                         const std::string& address) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  RETURN_IF_ERROR(EnsurePool(*client));
  ASSIGN_OR_RETURN(const fs::path key_file, EnsureWorkerKey(session, kPool, false));
  ASSIGN_OR_RETURN(const std::string program, FindProgram("forebay-worker"));
  const fs::path ready = plan.scratch / "worker.ready";
  std::vector<std::string> words = {"--server=" + address, fmt::format("--pool={}", kPool),
                                    "--key-file=" + key_file.string(),
                                    "--state-dir=" + (plan.data_dir / "worker" / kPool).string(),
                                    "--ready-file=" + ready.string()};
  if (plan.limit.has_value()) words.push_back(fmt::format("--limit={}", *plan.limit));
  RETURN_IF_ERROR(stack.Start("worker", program, words));
  return stack.WaitUntil([&] { return fs::exists(ready); });
}

// The key that the server made with its database; else the one kept from then.
absl::StatusOr<std::string> AdminKey(const fs::path& data_dir, const fs::path& config) {
  const auto key = ReadKeyFile(data_dir / "admin.key");
  return key.ok() ? key : ReadKeyFile(KeptKey(config));
}

absl::Status StartAll(DevStack& stack, Session& session, const DevPlan& plan) {
  ASSIGN_OR_RETURN(const std::string address, StartServer(stack, plan));
  const fs::path& config = session.config_directory();
  ASSIGN_OR_RETURN(const std::string key, AdminKey(plan.data_dir, config));
  ASSIGN_OR_RETURN(const std::string current, KeepContext(config, address, key));
  SessionOptions options;
  options.server = address;
  options.api_key = key;
  options.config_directory = config;
  Session admin(options, std::cout, std::cerr, session.clock());
  RETURN_IF_ERROR(StartWorker(stack, plan, admin, address));
  stack.Say(fmt::format("\nForebay is ready at {}. Data: {}. Ctrl-C stops everything.", address,
                        plan.data_dir.string()));
  stack.Say(
      fmt::format("In another terminal:\n{}"
                  "  forebay deploy --name hello --flow hello --pool {} -- echo hello\n"
                  "  forebay deployment run hello/hello --watch\n  forebay flow-run ls\n",
                  current == kContext ? "" : "  forebay config use dev\n", kPool));
  return absl::OkStatus();
}

absl::Status RunStack(Session& session, const DevPlan& plan) {
  DevStack stack([&](std::string_view line) { session.Say(line); });
  RETURN_IF_ERROR(StartAll(stack, session, plan));
  RETURN_IF_ERROR(stack.WaitForInterrupt());
  stack.Stop();
  stack.Say("Stopped.");
  return absl::OkStatus();
}

// Only a directory that a server made is emptied, and none that a server still holds.
absl::Status Reset(const fs::path& data_dir) {
  std::error_code error;
  if (!fs::exists(data_dir, error) || fs::is_empty(data_dir, error)) return absl::OkStatus();
  if (!fs::exists(data_dir / "admin.key")) {
    return Error(absl::StatusCode::kFailedPrecondition, "NOT_A_DATA_DIR")
        .Field("data-dir", data_dir.string())
        .Says("{} does not look like a data directory of forebay; nothing was deleted",
              data_dir.string());
  }
  // Held while deleting: no server may start on what is about to go.
  ASSIGN_OR_RETURN(const FileLock lock,
                   FileLock::Take((data_dir / "server.lock").string(),
                                  fmt::format("the data directory '{}'", data_dir.string())));
  ASSIGN_OR_RETURN(const auto names, ListDirectory(data_dir.string()));
  for (const std::string& name : names) RETURN_IF_ERROR(RemoveTree((data_dir / name).string()));
  return absl::OkStatus();
}

absl::Status Dev(Session& session, const Arguments& arguments) {
  DevPlan plan;
  plan.data_dir =
      arguments.Has("data-dir") ? fs::absolute(arguments.Get("data-dir")) : DefaultDataDir();
  plan.listen = fmt::format("127.0.0.1:{}", arguments.Number("port").value_or(kDefaultPort));
  plan.limit = arguments.Number("limit");
  if (arguments.Has("reset")) RETURN_IF_ERROR(Reset(plan.data_dir));
  ASSIGN_OR_RETURN(plan.scratch, MakeScratch());
  const absl::Cleanup remove_scratch = [&] {
    std::error_code ignored;
    fs::remove_all(plan.scratch, ignored);
  };
  const absl::Status status = RunStack(session, plan);
  // Ctrl-C before all was up: stopped as asked.
  return status.code() == absl::StatusCode::kCancelled ? absl::OkStatus() : status;
}

}  // namespace

std::vector<Command> DevCommands() {
  return {
      {"dev",
       "Run database, server and a process worker here, in one terminal",
       {},
       {{"--port", "N", "Port of the server, 0 for a free one (7070)", false, false, true},
        {"--data-dir", "DIR",
         "Where everything is kept (/var/lib/forebay for root, else ~/.local/share/forebay)"},
        {"--limit", "N", "Most runs of the worker at once (number of cores)", false, false, true},
        {"--reset", "", "Delete all data first"}},
       false,
       false,
       Dev}};
}

}  // namespace forebay::cli
