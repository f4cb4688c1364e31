#include "common/rpc/server_list.h"

#include <algorithm>

#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay {
namespace {

bool IsHostAndPort(std::string_view entry) {
  const size_t colon = entry.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto port = ParseInt(entry.substr(colon + 1));
  return port.has_value() && *port > 0 && *port <= 65535 &&
         entry.find_first_of(" \t/") == std::string_view::npos;
}

absl::Status Invalid(std::string_view entry, std::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_SERVER")
      .Field("server", entry)
      .With("allowed", "host:port[,host:port…]")
      .Says("server '{}' {}", entry, why);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ParseServerList(std::string_view text) {
  std::vector<std::string> servers;
  for (const std::string_view part : Split(text, ',')) {
    const std::string entry(Trim(part));
    if (!IsHostAndPort(entry)) return Invalid(entry, "is not of the form host:port");
    if (std::find(servers.begin(), servers.end(), entry) == servers.end()) servers.push_back(entry);
  }
  if (servers.size() > kMostServers)
    return Invalid(servers[kMostServers], "is the 17th; 16 are taken");
  return servers;
}

bool ShareServer(std::string_view one, std::string_view other) {
  const auto known = Split(other, ',');
  for (const std::string_view server : Split(one, ',')) {
    const auto same = [&](std::string_view entry) { return Trim(entry) == Trim(server); };
    if (std::any_of(known.begin(), known.end(), same)) return true;
  }
  return false;
}

}  // namespace forebay
