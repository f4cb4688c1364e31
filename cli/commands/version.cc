#include <ostream>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "common/base/status.h"
#include "forebay/v1/server.pb.h"

namespace forebay::cli {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(2);

// The server's version is a courtesy: that there is none is no error.
std::string ServerVersion(Session& session) {
  const auto client = session.client();
  if (!client.ok()) return "";
  const auto response = (*client)->Call<v1::GetVersionResponse>(v1::GetVersionRequest(), kPatience);
  return response.ok() ? response->version() : "";
}

absl::Status Version(Session& session, const Arguments&) {
  const std::string server = ServerVersion(session);
  const auto profile = session.profile();
  const std::string address = profile.ok() ? profile->server : "";
  const Card card = {
      FOREBAY_VERSION,
      {{"forebay", FOREBAY_VERSION},
       {"server", server.empty() ? fmt::format("not reachable at {}", address)
                                 : fmt::format("{} at {}", server, address)}},
      Json{{"version", FOREBAY_VERSION}, {"server", address}, {"server_version", server}}};
  return AnswerCard(session, card);
}

}  // namespace

std::vector<Command> VersionCommands() {
  return {{"version",
           "Print the versions of the command line and the server",
           {},
           {},
           false,
           false,
           Version}};
}

}  // namespace forebay::cli
