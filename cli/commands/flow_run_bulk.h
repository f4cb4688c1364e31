#pragma once

// A change made to all runs that match a filter.

#include "absl/status/status.h"
#include "cli/command.h"
#include "cli/run_change.h"
#include "cli/session.h"

namespace forebay::cli {

// Reason of the error when some of several runs were refused; exit code 1.
inline constexpr char kRunsRefused[] = "RUNS_REFUSED";

// --filter, --all, --yes, --dry-run.
std::vector<Option> BulkOptions();

// Collects what matches, shows it, asks, then changes exactly those runs one by one; a run that
// refuses is counted and the rest goes on. Nothing matches: says so, OK. Without a terminal --yes
// is required. Anything but a refusal (server away, access denied) stops it.
absl::Status ChangeMatching(Session& session, const Arguments& arguments, const RunChange& change);

// The server refused this run; others may still be changed.
bool IsRefusal(const absl::Status& status);
absl::Status SomeRefused(int64_t refused, int64_t of, std::string_view done);

}  // namespace forebay::cli
