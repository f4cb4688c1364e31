#include "server/schedule/cron_field.h"

#include <fmt/format.h>

#include <optional>

#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::server {
namespace {

constexpr size_t kNameLength = 3;

bool IsWeekday(const CronFieldKind& kind) { return kind.most == kCronDayOfWeek.most; }

// How many different values there are; no step is longer.
int Values(const CronFieldKind& kind) {
  return IsWeekday(kind) ? kind.most - kind.least : kind.most - kind.least + 1;
}

std::string Allowed(const CronFieldKind& kind) {
  std::string text = fmt::format("{}-{}", kind.least, kind.most);
  if (!kind.names.empty()) {
    text += fmt::format(", {}-{}", kind.names.substr(0, kNameLength),
                        kind.names.substr(kind.names.size() - kNameLength));
  }
  return text + ", *, ranges (a-b), lists (a,b), steps (*/n)";
}

absl::Status Invalid(const CronFieldKind& kind, std::string_view value, std::string_view why) {
  const std::string allowed = Allowed(kind);
  const std::string shown = ToValidUtf8(value);
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_CRON")
      .Field(kind.name, shown)
      .With("allowed", allowed)
      .Says("cron {}: '{}' {}; allowed: {}", kind.name, shown, why, allowed);
}

std::optional<int> NameValue(const CronFieldKind& kind, std::string_view text) {
  if (text.size() != kNameLength) return std::nullopt;
  const std::string names = ToLower(kind.names);
  const std::string name = ToLower(text);
  for (size_t at = 0; at < names.size(); at += kNameLength) {
    if (names.compare(at, kNameLength, name) == 0) {
      return kind.least + static_cast<int>(at / kNameLength);
    }
  }
  return std::nullopt;
}

bool IsDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

absl::StatusOr<int> ParseValue(const CronFieldKind& kind, std::string_view text) {
  if (const auto named = NameValue(kind, text)) return *named;
  if (!IsDigits(text)) return Invalid(kind, text, text.empty() ? "is missing" : "is no value");
  const auto number = ParseInt(text);
  if (!number || *number < kind.least || *number > kind.most) {
    return Invalid(kind, text, "is out of range");
  }
  return static_cast<int>(*number);
}

absl::StatusOr<int> ParseStep(const CronFieldKind& kind, std::string_view item,
                              std::string_view text) {
  const auto step = IsDigits(text) ? ParseInt(text) : std::nullopt;
  if (!step || *step < 1) return Invalid(kind, item, "has a step that is no number above 0");
  if (*step > Values(kind)) return Invalid(kind, item, "has a step longer than the field");
  return static_cast<int>(*step);
}

// What stands before a slash: `*`, a value, or a range.
struct Range {
  int first = 0;
  int last = 0;
};

absl::StatusOr<Range> ParseRange(const CronFieldKind& kind, std::string_view text, bool open_end) {
  if (text == "*") return Range{kind.least, IsWeekday(kind) ? kind.most - 1 : kind.most};
  const size_t dash = text.find('-');
  ASSIGN_OR_RETURN(const int first, ParseValue(kind, text.substr(0, dash)));
  if (dash == std::string_view::npos) {
    return Range{first, open_end ? (IsWeekday(kind) ? kind.most - 1 : kind.most) : first};
  }
  ASSIGN_OR_RETURN(int last, ParseValue(kind, text.substr(dash + 1)));
  // FRI-SUN: a range that ends on Sunday.
  if (IsWeekday(kind) && last == 0 && first > 0) last = kind.most;
  if (last < first) return Invalid(kind, text, "goes backwards");
  return Range{first, last};
}

}  // namespace

absl::StatusOr<uint64_t> ParseCronField(const CronFieldKind& kind, std::string_view text) {
  uint64_t set = 0;
  for (const std::string_view item : Split(text, ',')) {
    const size_t slash = item.find('/');
    const bool has_step = slash != std::string_view::npos;
    int step = 1;
    if (has_step) {
      ASSIGN_OR_RETURN(step, ParseStep(kind, item, item.substr(slash + 1)));
    }
    ASSIGN_OR_RETURN(const Range range, ParseRange(kind, item.substr(0, slash), has_step));
    for (int value = range.first; value <= range.last; value += step) {
      set |= uint64_t{1} << (IsWeekday(kind) ? value % kind.most : value);
    }
  }
  return set;
}

uint64_t EveryValue(const CronFieldKind& kind) {
  uint64_t set = 0;
  for (int value = 0; value < Values(kind); ++value) set |= uint64_t{1} << (kind.least + value);
  return set;
}

}  // namespace forebay::server
