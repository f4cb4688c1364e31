#include "worker/launch/kubernetes/api/exec_plugin.h"

#include <sys/mman.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/json/json.h"
#include "common/os/files.h"
#include "common/os/subprocess.h"

namespace forebay::worker {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);
constexpr absl::Duration kPauseAfterFailure = absl::Seconds(5);
// A credential is not used up to its last moment.
constexpr absl::Duration kLeeway = absl::Seconds(10);
constexpr size_t kMostSaid = 2000;

absl::Status Failed(const ExecSpec& spec, std::string_view why) {
  const std::string hint = spec.install_hint.empty() ? "" : "; " + spec.install_hint;
  return Error(absl::StatusCode::kFailedPrecondition, "CREDENTIAL_PLUGIN_FAILED")
      .Field("exec.command", spec.command)
      .Says("the credential program '{}' of the kubeconfig: {}{}", spec.command, why, hint);
}

std::string TextOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string ExecInfo(const ExecSpec& spec, const ClusterAccess& access) {
  Json details = {{"interactive", false}};
  if (spec.provide_cluster_info) {
    Json cluster = {{"server", access.server}};
    if (!access.tls_server_name.empty()) cluster["tls-server-name"] = access.tls_server_name;
    std::string authority = access.authority.pem;
    if (authority.empty() && !access.authority.file.empty()) {
      authority = ReadSmallFile(access.authority.file).value_or("");
    }
    if (!authority.empty()) cluster["certificate-authority-data"] = absl::Base64Escape(authority);
    details["cluster"] = std::move(cluster);
  }
  return DumpJson(
      {{"apiVersion", spec.api_version}, {"kind", "ExecCredential"}, {"spec", details}});
}

std::vector<std::string> Environment(const ExecSpec& spec, const std::string& info) {
  std::vector<std::string> environment = CurrentEnvironment();
  const auto set = [&environment](const std::string& name, const std::string& value) {
    std::erase_if(environment,
                  [&](const std::string& entry) { return entry.starts_with(name + "="); });
    environment.push_back(name + "=" + value);
  };
  for (const auto& [name, value] : spec.env) set(name, value);
  set("KUBERNETES_EXEC_INFO", info);
  return environment;
}

std::string ReadBack(int fd) {
  std::string text(kMostSaid, '\0');
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return ReplaceAll(Trim(text), "\n", "; ");
}

}  // namespace

absl::StatusOr<ExecCredential> ParseExecCredential(const std::string& output,
                                                   const ExecSpec& spec) {
  const auto parsed = ParseJsonObject(output, "credential");
  if (!parsed.ok()) return Failed(spec, MessageOf(parsed.status()));
  if (TextOf(*parsed, "kind") != "ExecCredential") return Failed(spec, "wrote no ExecCredential");
  if (TextOf(*parsed, "apiVersion") != spec.api_version) {
    return Failed(spec, fmt::format("wrote {}, and {} was asked for", TextOf(*parsed, "apiVersion"),
                                    spec.api_version));
  }
  const auto status = parsed->find("status");
  if (status == parsed->end() || !status->is_object()) return Failed(spec, "gave no status");
  ExecCredential credential;
  credential.token = TextOf(*status, "token");
  credential.certificate_pem = TextOf(*status, "clientCertificateData");
  credential.key_pem = TextOf(*status, "clientKeyData");
  if (credential.certificate_pem.empty() != credential.key_pem.empty()) {
    return Failed(spec, "gave a certificate without its key, or a key without its certificate");
  }
  if (credential.token.empty() && credential.key_pem.empty()) {
    return Failed(spec, "gave neither a token nor a certificate");
  }
  const std::string expires = TextOf(*status, "expirationTimestamp");
  std::string error;
  if (!expires.empty() &&
      !absl::ParseTime(absl::RFC3339_full, expires, &credential.expires, &error)) {
    return Failed(spec, fmt::format("expirationTimestamp '{}' is no time", expires));
  }
  return credential;
}

ExecPlugin::ExecPlugin(ExecSpec spec, const ClusterAccess& access, const Clock& clock)
    : spec_(std::move(spec)), info_(ExecInfo(spec_, access)), clock_(clock) {}

absl::StatusOr<ExecCredential> ExecPlugin::Get() {
  MutexLock lock(mutex_);
  if (known_.has_value()) {
    const bool good = known_->ok() ? clock_.Now() + kLeeway < (*known_)->expires
                                   : clock_.Monotonic() < failed_at_ + kPauseAfterFailure;
    if (good) return *known_;
  }
  known_ = Run();
  if (!known_->ok()) failed_at_ = clock_.Monotonic();
  return *known_;
}

void ExecPlugin::Forget() {
  MutexLock lock(mutex_);
  if (known_.has_value() && known_->ok()) known_.reset();
}

absl::StatusOr<ExecCredential> ExecPlugin::Run() const {
  const UniqueFd errors(::memfd_create("credential-program", MFD_CLOEXEC));
  SubprocessSpec command;
  command.argv = {spec_.command};
  command.argv.insert(command.argv.end(), spec_.args.begin(), spec_.args.end());
  command.environment = Environment(spec_, info_);
  if (errors.ok()) command.errors = Redirect::ToFd(errors.get());
  const auto result = RunCommand(std::move(command), kPatience, CommandErrors::kAsSpecified);
  if (!result.ok()) return Failed(spec_, MessageOf(result.status()));
  if (!result->exit.success()) {
    return Failed(
        spec_, fmt::format("ended with {}: {}", result->exit.ToString(), ReadBack(errors.get())));
  }
  return ParseExecCredential(result->output, spec_);
}

}  // namespace forebay::worker
