#pragma once

// Which of the runs that are due may be granted now: the runs in the order in which they must
// start, each with the limited scopes of which it takes a slot, meet the slots that are left. A run
// that does not fit is passed over, so nobody waits behind one that cannot start. Pure.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/base/uuid.h"

namespace forebay::server {

// "pool", "queue", "deployment" or "named", and its id; ordered as counters are locked.
using SlotScope = std::pair<std::string, Uuid>;

// Only scopes with a limit; any other is unlimited. May be below 0 after a limit was lowered.
using SlotsLeft = std::map<SlotScope, int>;

// True for each that is admitted, in the order of `runs`. Takes their slots from `left`.
std::vector<bool> Admit(const std::vector<std::vector<SlotScope>>& runs, SlotsLeft& left);

}  // namespace forebay::server
