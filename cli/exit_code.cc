#include "cli/exit_code.h"

#include <map>
#include <string>
#include <string_view>

#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::cli {

int ExitCodeOf(const absl::Status& status) {
  static const std::map<std::string, int, std::less<>> by_reason = {
      {kServerUnreachable, kExitUnreachable},
      {kWaitTimedOut, kExitWaitTimedOut},
      {kRunFailed, kExitRunFailed},
      {kRunCrashed, kExitRunCrashed},
  };
  if (const auto found = by_reason.find(ReasonOf(status)); found != by_reason.end())
    return found->second;
  if (const auto detail = DetailOf(status); detail.has_value() && detail->reason == kChildEnded) {
    return static_cast<int>(ParseInt(detail->metadata.at("exit_code")).value_or(kExitError));
  }
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return kExitUsage;
    case absl::StatusCode::kNotFound:
      return kExitNotFound;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return kExitDenied;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
      return kExitConflict;
    default:
      return kExitError;
  }
}

}  // namespace forebay::cli
