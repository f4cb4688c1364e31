#include "server/auth/credentials.h"

#include <array>

#include "common/base/status.h"
#include "server/api/messages.h"
#include "server/db/queries.h"

namespace forebay::server {
namespace {

struct Role {
  std::string_view name;
  v1::Access level;
};
constexpr std::array kRoles = {Role{"viewer", v1::ACCESS_VIEWER}, Role{"runner", v1::ACCESS_RUNNER},
                               Role{"deployer", v1::ACCESS_DEPLOYER},
                               Role{"operator", v1::ACCESS_OPERATOR},
                               Role{"admin", v1::ACCESS_ADMIN}};

std::string_view KindName(TokenKind kind) {
  if (kind == TokenKind::kUser) return "user";
  return kind == TokenKind::kWorker ? "worker" : "join";
}

v1::Token ToToken(const Rows& rows, size_t row) {
  v1::Token token;
  token.set_name("tokens/" + std::string(rows.Text(row, 0)));
  const std::string_view kind = rows.Text(row, 1);
  token.set_kind(kind == "user"     ? v1::TOKEN_KIND_USER
                 : kind == "worker" ? v1::TOKEN_KIND_WORKER
                                    : v1::TOKEN_KIND_JOIN);
  token.set_description(std::string(rows.Text(row, 2)));
  token.set_role(std::string(rows.Text(row, 3)));
  if (!rows.IsNull(row, 4)) token.set_work_pool("workPools/" + std::string(rows.Text(row, 4)));
  SetTime(rows.OptionalTime(row, 5), [&] { return token.mutable_create_time(); });
  SetTime(rows.OptionalTime(row, 6), [&] { return token.mutable_expire_time(); });
  SetTime(rows.OptionalTime(row, 7), [&] { return token.mutable_last_use_time(); });
  SetTime(rows.OptionalTime(row, 8), [&] { return token.mutable_revoke_time(); });
  token.set_creator(std::string(rows.Text(row, 9)));
  return token;
}

}  // namespace

v1::Access LevelOfRole(std::string_view role) {
  for (const Role& known : kRoles) {
    if (known.name == role) return known.level;
  }
  return v1::ACCESS_UNSPECIFIED;
}

absl::StatusOr<IssuedCredential> IssueCredential(Session& session, UuidSource& ids, Random& random,
                                                 const NewCredential& wanted) {
  IssuedCredential issued{ids.Next(), MintToken(wanted.kind, random)};
  Args args;
  args.Id(issued.id)
      .Text(KindName(wanted.kind))
      .Bytes(HashToken(issued.secret))
      .Text(wanted.description);
  wanted.role.has_value() ? args.Text(*wanted.role) : args.Null();
  wanted.pool.has_value() ? args.Id(*wanted.pool) : args.Null();
  args.Id(wanted.user).Id(wanted.team);
  wanted.ttl.has_value() ? args.Int(absl::ToInt64Milliseconds(*wanted.ttl)) : args.Null();
  RETURN_IF_ERROR(session.Run(queries::kInsertCredential, args).status());
  return issued;
}

absl::StatusOr<std::optional<Caller>> FindCredential(Session& session, const std::string& hash) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kFindCredential, Args().Bytes(hash)));
  const bool usable =
      !rows.empty() && !rows.Bool(0, 7) && !rows.Bool(0, 8) && rows.Text(0, 1) != "join";
  if (!usable) return std::optional<Caller>();
  Caller caller;
  caller.kind = rows.Text(0, 1) == "user" ? CallerKind::kUser : CallerKind::kWorker;
  caller.credential = rows.Id(0, 0);
  caller.level = LevelOfRole(rows.Text(0, 2));
  caller.pool = rows.Id(0, 3);
  caller.user = rows.Id(0, 4);
  caller.team = rows.Id(0, 5);
  caller.user_name = rows.Text(0, 6);
  if (rows.Bool(0, 9)) {
    RETURN_IF_ERROR(session.Run(queries::kTouchCredential, Args().Id(caller.credential)).status());
  }
  return std::optional<Caller>(std::move(caller));
}

absl::StatusOr<IssuedCredential> ExchangeJoinToken(Session& session, UuidSource& ids,
                                                   Random& random, const std::string& join_token,
                                                   const std::string& description) {
  IssuedCredential issued;
  RETURN_IF_ERROR(InTransaction(session, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(Rows rows,
                     session.Run(queries::kTakeJoinToken, Args().Bytes(HashToken(join_token))));
    if (rows.empty()) {
      return Error(absl::StatusCode::kUnauthenticated, "JOIN_TOKEN_INVALID")
          .Next("forebay worker token --pool <pool>")
          .Says("this join token is unknown, used, revoked or expired; ask for a new one");
    }
    NewCredential key;
    key.kind = TokenKind::kWorker;
    key.description = description;
    key.pool = rows.Id(0, 0);
    key.user = rows.Id(0, 1);
    key.team = rows.Id(0, 2);
    ASSIGN_OR_RETURN(issued, IssueCredential(session, ids, random, key));
    return absl::OkStatus();
  }));
  return issued;
}

absl::StatusOr<std::vector<v1::Token>> ListCredentials(Session& session,
                                                       const std::optional<Uuid>& only,
                                                       const std::optional<Uuid>& after,
                                                       bool include_revoked, int limit) {
  Args args;
  only.has_value() ? args.Id(*only) : args.Null();
  after.has_value() ? args.Id(*after) : args.Null();
  args.Bool(include_revoked).Int(limit);
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kListCredentials, args));
  std::vector<v1::Token> tokens;
  for (size_t row = 0; row < rows.size(); ++row) tokens.push_back(ToToken(rows, row));
  return tokens;
}

absl::StatusOr<std::optional<std::string>> RevokeCredential(Session& session, const Uuid& id) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kRevokeCredential, Args().Id(id)));
  if (rows.empty()) return std::optional<std::string>();
  return std::optional<std::string>(rows.Bytes(0, 0));
}

}  // namespace forebay::server
