#include "worker/session/credential.h"

#include <sys/stat.h>

#include <chrono>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/token.h"
#include "common/obs/log.h"
#include "common/os/files.h"
#include "common/rpc/status_wire.h"
#include "forebay/v1/token.grpc.pb.h"

namespace forebay::worker {
namespace {

constexpr size_t kMostKeyBytes = 4096;
constexpr std::chrono::seconds kExchange{10};
constexpr char kHelp[] = "forebay worker start --help";

absl::Status CheckMode(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0 || (about.st_mode & 077) == 0) return absl::OkStatus();
  return Error(absl::StatusCode::kPermissionDenied, "KEY_FILE_UNSAFE")
      .Field("key_file", path)
      .Next(fmt::format("chmod 0600 {}", path))
      .Says("the key file '{}' can be read by others; its mode must be 0600", path);
}

absl::Status WrongKey(const std::string& path) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_KEY")
      .Field("key_file", path)
      .Next(kHelp)
      .Says("the key file '{}' holds neither a worker key (fbw_…) nor a join token (fbj_…)", path);
}

absl::StatusOr<std::string> Exchange(const std::string& token, const std::string& description,
                                     Endpoints& endpoints) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kExchange);
  v1::ExchangeJoinTokenRequest request;
  request.set_join_token(token);
  request.set_description(description);
  v1::ExchangeJoinTokenResponse response;
  const Endpoint endpoint = endpoints.Current();
  const grpc::Status status =
      v1::TokenService::NewStub(endpoint.channel)->ExchangeJoinToken(&context, request, &response);
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) endpoints.Failed(endpoint.index);
  if (!status.ok()) return Annotate(FromGrpc(status), "the join token was not exchanged");
  return response.secret();
}

}  // namespace

absl::StatusOr<std::string> ReadKey(const std::string& path) {
  RETURN_IF_ERROR(CheckMode(path));
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path, kMostKeyBytes));
  const std::string key(Trim(text));
  const auto kind = ParseTokenKind(key);
  if (kind != TokenKind::kWorker && kind != TokenKind::kJoin) return WrongKey(path);
  return key;
}

absl::StatusOr<std::string> ObtainKey(const std::string& path, const std::string& description,
                                      Endpoints& endpoints) {
  ASSIGN_OR_RETURN(std::string key, ReadKey(path));
  if (ParseTokenKind(key) == TokenKind::kWorker) return key;
  ASSIGN_OR_RETURN(const std::string worker_key, Exchange(key, description, endpoints));
  RETURN_IF_ERROR(WriteFileAtomically(path, worker_key + "\n", {.mode = 0600, .durable = true}));
  spdlog::info("the join token in {} was exchanged for a worker key", path);
  return worker_key;
}

}  // namespace forebay::worker
