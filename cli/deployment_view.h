#pragma once

// Deployments as people see them.

#include <string>
#include <vector>

#include "cli/output/listing.h"
#include "cli/session.h"
#include "forebay/v1/deployment.pb.h"

namespace forebay::cli {

// `named_limits` is shown for the concurrency limits that it names; empty: their names alone.
Card DeploymentCard(Session& session, const v1::Deployment& deployment,
                    const std::vector<std::string>& named_limits = {});
Listing DeploymentListing();
Row DeploymentRow(Session& session, const v1::Deployment& deployment);

}  // namespace forebay::cli
