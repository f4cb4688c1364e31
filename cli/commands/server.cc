#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/output/proto_json.h"
#include "cli/process.h"
#include "common/base/status.h"
#include "forebay/v1/server.pb.h"

namespace forebay::cli {
namespace {

absl::Status Start(Session&, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string program, FindProgram("forebay-server"));
  return Exec(program, arguments.command());
}

absl::Status Status(Session& session, const Arguments&) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto status,
                   client->Call<v1::GetServerStatusResponse>(v1::GetServerStatusRequest()));
  const std::string database = fmt::format("PostgreSQL {}{}", status.database_version(),
                                           status.private_database() ? " (private)" : "");
  return AnswerCard(
      session, {client->server(),
                {{"Server", client->server()},
                 {"Version", status.version()},
                 {"Started", When(session, status.start_time())},
                 {"Server id", status.server_id()},
                 {"Database", database},
                 {"Schema version", std::to_string(status.schema_version())},
                 {"Database round trip", fmt::format("{} µs", status.database_round_trip_micros())},
                 {"Parked polls", std::to_string(status.parked_polls())}},
                ToJson(status)});
}

}  // namespace

std::vector<Command> ServerCommands() {
  return {
      {"server start",
       "Run the server here; its flags follow (forebay server start --help)",
       {},
       {},
       false,
       false,
       Start,
       true},
      {"server status", "Show how the server is", {}, {}, false, false, Status},
  };
}

}  // namespace forebay::cli
