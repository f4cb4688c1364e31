#include "cli/failure.h"

#include "cli/exit_code.h"
#include "cli/output/format.h"
#include "common/base/status.h"

namespace forebay::cli {
namespace {

std::string NextCommand(const absl::Status& status) {
  const auto detail = DetailOf(status);
  if (detail.has_value()) {
    if (detail->reason == kServerUnreachable) return "forebay dev, or forebay server start";
    if (const auto next = detail->metadata.find("next"); next != detail->metadata.end())
      return next->second;
  }
  if (status.code() == absl::StatusCode::kUnauthenticated) return "forebay config show";
  return "";
}

}  // namespace

std::string DescribeFailure(const absl::Status& status, bool color) {
  std::string text =
      fmt::format("{} {}\n", Colored("error:", Color::kRed, color), MessageOf(status));
  const std::string next = NextCommand(status);
  if (!next.empty()) text += fmt::format("{} {}\n", Colored("next:", Color::kBold, color), next);
  return text;
}

}  // namespace forebay::cli
