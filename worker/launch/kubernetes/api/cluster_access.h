#pragma once

// Where a cluster's API server is, how it proves who it is, and what it is shown. Values only.

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace forebay::worker {

// A program that is asked for credentials (client.authentication.k8s.io).
struct ExecSpec {
  // client.authentication.k8s.io/v1 or v1beta1.
  std::string api_version;
  // A path, or a name to be found in PATH.
  std::string command;
  std::vector<std::string> args;
  std::map<std::string, std::string> env;
  // How to get the program, for people.
  std::string install_hint;
  bool provide_cluster_info = false;
};

// PEM text, or the file that holds it, which may change.
struct PemSource {
  std::string pem;
  std::string file;
  bool empty() const { return pem.empty() && file.empty(); }
};

// What the API server is shown. At most one kind of token; a certificate may stand beside it.
struct UserAccess {
  PemSource certificate;
  PemSource key;
  std::string token;
  // Read anew for each call: it rotates. Wins over `token`.
  std::string token_file;
  std::optional<ExecSpec> exec;
};

struct ClusterAccess {
  // https://host:port[/path]; http only for a loopback address.
  std::string server;
  PemSource authority;
  // The name in the server's certificate, if it is not the one in `server`.
  std::string tls_server_name;
  // Of the context or the service account; "default" when none is given.
  std::string name_space;
  UserAccess user;
  // For people: "context 'prod' of /home/me/.kube/config", "the service account of this Pod".
  std::string source;
};

}  // namespace forebay::worker
