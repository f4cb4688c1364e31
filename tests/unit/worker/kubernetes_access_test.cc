// How a worker finds its cluster and what it shows there.

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/os/files.h"
#include "tests/conformance/scratch.h"
#include "tests/support/catch.h"
#include "tests/support/fake_clock.h"
#include "worker/launch/kubernetes/api/credentials.h"
#include "worker/launch/kubernetes/api/in_cluster.h"
#include "worker/launch/kubernetes/api/kubeconfig.h"

namespace forebay::worker {
namespace {

constexpr char kPath[] = "/home/me/.kube/config";

// One context, cluster and user; the lines are of the cluster and of the user.
std::string Kubeconfig(const std::string& cluster, const std::string& user) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: prod\n"
         "contexts: [{name: prod, context: {cluster: c, user: u, namespace: team-a}}]\n"
         "clusters: [{name: c, cluster: {" +
         cluster + "}}]\nusers: [{name: u, user: {" + user + "}}]\n";
}

constexpr char kServer[] = "server: 'https://10.0.0.1:6443/'";

absl::StatusOr<ClusterAccess> Parse(const std::string& cluster, const std::string& user) {
  return ParseKubeconfig(Kubeconfig(cluster, user), kPath, "");
}

std::string FieldOf(const absl::Status& status) { return DetailOf(status)->metadata["field"]; }

TEST_CASE("a context leads to its cluster, its user and its namespace", "[kubernetes]") {
  const auto access = Parse(
      std::string(kServer) + ", certificate-authority-data: Q0E=, tls-server-name: api.example",
      "client-certificate: certs/me.pem, client-key-data: S0VZ, token: t");
  REQUIRE(access.ok());
  CHECK(access->server == "https://10.0.0.1:6443");
  CHECK(access->authority.pem == "CA");
  CHECK(access->tls_server_name == "api.example");
  CHECK(access->name_space == "team-a");
  CHECK(access->user.certificate.file == "/home/me/.kube/certs/me.pem");
  CHECK(access->user.key.pem == "KEY");
  CHECK(access->user.token == "t");
  CHECK(access->source == "context 'prod' of /home/me/.kube/config");
}

TEST_CASE("without a namespace it is the default one", "[kubernetes]") {
  const auto access = ParseKubeconfig(
      "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\n"
      "clusters: [{name: c, cluster: {server: 'https://h'}}]\n",
      kPath, "");
  REQUIRE(access.ok());
  CHECK(access->name_space == "default");
  CHECK(access->user.token.empty());
}

TEST_CASE("what this worker does not do is refused by its field", "[kubernetes]") {
  const std::string server = kServer;
  const std::tuple<std::string, std::string, const char*> refused[] = {
      {server + ", insecure-skip-tls-verify: true", "", "clusters.c.insecure-skip-tls-verify"},
      {server + ", proxy-url: 'http://p'", "", "clusters.c.proxy-url"},
      {"server: 'http://10.0.0.1'", "", "clusters.c.server"},
      {"server: ''", "", "clusters.c.server"},
      {server + ", certificate-authority-data: '*'", "", "clusters.c.certificate-authority-data"},
      {server, "username: me, password: x", "users.u.username"},
      {server, "auth-provider: {name: gcp}", "users.u.auth-provider"},
      {server, "as: admin", "users.u.as"},
      {server, "token: 12", "users.u.token"},
      {server, "client-certificate: a.pem", "users.u.client-key"},
      {server, "exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}",
       "users.u.exec.apiVersion"},
      {server, "exec: {apiVersion: client.authentication.k8s.io/v1}", "users.u.exec.command"},
      {server,
       "exec: {command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always}",
       "users.u.exec.interactiveMode"},
  };
  for (const auto& [cluster, user, field] : refused) {
    INFO(field);
    const auto access = Parse(cluster, user);
    CHECK(ReasonOf(access.status()) == "INVALID_KUBECONFIG");
    CHECK(FieldOf(access.status()) == field);
  }
}

TEST_CASE("plain http is for this host alone", "[kubernetes]") {
  for (const char* server : {"http://127.0.0.1:8001", "http://localhost:8001", "http://[::1]:1"}) {
    CHECK(Parse(std::string("server: '") + server + "'", "").ok());
  }
  CHECK_FALSE(Parse("server: 'http://127.0.0.1.example.com'", "").ok());
}

TEST_CASE("a context that is not there is answered with those that are", "[kubernetes]") {
  const auto access = ParseKubeconfig(Kubeconfig(kServer, ""), kPath, "prd");
  REQUIRE_FALSE(access.ok());
  CHECK(DetailOf(access.status())->metadata["nearest"] == "prod");
  CHECK(DetailOf(access.status())->metadata["allowed"] == "prod");
}

TEST_CASE("text that is no kubeconfig is refused with its place", "[kubernetes]") {
  const auto access = ParseKubeconfig("contexts: [", kPath, "");
  CHECK(ReasonOf(access.status()) == "INVALID_KUBECONFIG");
  CHECK(MessageOf(access.status()).find("line 1") != std::string_view::npos);
}

TEST_CASE("of several files the first that has a name counts", "[kubernetes]") {
  const Scratch scratch;
  const std::string one = scratch.File("one"), two = scratch.File("two");
  REQUIRE(WriteFileAtomically(one, "current-context: b\n").ok());
  REQUIRE(WriteFileAtomically(two,
                              "current-context: a\ncontexts: [{name: b, context: {cluster: c}}]\n"
                              "clusters: [{name: c, cluster: {server: 'https://two'}}]\n")
              .ok());
  const auto access = ReadKubeconfig(one + ":" + scratch.File("missing") + ":" + two, "");
  REQUIRE(access.ok());
  CHECK(access->server == "https://two");
  CHECK(ReasonOf(ReadKubeconfig(scratch.File("missing"), "").status()) == "KUBECONFIG_MISSING");
}

TEST_CASE("in a Pod the service account leads to the cluster, and its token rotates",
          "[kubernetes]") {
  const Scratch scratch;
  PodSurroundings pod;
  pod.account_directory = scratch.path();
  pod.host = "fd00::1";
  pod.port = "443";
  CHECK_FALSE(IsInCluster(pod));
  REQUIRE(WriteFileAtomically(scratch.File("token"), "first\n").ok());
  REQUIRE(WriteFileAtomically(scratch.File("namespace"), "jobs").ok());
  REQUIRE(IsInCluster(pod));
  const auto access = InClusterAccess(pod);
  REQUIRE(access.ok());
  CHECK(access->server == "https://[fd00::1]:443");
  CHECK(access->name_space == "jobs");
  FakeClock clock;
  Credentials credentials(*access, clock);
  CHECK(credentials.Current()->bearer_token == "first");
  REQUIRE(WriteFileAtomically(scratch.File("token"), "second\n").ok());
  CHECK(credentials.Current()->bearer_token == "second");
  REQUIRE(RemoveTree(scratch.File("token")).ok());
  CHECK(ReasonOf(credentials.Current().status()) == "CREDENTIAL_UNREADABLE");
}

// A program that counts how often it is run and prints what it is told to.
ExecSpec Program(const Scratch& scratch, const std::string& prints, const std::string& more = "") {
  const std::string path = scratch.File("plugin");
  REQUIRE(WriteFileAtomically(path,
                              "#!/bin/sh\necho run >> " + scratch.File("runs") + "\n" + more +
                                  "\ncat <<'END'\n" + prints + "\nEND\n",
                              {.mode = 0700})
              .ok());
  ExecSpec spec;
  spec.api_version = "client.authentication.k8s.io/v1";
  spec.command = path;
  return spec;
}

size_t Runs(const Scratch& scratch) {
  const auto text = ReadSmallFile(scratch.File("runs"));
  return text.ok() ? text->size() / 4 : 0;
}

std::string Credential(const std::string& status) {
  return R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":)" +
         status + "}";
}

TEST_CASE("what a credential program gives is kept until it expires", "[kubernetes]") {
  const Scratch scratch;
  FakeClock clock(absl::FromUnixSeconds(1'800'000'000));
  const std::string expires =
      absl::FormatTime(absl::RFC3339_full, clock.Now() + absl::Minutes(10), absl::UTCTimeZone());
  ExecPlugin plugin(
      Program(scratch, Credential(R"({"token":"t","expirationTimestamp":")" + expires + "\"}")), {},
      clock);
  CHECK(plugin.Get()->token == "t");
  CHECK(plugin.Get()->token == "t");
  CHECK(Runs(scratch) == 1);
  clock.Advance(absl::Minutes(10));
  CHECK(plugin.Get()->token == "t");
  CHECK(Runs(scratch) == 2);
  plugin.Forget();
  CHECK(plugin.Get().ok());
  CHECK(Runs(scratch) == 3);
}

TEST_CASE("a credential program is told what it needs, and its complaints do not spoil its answer",
          "[kubernetes]") {
  const Scratch scratch;
  FakeClock clock;
  ExecSpec spec = Program(
      scratch, Credential(R"({"token":"t"})"),
      "echo a warning >&2; echo \"$COLOUR $KUBERNETES_EXEC_INFO $1\" > " + scratch.File("told"));
  spec.env = {{"COLOUR", "blue"}};
  spec.args = {"argument"};
  spec.provide_cluster_info = true;
  ClusterAccess access;
  access.server = "https://10.0.0.1";
  ExecPlugin plugin(spec, access, clock);
  REQUIRE(plugin.Get().ok());
  const std::string told = *ReadSmallFile(scratch.File("told"));
  CHECK(told.starts_with("blue {\"apiVersion\":\"client.authentication.k8s.io/v1\""));
  CHECK(told.find("\"interactive\":false") != std::string::npos);
  CHECK(told.find("\"server\":\"https://10.0.0.1\"") != std::string::npos);
  CHECK(told.ends_with("} argument\n"));
}

TEST_CASE("why a credential program failed is told in its own words", "[kubernetes]") {
  FakeClock clock;
  const auto says = [&](const std::string& prints, const std::string& more) {
    const Scratch scratch;
    ExecSpec spec = Program(scratch, prints, more);
    spec.install_hint = "install it so";
    ExecPlugin plugin(spec, {}, clock);
    const absl::Status failed = plugin.Get().status();
    CHECK(ReasonOf(failed) == "CREDENTIAL_PLUGIN_FAILED");
    CHECK(MessageOf(failed).find("install it so") != std::string_view::npos);
    // Not run again at once.
    CHECK_FALSE(plugin.Get().ok());
    CHECK(Runs(scratch) == 1);
    return std::string(MessageOf(failed));
  };
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  CHECK(has(says("", "echo please log in >&2; exit 3"), "exit code 3: please log in"));
  CHECK(has(says("nonsense", ""), "not valid JSON"));
  CHECK(has(says(R"({"kind":"ExecCredential","apiVersion":"x"})", ""), "was asked for"));
  CHECK(has(says(Credential("{}"), ""), "neither a token nor a certificate"));
  CHECK(has(says(Credential(R"({"clientKeyData":"k"})"), ""), "without its certificate"));
  CHECK(has(says(Credential(R"({"token":"t","expirationTimestamp":"soon"})"), ""), "'soon'"));
}

}  // namespace
}  // namespace forebay::worker
