#include "worker/launch/kubernetes/api/credentials.h"

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/os/files.h"

namespace forebay::worker {
namespace {

absl::StatusOr<std::string> ReadCredential(const std::string& file) {
  auto text = ReadSmallFile(file);
  if (text.ok()) return text;
  return Error(absl::StatusCode::kFailedPrecondition, "CREDENTIAL_UNREADABLE")
      .With("path", file)
      .Says("cannot read a credential for the cluster: {}", MessageOf(text.status()));
}

}  // namespace

absl::StatusOr<std::string> ReadPem(const PemSource& source) {
  if (source.file.empty()) return source.pem;
  return ReadCredential(source.file);
}

Credentials::Credentials(const ClusterAccess& access, const Clock& clock) : user_(access.user) {
  if (user_.exec.has_value()) {
    plugin_ = std::make_unique<ExecPlugin>(*user_.exec, access, clock);
  }
}

absl::StatusOr<Credential> Credentials::Current() {
  Credential credential;
  ASSIGN_OR_RETURN(credential.certificate_pem, ReadPem(user_.certificate));
  ASSIGN_OR_RETURN(credential.key_pem, ReadPem(user_.key));
  credential.bearer_token = user_.token;
  if (!user_.token_file.empty()) {
    ASSIGN_OR_RETURN(const std::string token, ReadCredential(user_.token_file));
    credential.bearer_token = Trim(token);
  }
  if (plugin_ == nullptr) return credential;
  ASSIGN_OR_RETURN(const ExecCredential given, plugin_->Get());
  if (!given.token.empty()) credential.bearer_token = given.token;
  if (given.key_pem.empty()) return credential;
  credential.certificate_pem = given.certificate_pem;
  credential.key_pem = given.key_pem;
  return credential;
}

bool Credentials::Refused() {
  if (plugin_ != nullptr) plugin_->Forget();
  return plugin_ != nullptr || !user_.token_file.empty() || !user_.certificate.file.empty();
}

}  // namespace forebay::worker
