#pragma once

// How answers are written: the options -o, --time and --color. Pure.

#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace forebay::cli {

enum class OutputFormat { kTable, kWide, kJson, kYaml, kName, kCsv };
enum class TimeStyle { kRelative, kIso };

struct OutputOptions {
  OutputFormat format = OutputFormat::kTable;
  TimeStyle time = TimeStyle::kRelative;
  // Escape sequences on standard output and on standard error.
  bool color_out = false;
  bool color_err = false;
  // Columns of the terminal; 0: not a terminal, nothing is cut.
  int width = 0;
};

enum class Color { kNone, kBold, kDim, kRed, kGreen, kYellow, kBlue, kMagenta };

// `text` in the color, or as it is.
std::string Colored(std::string_view text, Color color, bool enabled);

// "COMPLETED", "READY", "ONLINE", …: the color that says the same.
Color StateColor(std::string_view state);

// "3 min ago", "in 2 h", "now"; or RFC 3339 in UTC. Empty for the epoch, which stands for "never".
std::string FormatTime(absl::Time time, absl::Time now, TimeStyle style);
// "850 ms", "12.3 s", "4 min 5 s", "2 h 10 min".
std::string DurationText(absl::Duration duration);

// Columns that the text takes, combining marks aside.
size_t DisplayWidth(std::string_view text);
// `text` cut to the width, its end replaced by "…" when something went.
std::string Shortened(std::string_view text, size_t width);

}  // namespace forebay::cli
