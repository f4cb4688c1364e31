#include "forebay/v1/token.pb.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "cli/pages.h"
#include "cli/values.h"
#include "common/base/status.h"

namespace forebay::cli {
namespace {

std::string KindText(const v1::Token& token) {
  const auto* value = v1::TokenKind_descriptor()->FindValueByNumber(token.kind());
  return value == nullptr ? "" : ShortEnumName(*value);
}

std::string StatusText(Session& session, const v1::Token& token) {
  if (token.has_revoke_time()) return "REVOKED";
  const bool expired =
      token.has_expire_time() && TimeOf(token.expire_time()) <= session.clock().Now();
  return expired ? "EXPIRED" : "VALID";
}

absl::Status List(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::ListTokensRequest request;
  request.set_include_revoked(arguments.Has("all"));
  Listing listing;
  listing.columns = {{"ID"},      {"KIND"},    {"ROLE"},      {"POOL"},          {"STATUS"},
                     {"CREATED"}, {"EXPIRES"}, {"LAST USED"}, {"CREATOR", true}, {"DESCRIPTION"}};
  RETURN_IF_ERROR(ForEachItem<v1::ListTokensResponse>(
      *client, request, kAllItems, [](const auto& page) { return page.tokens(); },
      [&](const v1::Token& token) {
        const std::string id = LastSegment(token.name());
        listing.rows.push_back(
            {id,
             {id, KindText(token), token.role(), LastSegment(token.work_pool()),
              StatusText(session, token), When(session, token.create_time()),
              When(session, token.expire_time()), When(session, token.last_use_time()),
              token.creator(), token.description()},
             ToJson(token)});
      }));
  return AnswerList(session, listing, "No tokens.");
}

absl::Status Create(Session& session, const Arguments& arguments) {
  v1::CreateUserKeyRequest request;
  request.set_role(arguments.Get("role"));
  request.set_description(arguments.Get("description"));
  if (arguments.Has("ttl")) {
    ASSIGN_OR_RETURN(const auto ttl, ParseDurationOption(arguments.Get("ttl"), "--ttl"));
    request.mutable_ttl()->set_seconds(absl::ToInt64Seconds(ttl));
  }
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::CreateUserKeyResponse>(request));
  const v1::Token& token = response.token();
  session.Say(fmt::format("Key {} with role {} created. It is shown this once:",
                          LastSegment(token.name()), token.role()));
  if (session.output().format == OutputFormat::kJson ||
      session.output().format == OutputFormat::kYaml) {
    return AnswerCard(session, {LastSegment(token.name()), {}, ToJson(response)});
  }
  session.out() << response.secret() << std::endl;
  return absl::OkStatus();
}

absl::Status Revoke(Session& session, const Arguments& arguments) {
  v1::RevokeTokenRequest request;
  request.set_name(TokenResource(arguments.Get("id")));
  ASSIGN_OR_RETURN(Client * client, session.client());
  RETURN_IF_ERROR(client->Call<v1::RevokeTokenResponse>(request).status());
  session.Say(fmt::format("Token {} revoked; every server refuses it within 5 seconds.",
                          LastSegment(request.name())));
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> TokenCommands() {
  return {
      {"token ls",
       "List keys and tokens",
       {},
       {{"--all", "", "Revoked ones too"}},
       false,
       false,
       List},
      {"token create",
       "Create a key for a person or a service",
       {},
       {{"--role",
         "ROLE",
         "What it may do",
         true,
         false,
         false,
         {"viewer", "runner", "deployer", "operator", "admin"}},
        {"--description", "TEXT", "Whose it is"},
        {"--ttl", "DURATION", "Expires after this; never without it"}},
       false,
       false,
       Create},
      {"token revoke", "End a key or token", {{"ID", "Id of the token"}}, {}, false, false, Revoke},
  };
}

}  // namespace forebay::cli
