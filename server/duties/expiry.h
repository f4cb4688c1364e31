#pragma once

// Ends what time has ended: leases of silent workers, attempts that were not begun in time,
// attempts that nobody hears of, attempts that run longer than they may. After a start of this
// server or an outage of the database nothing is expired for a while: the workers could not beat,
// so their silence says nothing.

#include <memory>

#include "server/claim/signals.h"
#include "server/duties/duty.h"

namespace forebay::server {

std::unique_ptr<Duty> MakeExpiryDuty(Signals& signals);

}  // namespace forebay::server
