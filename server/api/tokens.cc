#include "common/base/status.h"
#include "common/base/text.h"
#include "forebay/v1/token.pb.h"
#include "server/api/handlers.h"
#include "server/api/messages.h"
#include "server/api/service_table.h"
#include "server/auth/credentials.h"
#include "server/store/snapshots.h"

namespace forebay::server {
namespace {

constexpr absl::Duration kJoinTtl = absl::Hours(1);
constexpr absl::Duration kMostJoinTtl = absl::Hours(24);

absl::StatusOr<v1::Token> ReadToken(Session& session, const Uuid& id) {
  ASSIGN_OR_RETURN(auto tokens, ListCredentials(session, id, std::nullopt, true, 1));
  if (!tokens.empty()) return tokens[0];
  return Error(absl::StatusCode::kNotFound, "TOKEN_NOT_FOUND")
      .Field("token", id.ToString())
      .Next("forebay token ls")
      .Says("token {} does not exist", id.ToString());
}

template <typename Response>
absl::StatusOr<Response> Issued(Session& session, const IssuedCredential& issued) {
  Response response;
  response.set_secret(issued.secret);
  ASSIGN_OR_RETURN(*response.mutable_token(), ReadToken(session, issued.id));
  return response;
}

absl::StatusOr<NewCredential> ForPool(Backend& backend, Session& session, const Caller& caller,
                                      TokenKind kind, const std::string& pool_name) {
  ASSIGN_OR_RETURN(const std::string name, PoolNameOf(pool_name, "work_pool"));
  ASSIGN_OR_RETURN(const auto pool, backend.snapshots.PoolByName(session, name));
  NewCredential wanted;
  wanted.kind = kind;
  wanted.pool = pool->id;
  wanted.user = caller.user;
  wanted.team = caller.team;
  return wanted;
}

absl::StatusOr<v1::CreateUserKeyResponse> CreateUserKey(Backend& backend, Session& session,
                                                        const Caller& caller,
                                                        const v1::CreateUserKeyRequest& request) {
  if (LevelOfRole(request.role()) == v1::ACCESS_UNSPECIFIED) {
    return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_ROLE")
        .Field("role", request.role())
        .With("allowed", "viewer, runner, deployer, operator, admin")
        .Says("'{}' is not a role; known are viewer, runner, deployer, operator, admin",
              request.role());
  }
  NewCredential wanted;
  wanted.description = request.description();
  wanted.role = request.role();
  wanted.user = caller.user;
  wanted.team = caller.team;
  if (request.has_ttl()) wanted.ttl = FromProto(request.ttl());
  ASSIGN_OR_RETURN(const auto issued,
                   IssueCredential(session, backend.ids, backend.random, wanted));
  return Issued<v1::CreateUserKeyResponse>(session, issued);
}

absl::StatusOr<v1::CreateWorkerKeyResponse> CreateWorkerKey(
    Backend& backend, Session& session, const Caller& caller,
    const v1::CreateWorkerKeyRequest& request) {
  ASSIGN_OR_RETURN(NewCredential wanted,
                   ForPool(backend, session, caller, TokenKind::kWorker, request.work_pool()));
  wanted.description = request.description();
  ASSIGN_OR_RETURN(const auto issued,
                   IssueCredential(session, backend.ids, backend.random, wanted));
  return Issued<v1::CreateWorkerKeyResponse>(session, issued);
}

absl::StatusOr<v1::CreateJoinTokenResponse> CreateJoinToken(
    Backend& backend, Session& session, const Caller& caller,
    const v1::CreateJoinTokenRequest& request) {
  ASSIGN_OR_RETURN(NewCredential wanted,
                   ForPool(backend, session, caller, TokenKind::kJoin, request.work_pool()));
  wanted.ttl = request.has_ttl() ? FromProto(request.ttl()) : kJoinTtl;
  if (*wanted.ttl <= absl::ZeroDuration() || *wanted.ttl > kMostJoinTtl) {
    return Error(absl::StatusCode::kInvalidArgument, "OUT_OF_RANGE")
        .Field("ttl", absl::FormatDuration(*wanted.ttl))
        .Says("ttl is {}; it must be above 0 and at most {}", absl::FormatDuration(*wanted.ttl),
              absl::FormatDuration(kMostJoinTtl));
  }
  ASSIGN_OR_RETURN(const auto issued,
                   IssueCredential(session, backend.ids, backend.random, wanted));
  return Issued<v1::CreateJoinTokenResponse>(session, issued);
}

absl::StatusOr<v1::ExchangeJoinTokenResponse> Exchange(
    Backend& backend, Session& session, const Caller&,
    const v1::ExchangeJoinTokenRequest& request) {
  ASSIGN_OR_RETURN(const auto issued,
                   ExchangeJoinToken(session, backend.ids, backend.random, request.join_token(),
                                     request.description()));
  return Issued<v1::ExchangeJoinTokenResponse>(session, issued);
}

absl::StatusOr<v1::ListTokensResponse> List(Session& session, const Caller&,
                                            const v1::ListTokensRequest& request) {
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const auto after, ReadPageToken(request.page_token()));
  std::optional<Uuid> last;
  if (after.has_value()) {
    ASSIGN_OR_RETURN(last, IdOf(*after, "tokens", "page_token"));
  }
  ASSIGN_OR_RETURN(auto tokens, ListCredentials(session, std::nullopt, last,
                                                request.include_revoked(), size + 1));
  v1::ListTokensResponse response;
  if (const auto* final = FillPage(std::move(tokens), size, *response.mutable_tokens())) {
    response.set_next_page_token(MakePageToken(final->name()));
  }
  return response;
}

absl::StatusOr<v1::RevokeTokenResponse> Revoke(Backend& backend, Session& session, const Caller&,
                                               const v1::RevokeTokenRequest& request) {
  ASSIGN_OR_RETURN(const Uuid id, IdOf(request.name(), "tokens", "name"));
  RETURN_IF_ERROR(ReadToken(session, id).status());
  ASSIGN_OR_RETURN(const auto hash, RevokeCredential(session, id));
  if (hash.has_value()) backend.authenticator.Forget(*hash);
  v1::RevokeTokenResponse response;
  ASSIGN_OR_RETURN(*response.mutable_token(), ReadToken(session, id));
  return response;
}

}  // namespace

void RegisterTokens(ServiceTable& table, Backend& backend) {
  using namespace v1;  // NOLINT(google-build-using-namespace)
  table.Blocking<GetCurrentTokenRequest, GetCurrentTokenResponse>(
      "TokenService.GetCurrentToken",
      [](Session& s, const Caller& c, const auto&) -> absl::StatusOr<GetCurrentTokenResponse> {
        GetCurrentTokenResponse response;
        ASSIGN_OR_RETURN(*response.mutable_token(), ReadToken(s, c.credential));
        return response;
      });
  table.Blocking<CreateUserKeyRequest, CreateUserKeyResponse>(
      "TokenService.CreateUserKey", [&backend](Session& s, const Caller& c, const auto& r) {
        return CreateUserKey(backend, s, c, r);
      });
  table.Blocking<CreateWorkerKeyRequest, CreateWorkerKeyResponse>(
      "TokenService.CreateWorkerKey", [&backend](Session& s, const Caller& c, const auto& r) {
        return CreateWorkerKey(backend, s, c, r);
      });
  table.Blocking<CreateJoinTokenRequest, CreateJoinTokenResponse>(
      "TokenService.CreateJoinToken", [&backend](Session& s, const Caller& c, const auto& r) {
        return CreateJoinToken(backend, s, c, r);
      });
  table.Blocking<ExchangeJoinTokenRequest, ExchangeJoinTokenResponse>(
      "TokenService.ExchangeJoinToken", [&backend](Session& s, const Caller& c, const auto& r) {
        return Exchange(backend, s, c, r);
      });
  table.Blocking<ListTokensRequest, ListTokensResponse>("TokenService.ListTokens", List);
  table.Blocking<RevokeTokenRequest, RevokeTokenResponse>(
      "TokenService.RevokeToken",
      [&backend](Session& s, const Caller& c, const auto& r) { return Revoke(backend, s, c, r); });
}

}  // namespace forebay::server
