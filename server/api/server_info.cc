#include "common/base/status.h"
#include "forebay/v1/server.pb.h"
#include "server/api/handlers.h"
#include "server/api/messages.h"
#include "server/api/service_table.h"
#include "server/db/queries.h"

namespace forebay::server {
namespace {

absl::StatusOr<v1::GetServerStatusResponse> Status(Backend& backend, Session& session,
                                                   const Caller&,
                                                   const v1::GetServerStatusRequest&) {
  const absl::Duration before = backend.clock.Monotonic();
  ASSIGN_OR_RETURN(Rows facts, session.Run(queries::kDatabaseFacts, {}));
  v1::GetServerStatusResponse response;
  response.set_version(FOREBAY_VERSION);
  response.set_server_id(backend.server_id.ToString());
  ToProto(backend.start_time, *response.mutable_start_time());
  response.set_database_version(std::string(facts.Text(0, 0)));
  response.set_schema_version(static_cast<int>(facts.Int(0, 1)));
  response.set_private_database(backend.private_database);
  response.set_database_round_trip_micros(
      absl::ToInt64Microseconds(backend.clock.Monotonic() - before));
  response.set_parked_polls(static_cast<int64_t>(backend.parking.size()));
  return response;
}

}  // namespace

void RegisterServerInfo(ServiceTable& table, Backend& backend) {
  table.Async<v1::GetVersionRequest, v1::GetVersionResponse>(
      "ServerService.GetVersion", [&backend](const Caller&, const auto&, auto respond) {
        v1::GetVersionResponse response;
        response.set_version(FOREBAY_VERSION);
        response.set_api_version("v1");
        response.set_http_url(backend.http_url);
        respond(std::move(response));
      });
  table.Blocking<v1::GetServerStatusRequest, v1::GetServerStatusResponse>(
      "ServerService.GetServerStatus",
      [&backend](Session& s, const Caller& c, const auto& r) { return Status(backend, s, c, r); });
}

}  // namespace forebay::server
