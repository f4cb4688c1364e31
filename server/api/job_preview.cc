#include "server/api/handlers.h"
#include "server/api/service_table.h"
#include "server/policy/policy_check.h"

namespace forebay::server {

void RegisterJobPreviews(ServiceTable& table, Backend& backend) {
  using namespace v1;  // NOLINT(google-build-using-namespace)
  table.Blocking<RenderJobRequest, RenderJobResponse>(
      "WorkPoolService.RenderJob", [&backend](Session& s, const Caller& c, const auto& r) {
        return RenderJob(s, backend.snapshots, c, r);
      });
  table.Blocking<CheckPolicyRequest, CheckPolicyResponse>(
      "WorkPoolService.CheckPolicy", [&backend](Session& s, const Caller& c, const auto& r) {
        return CheckPolicy(s, backend.snapshots, c, r);
      });
}

}  // namespace forebay::server
