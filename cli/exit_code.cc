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
  return forebay::ExitCodeOf(status);
}

}  // namespace forebay::cli
