#include "server/db/private_cluster.h"

#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/obs/log.h"
#include "common/os/files.h"
#include "server/db/session.h"

namespace forebay::server {
namespace {

constexpr absl::Duration kInitPatience = absl::Minutes(2);
// Recovery after a crash replays the log; a large one takes its time.
constexpr absl::Duration kStartPatience = absl::Minutes(5);
constexpr absl::Duration kPredecessorPatience = absl::Seconds(30);
constexpr absl::Duration kStopPatience = absl::Seconds(60);
// A socket's path must fit sockaddr_un with "/.s.PGSQL.5432" behind it.
constexpr size_t kMostSocketPath = 90;

struct Layout {
  std::string data;
  std::string sockets;
  std::string log;
  // Folder of initdb and postgres.
  std::string binaries;
};

// Debian keeps the server's programs out of PATH, in a folder per version; the newest wins.
absl::StatusOr<std::string> FindBinaries(const std::string& only_version) {
  const std::string version = only_version.empty() ? "*" : only_version;
  const std::string pattern = "/usr/lib/postgresql/" + version + "/bin/postgres";
  std::string found;
  glob_t matches{};
  if (glob(pattern.c_str(), 0, nullptr, &matches) == 0 && matches.gl_pathc > 0) {
    found = matches.gl_pathv[matches.gl_pathc - 1];
  }
  globfree(&matches);
  if (!found.empty()) return found.substr(0, found.rfind('/'));
  if (only_version.empty()) {
    return Error(absl::StatusCode::kFailedPrecondition, "POSTGRESQL_MISSING")
        .Next("apt-get install postgresql")
        .Says("no PostgreSQL is installed here; install it, or give --database-url");
  }
  return Error(absl::StatusCode::kFailedPrecondition, "CLUSTER_VERSION_MISMATCH")
      .Next(fmt::format("apt-get install postgresql-{}", only_version))
      .Says("the private database was made by PostgreSQL {}, which is not installed here",
            only_version);
}

// Argv that runs a program as the unprivileged user when we are root, and ends it when this server
// dies.
std::vector<std::string> Unprivileged(std::vector<std::string> argv) {
  std::vector<std::string> prefix;
  if (geteuid() == 0) {
    prefix = {"setpriv",       "--reuid=postgres", "--regid=postgres",
              "--init-groups", "--pdeathsig=INT",  "--"};
  } else {
    prefix = {"setpriv", "--pdeathsig=INT", "--"};
  }
  argv.insert(argv.begin(), prefix.begin(), prefix.end());
  return argv;
}

absl::Status GiveToPostgres(const std::string& path) {
  if (geteuid() != 0) return absl::OkStatus();
  const passwd* user = getpwnam("postgres");  // NOLINT(concurrency-mt-unsafe): before any thread
  if (user == nullptr || chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) {
    return Error(absl::StatusCode::kFailedPrecondition, "POSTGRESQL_MISSING")
        .Next("apt-get install postgresql")
        .Says("'{}' cannot be given to the user 'postgres'", path);
  }
  return absl::OkStatus();
}

absl::StatusOr<Layout> PrepareLayout(const std::string& directory) {
  Layout layout;
  layout.data = directory + "/data";
  layout.log = directory + "/postgresql.log";
  layout.sockets = directory;
  if (directory.size() > kMostSocketPath) {
    layout.sockets = fmt::format("/tmp/forebay-{:016x}", std::hash<std::string>()(directory));
    RETURN_IF_ERROR(MakeDirectories(layout.sockets));
    RETURN_IF_ERROR(GiveToPostgres(layout.sockets));
  }
  RETURN_IF_ERROR(MakeDirectories(directory));
  RETURN_IF_ERROR(GiveToPostgres(directory));
  // The unprivileged user must get through the data directory to its own folder, and see nothing
  // else there.
  if (geteuid() == 0) chmod(directory.substr(0, directory.rfind('/')).c_str(), 0711);
  std::string version;
  if (FileExists(layout.data + "/PG_VERSION")) {
    ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(layout.data + "/PG_VERSION"));
    version = Trim(text);
  }
  ASSIGN_OR_RETURN(layout.binaries, FindBinaries(version));
  return layout;
}

absl::Status InitCluster(const Layout& layout) {
  if (FileExists(layout.data + "/PG_VERSION")) return absl::OkStatus();
  spdlog::info("making a private database under {}", layout.data);
  SubprocessSpec spec;
  spec.argv =
      Unprivileged({layout.binaries + "/initdb", "--pgdata=" + layout.data, "--username=forebay",
                    "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"});
  spec.environment = CurrentEnvironment();
  spec.working_directory = "/";
  ASSIGN_OR_RETURN(const CommandResult result, RunCommand(std::move(spec), kInitPatience));
  if (result.exit.success()) return absl::OkStatus();
  RemoveTree(layout.data).IgnoreError();
  return Error(absl::StatusCode::kInternal, "CLUSTER_FAILED")
      .Says("the private database could not be made ({}): {}", result.exit.ToString(),
            Trim(result.output));
}

// A server that was killed takes its database along, which needs a moment to write down what it
// knows.
absl::Status AwaitPredecessor(const Layout& layout) {
  const std::string lock = layout.data + "/postmaster.pid";
  const absl::Duration pause = absl::Milliseconds(50);
  for (absl::Duration waited; waited < kPredecessorPatience; waited += pause) {
    const auto text = ReadSmallFile(lock);
    if (!text.ok()) return absl::OkStatus();
    const int64_t pid = ParseInt(Trim(Split(*text, '\n')[0])).value_or(0);
    const auto name = ReadSmallFile(fmt::format("/proc/{}/comm", pid));
    if (pid <= 0 || !name.ok() || Trim(*name) != "postgres") return absl::OkStatus();
    absl::SleepFor(pause);
  }
  return Error(absl::StatusCode::kFailedPrecondition, "CLUSTER_BUSY")
      .Field("data_dir", layout.data)
      .Says("another PostgreSQL still uses {}; its process id stands in {}", layout.data, lock);
}

absl::StatusOr<Subprocess> StartPostgres(const Layout& layout) {
  SubprocessSpec spec;
  spec.argv =
      Unprivileged({layout.binaries + "/postgres", "-D", layout.data, "-k", layout.sockets, "-c",
                    "listen_addresses=", "-c", "unix_socket_permissions=0700", "-c",
                    "max_connections=60", "-c", "shared_buffers=64MB", "-c", "max_wal_size=1GB"});
  spec.environment = CurrentEnvironment();
  spec.working_directory = "/";
  spec.output = Redirect::ToFile(layout.log);
  spec.errors = Redirect::ToFile(layout.log);
  return Subprocess::Start(spec);
}

std::string LogEnd(const Layout& layout) {
  const auto log = ReadSmallFile(layout.log, 64 << 20);
  if (!log.ok()) return "it left no log";
  return std::string(
      Trim(log->size() > 2000 ? std::string_view(*log).substr(log->size() - 2000) : *log));
}

absl::Status AwaitAnswer(const std::string& url, const Layout& layout, Subprocess& postgres) {
  const absl::Duration pause = absl::Milliseconds(50);
  for (absl::Duration waited; waited < kStartPatience; waited += pause) {
    Session session(url);
    if (session.RunText("SELECT 1").ok()) return absl::OkStatus();
    if (postgres.Wait(pause).has_value()) break;
  }
  return Error(absl::StatusCode::kInternal, "CLUSTER_FAILED")
      .Says("the private database did not start; the end of {}: {}", layout.log, LogEnd(layout));
}

}  // namespace

absl::StatusOr<std::unique_ptr<PrivateCluster>> PrivateCluster::Start(
    const std::string& directory) {
  ASSIGN_OR_RETURN(const Layout layout, PrepareLayout(directory));
  RETURN_IF_ERROR(InitCluster(layout));
  RETURN_IF_ERROR(AwaitPredecessor(layout));
  ASSIGN_OR_RETURN(Subprocess postgres, StartPostgres(layout));
  // Peer identity is the socket's folder: only its owner and root reach it.
  const std::string url = "postgresql://forebay@/postgres?host=" + layout.sockets;
  std::unique_ptr<PrivateCluster> cluster(new PrivateCluster(url, std::move(postgres)));
  RETURN_IF_ERROR(AwaitAnswer(url, layout, cluster->postgres_));
  return cluster;
}

PrivateCluster::~PrivateCluster() {
  postgres_.Signal(SIGINT).IgnoreError();
  if (!postgres_.Wait(kStopPatience).has_value()) postgres_.Stop(absl::Seconds(5));
}

}  // namespace forebay::server
