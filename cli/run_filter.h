#pragma once

// Which runs `flow-run ls` lists and the bulk commands change: conditions as people write them ->
// a request. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/command.h"
#include "forebay/v1/flow_run.pb.h"

namespace forebay::cli {

// One condition of a run, e.g. "state=late". All must hold; several states mean one of them.
struct RunCondition {
  std::string key;
  std::string value;
  // How it was written, for errors: "--state" or "--filter state".
  std::string where;
};

// Keys of --filter.
const std::vector<std::string>& RunFilterKeys();
// Words for the key `state`: the types of states, and "late".
std::vector<std::string> RunStateWords();

// "state=late,pool=x" -> its conditions. A comma ends a value. INVALID_ARGUMENT (USAGE) with the
// nearest key.
absl::StatusOr<std::vector<RunCondition>> SplitRunFilter(const std::string& text);
// Those of every --filter and of the options that RunFilterOptions describes.
absl::StatusOr<std::vector<RunCondition>> RunConditionsOf(const Arguments& arguments);
// --state, --deployment, … and --filter.
std::vector<Option> RunFilterOptions();

// INVALID_ARGUMENT (USAGE): a value that the key does not take, a key that is given twice and may
// not be, `state=late` beside another state, a queue without its pool. Ages are taken from `now`.
absl::StatusOr<v1::ListFlowRunsRequest> RunRequestOf(const std::vector<RunCondition>& conditions,
                                                     absl::Time now);

}  // namespace forebay::cli
