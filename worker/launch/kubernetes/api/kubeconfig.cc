#include "worker/launch/kubernetes/api/kubeconfig.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/config/yaml.h"
#include "common/os/files.h"

namespace forebay::worker {
namespace {

constexpr char kExecGroup[] = "client.authentication.k8s.io/";

absl::Status Invalid(const std::string& path, std::string_view field, std::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_KUBECONFIG")
      .Field(field, "")
      .With("path", path)
      .Says("kubeconfig {}: {}: {}", path, field, why);
}

// A file's value, with the file that it stands in.
struct Entry {
  Json value;
  std::string path;
};

// Reads fields of one cluster, user or context; the first thing that is wrong stays.
class Fields {
 public:
  Fields(const Entry& entry, std::string prefix)
      : object_(entry.value), path_(entry.path), prefix_(std::move(prefix)) {
    if (!object_.is_object()) Fail("", "is no map");
  }

  std::string Text(const char* key) {
    const auto found = object_.find(key);
    if (!status_.ok() || found == object_.end() || found->is_null()) return "";
    if (found->is_string()) return found->get<std::string>();
    Fail(key, "is no text; put it in quotes");
    return "";
  }

  bool Flag(const char* key) {
    const auto found = object_.find(key);
    return found != object_.end() && found->is_boolean() && found->get<bool>();
  }

  PemSource Pem(const std::string& key) {
    PemSource source;
    const std::string data = Text((key + "-data").c_str());
    const std::string file = Text(key.c_str());
    if (!data.empty()) {
      if (!absl::Base64Unescape(data, &source.pem)) Fail(key + "-data", "is no base64");
    } else if (!file.empty()) {
      source.file = Beside(file);
    }
    return source;
  }

  std::string File(const char* key) {
    const std::string file = Text(key);
    return file.empty() ? "" : Beside(file);
  }

  void Refuse(const char* key, std::string_view why) {
    const auto found = object_.find(key);
    const bool given =
        found != object_.end() && !found->is_null() && *found != Json(false) && *found != Json("");
    if (given) Fail(key, why);
  }

  void Fail(const std::string& key, std::string_view why) {
    if (!status_.ok()) return;
    status_ = Invalid(path_, key.empty() ? prefix_ : prefix_ + "." + key, why);
  }

  std::string Beside(const std::string& file) const {
    return (std::filesystem::absolute(path_).parent_path() / file).string();
  }

  const Json& object() const { return object_; }
  const std::string& path() const { return path_; }
  const std::string& prefix() const { return prefix_; }
  absl::Status status() const { return status_; }

 private:
  const Json object_;
  const std::string path_;
  const std::string prefix_;
  absl::Status status_;
};

// The files of one KUBECONFIG.
class Files {
 public:
  absl::Status Add(std::string_view text, const std::string& path) {
    const auto parsed = ParseYaml(text, "kubeconfig");
    if (!parsed.ok()) {
      return Error(absl::StatusCode::kInvalidArgument, "INVALID_KUBECONFIG")
          .Field("kubeconfig", path)
          .Says("{}: {}", path, MessageOf(parsed.status()));
    }
    if (!parsed->is_object() && !parsed->is_null()) return Invalid(path, "kubeconfig", "no map");
    files_.push_back({*parsed, path});
    return absl::OkStatus();
  }

  std::string CurrentContext() const {
    for (const Entry& file : files_) {
      const auto found = file.value.find("current-context");
      if (file.value.is_object() && found != file.value.end() && found->is_string() &&
          *found != Json("")) {
        return found->get<std::string>();
      }
    }
    return "";
  }

  // Of `contexts`, the `context` named `name`.
  absl::StatusOr<Entry> Named(const std::string& list, const std::string& kind,
                              const std::string& name) const {
    std::vector<std::string> names;
    for (const Entry& file : files_) {
      if (!file.value.is_object()) continue;
      for (const Json& item : file.value.value(list, Json::array())) {
        if (!item.is_object() || !item.contains("name")) continue;
        names.push_back(item["name"].is_string() ? item["name"].get<std::string>() : "");
        if (names.back() == name) return Entry{item.value(kind, Json::object()), file.path};
      }
    }
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_KUBECONFIG")
        .Field(kind, name)
        .With("nearest", NearestName(name, names))
        .With("allowed", Join(names, ", "))
        .Says("{} has no {} '{}'; it has: {}", Paths(), kind, name, Join(names, ", "));
  }

  std::string Paths() const {
    std::vector<std::string> paths;
    for (const Entry& file : files_) paths.push_back(file.path);
    return "kubeconfig " + Join(paths, ":");
  }

 private:
  std::vector<Entry> files_;
};

bool IsLoopback(std::string_view server) {
  constexpr std::string_view kHosts[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
  for (const std::string_view host : kHosts) {
    if (!server.starts_with(host)) continue;
    const std::string_view rest = server.substr(host.size());
    if (rest.empty() || rest.front() == ':' || rest.front() == '/') return true;
  }
  return false;
}

absl::Status ReadCluster(const Entry& entry, const std::string& name, ClusterAccess& access) {
  Fields fields(entry, fmt::format("clusters.{}", name));
  fields.Refuse("insecure-skip-tls-verify",
                "is not accepted: this worker always verifies the API server's certificate; give "
                "certificate-authority-data instead");
  fields.Refuse("proxy-url", "is not supported");
  access.server = fields.Text("server");
  access.authority = fields.Pem("certificate-authority");
  access.tls_server_name = fields.Text("tls-server-name");
  if (!access.server.starts_with("https://") && !IsLoopback(access.server)) {
    fields.Fail("server", fmt::format("'{}' does not begin with https://", access.server));
  }
  while (access.server.ends_with('/')) access.server.pop_back();
  return fields.status();
}

void ReadExecEnvironment(Fields& fields, ExecSpec& exec) {
  for (const Json& item : fields.object().value("env", Json::array())) {
    const bool good = item.is_object() && item.contains("name") && item.contains("value") &&
                      item["name"].is_string() && item["value"].is_string();
    if (!good) return fields.Fail("env", "is no list of names and values");
    exec.env[item["name"].get<std::string>()] = item["value"].get<std::string>();
  }
}

absl::StatusOr<ExecSpec> ReadExec(const Entry& entry, const std::string& prefix) {
  Fields fields(entry, prefix);
  ExecSpec exec;
  exec.api_version = fields.Text("apiVersion");
  exec.command = fields.Text("command");
  exec.install_hint = fields.Text("installHint");
  exec.provide_cluster_info = fields.Flag("provideClusterInfo");
  const std::string version = ReplaceAll(exec.api_version, kExecGroup, "");
  if (version != "v1" && version != "v1beta1") {
    fields.Fail("apiVersion", fmt::format("'{}' is neither {}v1 nor {}v1beta1", exec.api_version,
                                          kExecGroup, kExecGroup));
  }
  if (fields.Text("interactiveMode") == "Always") {
    fields.Fail("interactiveMode", "a worker has no terminal to ask at");
  }
  if (exec.command.empty()) fields.Fail("command", "is missing");
  // A path is one from the file's directory, a bare name is looked up in PATH.
  if (exec.command.find('/') != std::string::npos) exec.command = fields.Beside(exec.command);
  for (const Json& arg : fields.object().value("args", Json::array())) {
    if (!arg.is_string()) fields.Fail("args", "is no list of texts");
    exec.args.push_back(arg.is_string() ? arg.get<std::string>() : "");
  }
  ReadExecEnvironment(fields, exec);
  RETURN_IF_ERROR(fields.status());
  return exec;
}

absl::Status ReadUser(const Entry& entry, const std::string& name, UserAccess& user) {
  Fields fields(entry, fmt::format("users.{}", name));
  fields.Refuse("username", "passwords are not supported by Kubernetes any more");
  fields.Refuse("auth-provider", "is not supported by Kubernetes any more; use exec");
  fields.Refuse("as", "impersonation is not supported");
  user.certificate = fields.Pem("client-certificate");
  user.key = fields.Pem("client-key");
  user.token = fields.Text("token");
  user.token_file = fields.File("tokenFile");
  if (user.certificate.empty() != user.key.empty()) {
    fields.Fail("client-key", "certificate and key belong together: give both");
  }
  RETURN_IF_ERROR(fields.status());
  const auto exec = entry.value.find("exec");
  if (exec == entry.value.end() || exec->is_null()) return absl::OkStatus();
  ASSIGN_OR_RETURN(user.exec, ReadExec({*exec, entry.path}, fields.prefix() + ".exec"));
  return absl::OkStatus();
}

absl::StatusOr<ClusterAccess> AccessOf(const Files& files, std::string context) {
  if (context.empty()) context = files.CurrentContext();
  if (context.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_KUBECONFIG")
        .Field("kubernetes_context", "")
        .Says("{} names no current-context: say which with kubernetes_context", files.Paths());
  }
  ASSIGN_OR_RETURN(const Entry entry, files.Named("contexts", "context", context));
  Fields fields(entry, fmt::format("contexts.{}", context));
  ClusterAccess access;
  access.name_space = fields.Text("namespace");
  if (access.name_space.empty()) access.name_space = "default";
  access.source = fmt::format("context '{}' of {}", context, entry.path);
  const std::string cluster_name = fields.Text("cluster"), user_name = fields.Text("user");
  RETURN_IF_ERROR(fields.status());
  ASSIGN_OR_RETURN(const Entry cluster, files.Named("clusters", "cluster", cluster_name));
  RETURN_IF_ERROR(ReadCluster(cluster, cluster_name, access));
  if (user_name.empty()) return access;
  ASSIGN_OR_RETURN(const Entry user, files.Named("users", "user", user_name));
  RETURN_IF_ERROR(ReadUser(user, user_name, access.user));
  return access;
}

}  // namespace

absl::StatusOr<ClusterAccess> ParseKubeconfig(std::string_view text, const std::string& path,
                                              const std::string& context) {
  Files files;
  RETURN_IF_ERROR(files.Add(text, path));
  return AccessOf(files, context);
}

absl::StatusOr<ClusterAccess> ReadKubeconfig(const std::string& path, const std::string& context) {
  Files files;
  bool found = false;
  for (const std::string_view part : Split(path, ':')) {
    if (part.empty()) continue;
    const std::string one(part);
    // Of several, those that are not there do not count, as for kubectl.
    const bool several = path.find(':') != std::string::npos;
    if (several && !FileExists(one)) continue;
    const auto text = ReadSmallFile(one);
    if (!text.ok()) {
      return Error(absl::StatusCode::kNotFound, "KUBECONFIG_MISSING")
          .Field("kubeconfig", one)
          .Says("cannot read the kubeconfig: {}", MessageOf(text.status()));
    }
    RETURN_IF_ERROR(files.Add(*text, one));
    found = true;
  }
  if (found) return AccessOf(files, context);
  return Error(absl::StatusCode::kNotFound, "KUBECONFIG_MISSING")
      .Field("kubeconfig", path)
      .Says("there is no kubeconfig at {}", path);
}

}  // namespace forebay::worker
