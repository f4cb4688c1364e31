#include "server/store/concurrency_limits.h"

#include <array>

#include "common/base/status.h"
#include "server/api/handlers.h"
#include "server/api/messages.h"
#include "server/api/service_table.h"

namespace forebay::server {
namespace {

constexpr std::array<std::string_view, 3> kUpdatable = {"description", "slots", "decay_per_second"};

absl::StatusOr<v1::CreateConcurrencyLimitResponse> Create(
    Backend& backend, Session& session, const Caller& caller,
    const v1::CreateConcurrencyLimitRequest& request) {
  const v1::ConcurrencyLimit& limit = request.concurrency_limit();
  ASSIGN_OR_RETURN(const std::string name, LimitNameOf(limit.name(), "name"));
  RETURN_IF_ERROR(CheckLimit(limit));
  RETURN_IF_ERROR(InsertLimit(session, caller, backend.ids.Next(), limit, name));
  v1::CreateConcurrencyLimitResponse response;
  ASSIGN_OR_RETURN(*response.mutable_concurrency_limit(), ReadLimit(session, caller.team, name));
  return response;
}

absl::StatusOr<v1::GetConcurrencyLimitResponse> Get(Session& session, const Caller& caller,
                                                    const v1::GetConcurrencyLimitRequest& request) {
  ASSIGN_OR_RETURN(const std::string name, LimitNameOf(request.name(), "name"));
  v1::GetConcurrencyLimitResponse response;
  ASSIGN_OR_RETURN(*response.mutable_concurrency_limit(), ReadLimit(session, caller.team, name));
  return response;
}

absl::StatusOr<v1::ListConcurrencyLimitsResponse> List(
    Session& session, const Caller& caller, const v1::ListConcurrencyLimitsRequest& request) {
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const auto after, ReadPageToken(request.page_token()));
  ASSIGN_OR_RETURN(auto limits, ListLimits(session, caller.team, std::nullopt, after, size + 1));
  v1::ListConcurrencyLimitsResponse response;
  if (const auto* last =
          FillPage(std::move(limits), size, *response.mutable_concurrency_limits())) {
    ASSIGN_OR_RETURN(const std::string key, LimitNameOf(last->name(), "name"));
    response.set_next_page_token(MakePageToken(key));
  }
  return response;
}

absl::StatusOr<v1::UpdateConcurrencyLimitResponse> Update(
    Backend& backend, Session& session, const Caller& caller,
    const v1::UpdateConcurrencyLimitRequest& request) {
  const v1::ConcurrencyLimit& limit = request.concurrency_limit();
  ASSIGN_OR_RETURN(const std::string name, LimitNameOf(limit.name(), "name"));
  RETURN_IF_ERROR(CheckLimit(limit));
  ASSIGN_OR_RETURN(const UpdateMask mask,
                   UpdateMask::Parse(request.update_mask(), kUpdatable, "a concurrency limit"));
  ASSIGN_OR_RETURN(const Uuid id, FindLimit(session, caller.team, name));
  RETURN_IF_ERROR(UpdateLimit(session, id, limit, mask));
  ASSIGN_OR_RETURN(const auto pools, PoolsOfLimit(session, id));
  for (const Uuid& pool : pools) backend.signals.WorkReady(pool);
  v1::UpdateConcurrencyLimitResponse response;
  ASSIGN_OR_RETURN(*response.mutable_concurrency_limit(), ReadLimit(session, caller.team, name));
  return response;
}

absl::StatusOr<v1::DeleteConcurrencyLimitResponse> Delete(
    Session& session, const Caller& caller, const v1::DeleteConcurrencyLimitRequest& request) {
  ASSIGN_OR_RETURN(const std::string name, LimitNameOf(request.name(), "name"));
  ASSIGN_OR_RETURN(const Uuid id, FindLimit(session, caller.team, name));
  RETURN_IF_ERROR(DeleteLimit(session, id, name));
  return v1::DeleteConcurrencyLimitResponse();
}

}  // namespace

void RegisterConcurrencyLimits(ServiceTable& table, Backend& backend) {
  using namespace v1;  // NOLINT(google-build-using-namespace)
  table.Blocking<CreateConcurrencyLimitRequest, CreateConcurrencyLimitResponse>(
      "ConcurrencyLimitService.CreateConcurrencyLimit",
      [&backend](Session& s, const Caller& c, const auto& r) { return Create(backend, s, c, r); });
  table.Blocking<GetConcurrencyLimitRequest, GetConcurrencyLimitResponse>(
      "ConcurrencyLimitService.GetConcurrencyLimit", Get);
  table.Blocking<ListConcurrencyLimitsRequest, ListConcurrencyLimitsResponse>(
      "ConcurrencyLimitService.ListConcurrencyLimits", List);
  table.Blocking<UpdateConcurrencyLimitRequest, UpdateConcurrencyLimitResponse>(
      "ConcurrencyLimitService.UpdateConcurrencyLimit",
      [&backend](Session& s, const Caller& c, const auto& r) { return Update(backend, s, c, r); });
  table.Blocking<DeleteConcurrencyLimitRequest, DeleteConcurrencyLimitResponse>(
      "ConcurrencyLimitService.DeleteConcurrencyLimit", Delete);
}

}  // namespace forebay::server
