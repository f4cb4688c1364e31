#include "cli/output/format.h"

#include "tests/support/catch.h"

namespace forebay::cli {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

std::string Ago(absl::Duration ago) { return FormatTime(kNow - ago, kNow, TimeStyle::kRelative); }

TEST_CASE("Times are told relative to now, with one unit") {
  CHECK(Ago(absl::Milliseconds(300)) == "now");
  CHECK(Ago(absl::Seconds(59)) == "59 s ago");
  CHECK(Ago(absl::Seconds(119)) == "119 s ago");
  CHECK(Ago(absl::Seconds(120)) == "2 min ago");
  CHECK(Ago(absl::Hours(3)) == "3 h ago");
  CHECK(Ago(absl::Hours(24 * 400)) == "400 d ago");
  CHECK(Ago(-absl::Minutes(5)) == "in 5 min");
}

TEST_CASE("Times are written in full when asked for, and never is empty") {
  CHECK(FormatTime(kNow + absl::Milliseconds(7), kNow, TimeStyle::kIso) ==
        "2027-01-15T08:00:00.007Z");
  CHECK(FormatTime(absl::UnixEpoch(), kNow, TimeStyle::kIso).empty());
  CHECK(FormatTime(absl::UnixEpoch(), kNow, TimeStyle::kRelative).empty());
}

TEST_CASE("Durations keep two units at most") {
  CHECK(DurationText(absl::Milliseconds(850)) == "850 ms");
  CHECK(DurationText(absl::Milliseconds(12'345)) == "12.3 s");
  CHECK(DurationText(absl::Seconds(245)) == "4 min 5 s");
  CHECK(DurationText(absl::Minutes(130)) == "2 h 10 min");
}

TEST_CASE("A text is cut between characters, and the cut is marked") {
  CHECK(Shortened("abcdef", 6) == "abcdef");
  CHECK(Shortened("abcdef", 4) == "abc…");
  CHECK(Shortened("äöüß", 3) == "äö…");
  CHECK(Shortened("abc", 0).empty());
  CHECK(DisplayWidth("äö…") == 3);
}

TEST_CASE("Color is only added when it is on") {
  CHECK(Colored("x", Color::kRed, false) == "x");
  CHECK(Colored("x", Color::kRed, true) == "\033[31mx\033[0m");
  CHECK(Colored("x", Color::kNone, true) == "x");
  CHECK(StateColor("COMPLETED") == Color::kGreen);
  CHECK(StateColor("anything") == Color::kNone);
}

}  // namespace
}  // namespace forebay::cli
