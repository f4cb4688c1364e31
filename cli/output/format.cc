#include "cli/output/format.h"

#include <fmt/format.h>

#include <map>

namespace forebay::cli {
namespace {

std::string_view Sequence(Color color) {
  switch (color) {
    case Color::kBold:
      return "\033[1m";
    case Color::kDim:
      return "\033[2m";
    case Color::kRed:
      return "\033[31m";
    case Color::kGreen:
      return "\033[32m";
    case Color::kYellow:
      return "\033[33m";
    case Color::kBlue:
      return "\033[34m";
    case Color::kMagenta:
      return "\033[35m";
    case Color::kNone:
      break;
  }
  return "";
}

// One unit is enough for a glance: "3 min", "2 h", "5 d".
std::string Coarse(absl::Duration duration) {
  const int64_t seconds = absl::ToInt64Seconds(duration);
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < int64_t{2} * 3600) return fmt::format("{} min", seconds / 60);
  if (seconds < int64_t{2} * 86400) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86400);
}

bool ContinuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

std::string Colored(std::string_view text, Color color, bool enabled) {
  if (!enabled || color == Color::kNone) return std::string(text);
  return fmt::format("{}{}\033[0m", Sequence(color), text);
}

Color StateColor(std::string_view state) {
  static const std::map<std::string_view, Color> colors = {
      {"COMPLETED", Color::kGreen},  {"READY", Color::kGreen},       {"ONLINE", Color::kGreen},
      {"RUNNING", Color::kBlue},     {"PENDING", Color::kBlue},      {"SCHEDULED", Color::kYellow},
      {"PAUSED", Color::kYellow},    {"CANCELLING", Color::kYellow}, {"DRAINING", Color::kYellow},
      {"NOT_READY", Color::kYellow}, {"FAILED", Color::kRed},        {"CRASHED", Color::kMagenta},
      {"CANCELLED", Color::kDim},    {"OFFLINE", Color::kDim},       {"ACTIVE", Color::kGreen},
      {"LATE", Color::kYellow},
  };
  const auto found = colors.find(state);
  return found == colors.end() ? Color::kNone : found->second;
}

std::string FormatTime(absl::Time time, absl::Time now, TimeStyle style) {
  if (time == absl::UnixEpoch()) return "";
  if (style == TimeStyle::kIso)
    return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
  const absl::Duration ago = now - time;
  if (ago > -absl::Seconds(1) && ago < absl::Seconds(1)) return "now";
  return ago < absl::ZeroDuration() ? "in " + Coarse(-ago) : Coarse(ago) + " ago";
}

std::string DurationText(absl::Duration duration) {
  const int64_t ms = absl::ToInt64Milliseconds(duration);
  if (ms < 1000) return fmt::format("{} ms", ms);
  if (ms < 60'000) return fmt::format("{}.{} s", ms / 1000, ms % 1000 / 100);
  const int64_t seconds = ms / 1000;
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  for (const char c : text) width += ContinuesCharacter(c) ? 0 : 1;
  return width;
}

std::string Shortened(std::string_view text, size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  size_t bytes = 0;
  for (size_t shown = 0; bytes < text.size(); ++bytes) {
    if (!ContinuesCharacter(text[bytes]) && shown++ + 1 >= width) break;
  }
  return std::string(text.substr(0, bytes)) + (width > 0 ? "…" : "");
}

}  // namespace forebay::cli
