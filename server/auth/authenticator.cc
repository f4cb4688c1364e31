#include "server/auth/authenticator.h"
#include "common/base/status.h"

#include <memory>

#include "common/crypto/token.h"
#include "server/auth/credentials.h"

namespace forebay::server {
namespace {

constexpr absl::Duration kRememberFor = absl::Seconds(3);
// More distinct live credentials than this in 3 s: start over rather than grow.
constexpr size_t kMostRemembered = 100'000;

absl::Status Invalid(std::string_view why) {
  return Error(absl::StatusCode::kUnauthenticated, "CREDENTIAL_INVALID")
      .Next("forebay config show")
      .Says("the key of this call is {}", why);
}

}  // namespace

void Authenticator::Authenticate(std::string_view authorization, Done done) {
  if (authorization.empty()) return done(Caller{});
  constexpr std::string_view kScheme = "Bearer ";
  if (authorization.substr(0, kScheme.size()) != kScheme)
    return done(Invalid("not a bearer token"));
  const std::string_view token = authorization.substr(kScheme.size());
  const auto kind = ParseTokenKind(token);
  if (!kind.has_value() || *kind == TokenKind::kJoin)
    return done(Invalid("not a key of this server: it is malformed"));
  const std::string hash = HashToken(token);
  if (*kind == TokenKind::kTicket || *kind == TokenKind::kRun) {
    Caller caller;
    caller.kind = CallerKind::kRun;
    caller.token_hash = hash;
    return done(std::move(caller));
  }
  if (auto caller = Recall(hash)) return done(*std::move(caller));
  auto shared = std::make_shared<Done>(std::move(done));
  const absl::Status queued = executor_.Submit([this, hash, shared](Session& session) {
    auto found = FindCredential(session, hash);
    if (!found.ok()) return (*shared)(found.status());
    if (!found->has_value()) return (*shared)(Invalid("unknown, revoked or expired"));
    Remember(hash, **found);
    (*shared)(**found);
  });
  if (!queued.ok()) (*shared)(queued);
}

std::optional<Caller> Authenticator::Recall(const std::string& hash) {
  MutexLock lock(mutex_);
  const auto it = remembered_.find(hash);
  if (it == remembered_.end() || it->second.until <= clock_.Monotonic()) return std::nullopt;
  return it->second.caller;
}

void Authenticator::Remember(const std::string& hash, const Caller& caller) {
  MutexLock lock(mutex_);
  if (remembered_.size() >= kMostRemembered) remembered_.clear();
  remembered_[hash] = {caller, clock_.Monotonic() + kRememberFor};
}

void Authenticator::Forget(const std::string& hash) {
  MutexLock lock(mutex_);
  remembered_.erase(hash);
}

}  // namespace forebay::server
