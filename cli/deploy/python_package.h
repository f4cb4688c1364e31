#pragma once

// The Python package, asked through the user's interpreter (FOREBAY_PYTHON, else python3).

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/json/json.h"

namespace forebay::cli {

// Runs `python -m forebay WORDS…` in `directory` (empty: here) with `input` as its standard input
// and returns the object that it prints. What it says meanwhile, progress included, goes to
// standard error. INVALID_ARGUMENT with the reason and the next command of the package's own
// errors; FAILED_PRECONDITION (PYTHON_PACKAGE_MISSING).
absl::StatusOr<Json> AskPython(const std::vector<std::string>& words, const std::string& directory,
                               std::string_view input = "");

// Becomes `python -m forebay WORDS…`; returns only on failure.
absl::Status BecomePython(const std::vector<std::string>& words);

}  // namespace forebay::cli
