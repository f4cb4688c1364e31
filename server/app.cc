#include "server/app.h"

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <sys/stat.h>
#include <unistd.h>

#include "common/base/status.h"
#include "common/obs/log.h"
#include "common/os/file_lock.h"
#include "common/os/files.h"
#include "server/api/generic_calls.h"
#include "server/api/handlers.h"
#include "server/api/reflected_services.h"
#include "server/db/migrator.h"
#include "server/db/private_cluster.h"
#include "server/duties/duty_runner.h"
#include "server/duties/expiry.h"
#include "server/duties/housekeeping.h"
#include "server/duties/retention.h"
#include "server/duties/scheduling.h"
#include "server/first_key.h"
#include "server/http/connect_protocol.h"
#include "server/http/http_server.h"
#include "server/http/http_stats.h"
#include "server/http/metrics_page.h"
#include "server/http/probes.h"
#include "server/listen_address.h"
#include "server/metrics/call_meter.h"
#include "server/metrics/process_stats.h"
#include "server/signal_hub.h"

namespace forebay::server {
namespace {

constexpr int kMostMessageBytes = 16 << 20;
constexpr absl::Duration kShutdownTime = absl::Seconds(3);
constexpr char kNoListener[] = "off";
// Some 250 bytes each. More attempts than these are looked up for each report.
constexpr size_t kMostFreshAttempts = 20'000;

absl::Status CheckRange(std::string_view field, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "OUT_OF_RANGE")
      .Field(field, std::to_string(value))
      .Says("{} is {}; it must be between {} and {}", field, value, least, most);
}

std::string DefaultDataDir() {
  if (geteuid() == 0) return "/var/lib/forebay";
  const char* home = getenv("HOME");  // NOLINT(concurrency-mt-unsafe): before any thread
  return std::string(home == nullptr ? "/tmp" : home) + "/.local/share/forebay";
}

// Somebody else's directory may be somebody else's server, or a slip of the pen.
absl::Status CheckOwner(const std::string& directory) {
  struct stat info {};
  if (stat(directory.c_str(), &info) != 0 || info.st_uid == geteuid()) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "DATA_DIR_NOT_YOURS")
      .Field("data_dir", directory)
      .Next("forebay server start --data-dir <directory>")
      .Says("data_dir '{}' belongs to the user with id {}, this server runs as {}", directory,
            info.st_uid, geteuid());
}

// PEM texts; both empty without TLS.
struct TlsTexts {
  std::string certificate;
  std::string key;
};

absl::StatusOr<TlsTexts> ReadTls(const config::v1::ServerConfig& config) {
  TlsTexts tls;
  if (config.tls_certificate_file().empty()) return tls;
  ASSIGN_OR_RETURN(tls.certificate, ReadSmallFile(config.tls_certificate_file()));
  ASSIGN_OR_RETURN(tls.key, ReadSmallFile(config.tls_key_file()));
  return tls;
}

std::shared_ptr<grpc::ServerCredentials> Credentials(const TlsTexts& tls) {
  if (tls.certificate.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({tls.key, tls.certificate});
  return grpc::SslServerCredentials(options);
}

std::vector<std::unique_ptr<Duty>> AllDuties(Signals& signals, Snapshots& snapshots,
                                             const Clock& clock, UuidSource& ids, Random& random,
                                             const config::v1::ServerConfig& config) {
  std::vector<std::unique_ptr<Duty>> duties;
  duties.push_back(MakeExpiryDuty(signals));
  duties.push_back(MakeSchedulingDuty(signals, snapshots, ids, random));
  duties.push_back(MakeCollisionDuty());
  duties.push_back(MakePartitionDuty(clock));
  duties.push_back(MakeCleaningDuty());
  duties.push_back(MakeStatisticsDuty());
  duties.push_back(MakeRecountDuty(signals));
  const Retention retention{absl::Hours(24 * config.retention_days()),
                            absl::Hours(24 * config.event_retention_days())};
  duties.push_back(MakeRetentionDuty(retention, clock));
  return duties;
}

void RegisterAll(ServiceTable& table, Backend& backend) {
  RegisterWorkPools(table, backend);
  RegisterJobPreviews(table, backend);
  RegisterWorkQueues(table, backend);
  RegisterDeployments(table, backend);
  RegisterSchedules(table, backend);
  RegisterConcurrencyLimits(table, backend);
  RegisterFlowRuns(table, backend);
  RegisterRunControl(table, backend);
  RegisterEvents(table, backend);
  RegisterLogs(table, backend);
  RegisterFleet(table, backend);
  RegisterTokens(table, backend);
  RegisterServerInfo(table, backend);
  RegisterWorkerProtocol(table, backend);
  RegisterRunProtocol(table, backend);
}

}  // namespace

struct App::Parts {
  config::v1::ServerConfig config;
  const Clock& clock = SystemClock();
  BufferedRandom random{SystemRandom()};
  UuidSource ids{SystemClock(), random};
  Uuid server_id = ids.Next();
  std::string address;

  std::optional<FileLock> data_lock;
  std::unique_ptr<PrivateCluster> cluster;
  std::string url;

  Snapshots snapshots;
  Parking parking;
  WorkerDirectory workers;
  SignalHub signals;
  SharedMarks marks{clock};
  Turnover turnover{clock};
  FreshAttempts fresh{kMostFreshAttempts};
  std::unique_ptr<Executor> executor;
  std::unique_ptr<Authenticator> authenticator;
  std::unique_ptr<Commands> commands;
  std::unique_ptr<Watchers> watchers;
  std::unique_ptr<Dispatcher> dispatcher;
  std::unique_ptr<Leases> leases;
  std::unique_ptr<Submitter> submitter;
  std::unique_ptr<Intake> intake;
  std::unique_ptr<Reporter> reporter;
  std::unique_ptr<LogAppender> logs;
  std::unique_ptr<Notifier> notifier;
  std::unique_ptr<DutyRunner> duties;
  std::unique_ptr<Backend> backend;
  prometheus::Registry registry;
  CallMeters meters{registry};
  std::unique_ptr<ProcessStats> process;
  std::unique_ptr<HttpStats> http_stats;
  std::unique_ptr<ServiceTable> table;
  std::unique_ptr<GenericCalls> generic;
  std::unique_ptr<Probes> probes;
  std::unique_ptr<MetricsPage> metrics;
  std::unique_ptr<HttpServer> http;
  std::unique_ptr<grpc::Server> server;

  absl::Status OpenDatabase();
  void Build();
  absl::Status Listen();
  absl::Status ListenForHttp(const TlsTexts& tls);
  absl::Status ListenForGrpc(const TlsTexts& tls);
  void ServeHttp();
  void Stop();
};

absl::Status App::Parts::OpenDatabase() {
  url = config.database_url();
  if (url.empty()) {
    RETURN_IF_ERROR(CheckOwner(config.data_dir()));
    RETURN_IF_ERROR(MakeDirectories(config.data_dir()));
    ASSIGN_OR_RETURN(data_lock, FileLock::Take(config.data_dir() + "/server.lock",
                                               "the data directory " + config.data_dir()));
    ASSIGN_OR_RETURN(cluster, PrivateCluster::Start(config.data_dir() + "/postgresql"));
    url = cluster->url();
  }
  Session session(url);
  RETURN_IF_ERROR(Migrate(session));
  RETURN_IF_ERROR(EnsurePartitions(session, clock.Now()));
  return EnsureFirstKey(session, ids, random, config.data_dir());
}

void App::Parts::Build() {
  // Two submit, two report, two claim flushers and one each for logs, leases, timer, duties and
  // notices.
  constexpr int kOwnSessions = 11;
  executor = std::make_unique<Executor>(
      url, std::max(2, config.database_connections() - kOwnSessions), 5'000);
  authenticator = std::make_unique<Authenticator>(*executor, clock);
  commands = std::make_unique<Commands>(*executor, parking);
  watchers = std::make_unique<Watchers>(*executor, clock);
  dispatcher = std::make_unique<Dispatcher>(
      Dispatcher::Options{url, absl::Milliseconds(config.probe_interval_ms())},
      ClaimRound::Shared{parking, snapshots, marks, turnover, fresh, clock, random});
  leases = std::make_unique<Leases>(url, clock);
  submitter = std::make_unique<Submitter>(
      url, Submitter::Shared{parking, marks, turnover, fresh, signals, clock, random});
  intake = std::make_unique<Intake>(*executor, snapshots, *submitter, ids, random);
  reporter = std::make_unique<Reporter>(url, signals, turnover, fresh);
  logs = std::make_unique<LogAppender>(url, signals);
  notifier = std::make_unique<Notifier>(
      url, server_id, [this](NoticeKind kind, const Uuid& id) { signals.Heard(kind, id); });
  signals.Connect({executor.get(), &snapshots, &parking, dispatcher.get(), commands.get(), &workers,
                   watchers.get(), notifier.get()});
  duties = std::make_unique<DutyRunner>(url, server_id, clock,
                                        AllDuties(signals, snapshots, clock, ids, random, config));
  backend = std::make_unique<Backend>(Backend{clock,
                                              random,
                                              ids,
                                              *executor,
                                              *authenticator,
                                              snapshots,
                                              signals,
                                              parking,
                                              *dispatcher,
                                              *commands,
                                              *leases,
                                              workers,
                                              *intake,
                                              *submitter,
                                              *reporter,
                                              *logs,
                                              *watchers,
                                              server_id,
                                              clock.Now(),
                                              cluster != nullptr,
                                              absl::Seconds(config.poll_deadline_seconds()),
                                              {}});
  table = std::make_unique<ServiceTable>(*authenticator, *executor, clock, meters);
  RegisterAll(*table, *backend);
}

absl::Status App::Parts::Listen() {
  ASSIGN_OR_RETURN(const TlsTexts tls, ReadTls(config));
  RETURN_IF_ERROR(ListenForHttp(tls));
  RETURN_IF_ERROR(ListenForGrpc(tls));
  if (http != nullptr) ServeHttp();
  return absl::OkStatus();
}

absl::Status App::Parts::ListenForHttp(const TlsTexts& tls) {
  if (config.http_listen() == kNoListener) return absl::OkStatus();
  HttpOptions options;
  options.listen = config.http_listen();
  options.certificate = tls.certificate;
  options.key = tls.key;
  options.most_body_bytes = kMostMessageBytes;
  ASSIGN_OR_RETURN(http, HttpServer::Listen(options));
  backend->http_url = config.http_url();
  if (backend->http_url.empty()) {
    backend->http_url = (tls.certificate.empty() ? "http://" : "https://") +
                        ReachableAddress(config.http_listen(), http->port());
  }
  return absl::OkStatus();
}

void App::Parts::ServeHttp() {
  probes = std::make_unique<Probes>(*executor);
  process = std::make_unique<ProcessStats>(backend->start_time);
  http_stats = std::make_unique<HttpStats>(*http);
  metrics = std::make_unique<MetricsPage>(
      *authenticator, *executor,
      std::vector<prometheus::Collectable*>{&registry, process.get(), http_stats.get()});
  http->Serve([this](const std::shared_ptr<HttpExchange>& exchange) {
    if (!probes->Answer(exchange) && !metrics->Answer(exchange)) AnswerConnect(*table, exchange);
  });
}

absl::Status App::Parts::ListenForGrpc(const TlsTexts& tls) {
  grpc::EnableDefaultHealthCheckService(true);
  ASSIGN_OR_RETURN(const auto services, table->Build());
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(config.listen(), Credentials(tls), &port);
  for (grpc::Service* service : services) builder.RegisterService(service);
  generic = std::make_unique<GenericCalls>(*table);
  builder.RegisterCallbackGenericService(generic.get());
  builder.SetOption(ReflectServices(table->service_names()));
  builder.SetMaxReceiveMessageSize(kMostMessageBytes);
  // Two servers on one port would each get half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Nothing serves what would be kept of each connection for it.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return Error(absl::StatusCode::kUnavailable, "ADDRESS_IN_USE")
        .Field("listen", config.listen())
        .Next("forebay server start --listen 127.0.0.1:0")
        .Says("cannot listen on {}: the port is taken or the address is not of this host",
              config.listen());
  }
  server->GetHealthCheckService()->SetServingStatus(true);
  address = WithPort(config.listen(), port);
  return absl::OkStatus();
}

void App::Parts::Stop() {
  // New polls and calls are refused first; parked ones are told to go elsewhere.
  if (server != nullptr) server->GetHealthCheckService()->SetServingStatus(false);
  if (probes != nullptr) probes->Stop();
  parking.Clear(absl::UnavailableError("this server is shutting down"));
  if (watchers != nullptr) watchers->End();
  if (server != nullptr)
    server->Shutdown(std::chrono::system_clock::now() + absl::ToChronoSeconds(kShutdownTime));
  if (http != nullptr) http->Drain(kShutdownTime);
  parking.Clear(absl::UnavailableError("this server is shutting down"));
  duties.reset();
  signals.Disconnect();
  notifier.reset();
  dispatcher.reset();
  submitter.reset();
  reporter.reset();
  logs.reset();
  leases.reset();
  watchers.reset();
  executor.reset();
  http.reset();
  server.reset();
}

absl::Status CompleteConfig(config::v1::ServerConfig& config) {
  if (config.listen().empty()) config.set_listen("127.0.0.1:7070");
  if (config.data_dir().empty()) config.set_data_dir(DefaultDataDir());
  if (config.database_connections() == 0) config.set_database_connections(15);
  if (config.log_level().empty()) config.set_log_level("info");
  if (config.poll_deadline_seconds() == 0) config.set_poll_deadline_seconds(55);
  if (config.probe_interval_ms() == 0) config.set_probe_interval_ms(3000);
  if (config.retention_days() == 0) config.set_retention_days(90);
  if (config.event_retention_days() == 0) config.set_event_retention_days(7);
  RETURN_IF_ERROR(CheckRange("database_connections", config.database_connections(), 13, 200));
  RETURN_IF_ERROR(CheckRange("poll_deadline_seconds", config.poll_deadline_seconds(), 1, 300));
  RETURN_IF_ERROR(CheckRange("probe_interval_ms", config.probe_interval_ms(), 100, 60'000));
  RETURN_IF_ERROR(CheckRange("retention_days", config.retention_days(), 1, 36'500));
  RETURN_IF_ERROR(CheckRange("event_retention_days", config.event_retention_days(), 1, 365));
  if (config.tls_certificate_file().empty() != config.tls_key_file().empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "TLS_INCOMPLETE")
        .Field("tls_key_file", config.tls_key_file())
        .Says("tls_certificate_file and tls_key_file go together");
  }
  RETURN_IF_ERROR(CheckListenAddress("listen", config.listen(), config));
  if (config.http_listen().empty()) config.set_http_listen(DefaultHttpListen(config.listen()));
  if (config.http_listen() == kNoListener) return absl::OkStatus();
  return CheckListenAddress("http_listen", config.http_listen(), config);
}

App::App(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
App::~App() { parts_->Stop(); }

const std::string& App::address() const { return parts_->address; }
const std::string& App::http_url() const { return parts_->backend->http_url; }

absl::StatusOr<std::unique_ptr<App>> App::Start(const config::v1::ServerConfig& config) {
  auto parts = std::make_unique<Parts>();
  parts->config = config;
  RETURN_IF_ERROR(parts->OpenDatabase());
  parts->Build();
  const absl::Status listening = parts->Listen();
  std::unique_ptr<App> app(new App(std::move(parts)));
  RETURN_IF_ERROR(listening);
  return app;
}

}  // namespace forebay::server
