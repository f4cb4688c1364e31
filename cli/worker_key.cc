#include "cli/worker_key.h"

#include <unistd.h>

#include "cli/names.h"
#include "cli/private_file.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/sha256.h"
#include "common/os/files.h"
#include "forebay/v1/token.pb.h"
#include "forebay/v1/worker_protocol.pb.h"

namespace forebay::cli {
namespace {

namespace fs = std::filesystem;

// Any call of the worker protocol tells a wrong key from a right one; this one changes nothing.
bool IsAccepted(const Profile& profile, const std::string& tls_ca_pem, const std::string& key) {
  Client client({profile.server, key, tls_ca_pem});
  const auto answer = client.Call<v1::HeartbeatResponse>(v1::HeartbeatRequest());
  return answer.status().code() != absl::StatusCode::kUnauthenticated;
}

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "unknown host";
}

}  // namespace

fs::path WorkerKeyPath(const Session& session, const std::string& server, const std::string& pool) {
  const std::string hash = HexEncode(Sha256(server)).substr(0, 16);
  return session.config_directory() / "workers" / hash / (LastSegment(pool) + ".key");
}

absl::StatusOr<fs::path> EnsureWorkerKey(Session& session, const std::string& pool, bool fresh) {
  ASSIGN_OR_RETURN(const Profile profile, session.profile());
  const fs::path path = WorkerKeyPath(session, profile.server, pool);
  std::error_code error;
  if (!fresh && fs::exists(path, error)) {
    std::string ca;
    if (!profile.tls_ca_file.empty()) {
      ASSIGN_OR_RETURN(ca, ReadSmallFile(profile.tls_ca_file));
    }
    ASSIGN_OR_RETURN(const std::string key, ReadKeyFile(path));
    if (IsAccepted(profile, ca, key)) return path;
  }
  v1::CreateWorkerKeyRequest request;
  request.set_work_pool(PoolResource(pool));
  request.set_description(fmt::format("worker started on {}", HostName()));
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::CreateWorkerKeyResponse>(request));
  RETURN_IF_ERROR(WritePrivateFile(path, response.secret() + "\n"));
  return path;
}

}  // namespace forebay::cli
