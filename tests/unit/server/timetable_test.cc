#include "server/schedule/timetable.h"

#include <string>
#include <vector>

#include "common/base/status.h"
#include "tests/support/catch.h"

namespace forebay::server {
namespace {

absl::Time At(const std::string& text) {
  absl::Time time;
  std::string error;
  REQUIRE(absl::ParseTime(absl::RFC3339_full, text + "Z", &time, &error));
  return time;
}

const char kNow[] = "2026-01-15T12:00:00";

TimetableSpec Cron(const std::string& expression, const std::string& zone = "") {
  TimetableSpec spec;
  spec.rule = CronRule{expression};
  spec.time_zone = zone;
  return spec;
}

TimetableSpec Recurring(const std::string& text, const std::string& zone = "") {
  TimetableSpec spec;
  spec.rule = RecurrenceRule{text, At(kNow)};
  spec.time_zone = zone;
  return spec;
}

TimetableSpec Every(absl::Duration every, const std::string& anchor, const std::string& zone = "") {
  TimetableSpec spec;
  spec.rule = IntervalRule{every, At(anchor)};
  spec.time_zone = zone;
  return spec;
}

Timetable Parsed(const TimetableSpec& spec) {
  auto timetable = Timetable::Parse(spec, At(kNow));
  INFO(timetable.status().ToString());
  REQUIRE(timetable.ok());
  return *timetable;
}

// The next fires, in UTC.
std::vector<std::string> Fires(const TimetableSpec& spec, const std::string& after, size_t count) {
  std::vector<std::string> shown;
  for (const absl::Time fire :
       Parsed(spec).FiresBetween(At(after), absl::InfiniteFuture(), count)) {
    shown.emplace_back(absl::FormatTime("%Y-%m-%dT%H:%M:%E*S", fire, absl::UTCTimeZone()));
  }
  return shown;
}

// "REASON field=value"
std::string Refusal(const TimetableSpec& spec) {
  const auto timetable = Timetable::Parse(spec, At(kNow));
  REQUIRE_FALSE(timetable.ok());
  CHECK(timetable.status().code() == absl::StatusCode::kInvalidArgument);
  auto detail = DetailOf(timetable.status()).value_or(ErrorDetail{});
  return detail.reason + " " + detail.metadata["field"] + "=" + detail.metadata["value"];
}

using Strings = std::vector<std::string>;

TEST_CASE("timetable: a wrong cron expression names the field and the text", "[schedule]") {
  CHECK(Refusal(Cron("60 * * * *")) == "INVALID_CRON minute=60");
  CHECK(Refusal(Cron("* 24 * * *")) == "INVALID_CRON hour=24");
  CHECK(Refusal(Cron("* * 0 * *")) == "INVALID_CRON day-of-month=0");
  CHECK(Refusal(Cron("* * L * *")) == "INVALID_CRON day-of-month=L");
  CHECK(Refusal(Cron("* * * JANUARY *")) == "INVALID_CRON month=JANUARY");
  CHECK(Refusal(Cron("* * * * 8")) == "INVALID_CRON day-of-week=8");
  CHECK(Refusal(Cron("* * * * FRI#2")) == "INVALID_CRON day-of-week=FRI#2");
  CHECK(Refusal(Cron("*/0 * * * *")) == "INVALID_CRON minute=*/0");
  CHECK(Refusal(Cron("*/90 * * * *")) == "INVALID_CRON minute=*/90");
  CHECK(Refusal(Cron("* 22-2 * * *")) == "INVALID_CRON hour=22-2");
  CHECK(Refusal(Cron("1,,2 * * * *")) == "INVALID_CRON minute=");
  CHECK(Refusal(Cron("-5 * * * *")) == "INVALID_CRON minute=");
  CHECK(Refusal(Cron("99999999999999999999 * * * *")) ==
        "INVALID_CRON minute=99999999999999999999");
  CHECK(Refusal(Cron("* * * *")) == "INVALID_CRON cron=* * * *");
  CHECK(Refusal(Cron("0 0 * * * *")) == "INVALID_CRON cron=0 0 * * * *");
  CHECK(Refusal(Cron("")) == "INVALID_CRON cron=");
  CHECK(Refusal(Cron("@reboot")) == "INVALID_CRON cron=@reboot");
}

TEST_CASE("timetable: cron names, ranges, lists, steps and shorthands", "[schedule]") {
  CHECK(Fires(Cron("0 0 * jan Mon-WED"), kNow, 2) ==
        Strings{"2026-01-19T00:00:00", "2026-01-20T00:00:00"});
  CHECK(Fires(Cron("0 0 * * 7"), kNow, 1) == Strings{"2026-01-18T00:00:00"});
  CHECK(Fires(Cron("0 0 * * FRI-SUN"), kNow, 3) ==
        Strings{"2026-01-16T00:00:00", "2026-01-17T00:00:00", "2026-01-18T00:00:00"});
  CHECK(Fires(Cron(" 5/20\t12,13 * * * "), kNow, 4) ==
        Strings{"2026-01-15T12:05:00", "2026-01-15T12:25:00", "2026-01-15T12:45:00",
                "2026-01-15T13:05:00"});
  CHECK(Fires(Cron("@Weekly"), kNow, 1) == Strings{"2026-01-18T00:00:00"});
  CHECK(Fires(Cron("@annually"), kNow, 1) == Strings{"2027-01-01T00:00:00"});
}

TEST_CASE("timetable: either day of a cron expression will do, or both must match", "[schedule]") {
  TimetableSpec spec = Cron("0 0 13 * FRI");
  CHECK(Fires(spec, kNow, 2) == Strings{"2026-01-16T00:00:00", "2026-01-23T00:00:00"});
  spec.rule = CronRule{"0 0 13 * FRI", false};
  CHECK(Fires(spec, kNow, 2) == Strings{"2026-02-13T00:00:00", "2026-03-13T00:00:00"});
  CHECK(Fires(Cron("0 0 1-31 * FRI"), kNow, 2) ==
        Strings{"2026-01-16T00:00:00", "2026-01-23T00:00:00"});
}

TEST_CASE("timetable: what never fires is refused", "[schedule]") {
  const std::string reason = "SCHEDULE_NEVER_FIRES";
  CHECK(Refusal(Cron("0 0 31 2 *")).starts_with(reason));
  CHECK(Refusal(Recurring("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")).starts_with(reason));
  CHECK(Refusal(Recurring("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")).starts_with(reason));
  CHECK(Refusal(Recurring("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30")).starts_with(reason));
  CHECK(Refusal(Recurring("FREQ=SECONDLY;INTERVAL=2;BYSECOND=1")).starts_with(reason));
  CHECK(Refusal(Recurring("FREQ=MINUTELY;BYSETPOS=2;BYSECOND=0")).starts_with(reason));
  CHECK(Refusal(Recurring("FREQ=DAILY;UNTIL=20260101T000000")).starts_with(reason));
  CHECK(Refusal(Recurring("FREQ=DAILY;COUNT=1\nEXDATE:20260115T120000Z")).starts_with(reason));
  TimetableSpec ended = Cron("0 0 * * *");
  ended.end = At("2026-01-15T23:59:59");
  CHECK(Refusal(ended).starts_with(reason));
}

TEST_CASE("timetable: intervals are whole seconds around their anchor", "[schedule]") {
  CHECK(Refusal(Every(absl::ZeroDuration(), kNow)) == "INVALID_INTERVAL interval=0");
  CHECK(Refusal(Every(absl::Milliseconds(1500), kNow)) == "INVALID_INTERVAL interval=1.5s");
  CHECK(Refusal(Every(-absl::Hours(1), kNow)) == "INVALID_INTERVAL interval=-1h");
  CHECK(Refusal(Every(absl::InfiniteDuration(), kNow)) == "INVALID_INTERVAL interval=inf");
  CHECK(Refusal(Every(absl::Hours(1), "1926-01-15T11:59:59")) ==
        "INVALID_ANCHOR anchor=1926-01-15T11:59:59+00:00");
  CHECK(Refusal(Every(absl::Hours(1), "2126-01-16T12:00:01")).starts_with("INVALID_ANCHOR"));
  CHECK(Fires(Every(absl::Minutes(7), "2030-01-01T00:00:00.9"), kNow, 2) ==
        Strings{"2026-01-15T12:05:00", "2026-01-15T12:12:00"});
}

TEST_CASE("timetable: whole days keep the local time, hours do not", "[schedule]") {
  const std::string before = "2026-03-28T12:00:00";
  CHECK(Fires(Every(absl::Hours(24), "2026-03-01T08:00:00", "Europe/Berlin"), before, 2) ==
        Strings{"2026-03-29T07:00:00", "2026-03-30T07:00:00"});
  CHECK(Fires(Every(absl::Hours(12), "2026-03-01T08:00:00", "Europe/Berlin"), before, 2) ==
        Strings{"2026-03-28T20:00:00", "2026-03-29T08:00:00"});
}

TEST_CASE("timetable: a wrong recurrence names the part and its value", "[schedule]") {
  CHECK(Refusal(Recurring("")) == "INVALID_RRULE RRULE=");
  CHECK(Refusal(Recurring("INTERVAL=2")) == "INVALID_RRULE FREQ=");
  CHECK(Refusal(Recurring("FREQ=OFTEN")) == "INVALID_RRULE FREQ=OFTEN");
  CHECK(Refusal(Recurring("FREQ=DAILY;INTERVAL=0")) == "INVALID_RRULE INTERVAL=0");
  CHECK(Refusal(Recurring("FREQ=DAILY;INTERVAL=0.5")) == "INVALID_RRULE INTERVAL=0.5");
  CHECK(Refusal(Recurring("FREQ=DAILY;EVERY=2")) == "INVALID_RRULE EVERY=2");
  CHECK(Refusal(Recurring("FREQ=DAILY;COUNT=2;COUNT=3")) == "INVALID_RRULE COUNT=3");
  CHECK(Refusal(Recurring("FREQ=DAILY;COUNT=2;UNTIL=20270101")) == "INVALID_RRULE UNTIL=20270101");
  CHECK(Refusal(Recurring("FREQ=DAILY;UNTIL=20270229")) == "INVALID_RRULE UNTIL=20270229");
  CHECK(Refusal(Recurring("FREQ=DAILY;BYSECOND=60")) == "INVALID_RRULE BYSECOND=60");
  CHECK(Refusal(Recurring("FREQ=WEEKLY;BYDAY=1MO")) == "INVALID_RRULE BYDAY=1MO");
  CHECK(Refusal(Recurring("FREQ=MONTHLY;BYDAY=6MO")) == "INVALID_RRULE BYDAY=6");
  CHECK(Refusal(Recurring("FREQ=MONTHLY;BYWEEKNO=2")) == "INVALID_RRULE BYWEEKNO=2");
  CHECK(Refusal(Recurring("FREQ=DAILY;BYYEARDAY=2")) == "INVALID_RRULE BYYEARDAY=2");
  CHECK(Refusal(Recurring("FREQ=DAILY;BYSETPOS=1")) == "INVALID_RRULE BYSETPOS=1");
  CHECK(Refusal(Recurring("FREQ=DAILY;BYMONTH=")) == "INVALID_RRULE BYMONTH=");
  CHECK(Refusal(Recurring("FREQ=SECONDLY;COUNT=100001")) == "INVALID_RRULE COUNT=100001");
  CHECK(Refusal(Recurring("EXRULE:FREQ=DAILY")) == "INVALID_RRULE EXRULE=FREQ=DAILY");
  CHECK(Refusal(Recurring("DTSTART;TZID=Asia/Tokyo:20260101T000000\nFREQ=DAILY")) ==
        "INVALID_RRULE TZID=Asia/Tokyo");
  CHECK(Refusal(Recurring("DTSTART:19000101T000000\nFREQ=DAILY")).starts_with("INVALID_ANCHOR"));
  CHECK(Refusal(Recurring(std::string(4097, 'A'))).starts_with("INVALID_RRULE RRULE"));
}

TEST_CASE("timetable: recurrence lines add up and take away", "[schedule]") {
  const std::string text =
      "DTSTART;TZID=Europe/Berlin:20260101T090000\r\n"
      "RRULE:freq=daily;byday=mo\r\n"
      "RRULE:FREQ=MONTHLY;BYMONTHDAY=20\r\n"
      "RDATE:20260116T100000Z,20260117T090000\r\n"
      "EXDATE:20260119T090000\r\n";
  CHECK(Fires(Recurring(text, "Europe/Berlin"), kNow, 4) ==
        Strings{"2026-01-16T10:00:00", "2026-01-17T08:00:00", "2026-01-20T08:00:00",
                "2026-01-26T08:00:00"});
  CHECK(Fires(Recurring("FREQ=HOURLY;COUNT=3"), kNow, 9) ==
        Strings{"2026-01-15T13:00:00", "2026-01-15T14:00:00"});
  CHECK(Fires(Recurring("FREQ=HOURLY;UNTIL=20260115T140000Z", "Asia/Kolkata"), kNow, 9) ==
        Strings{"2026-01-15T13:00:00", "2026-01-15T14:00:00"});
}

TEST_CASE("timetable: where dateutil and RFC 5545 part, the RFC counts", "[schedule]") {
  CHECK(Fires(Recurring("DTSTART:20260101T000000\nFREQ=MONTHLY;BYDAY=MO,1FR"),
              "2026-02-01T00:00:00", 2) == Strings{"2026-02-02T00:00:00", "2026-02-06T00:00:00"});
  CHECK(Fires(Recurring("DTSTART:20260101T000000\nFREQ=YEARLY;BYWEEKNO=20"), kNow, 2) ==
        Strings{"2026-05-14T00:00:00", "2027-05-20T00:00:00"});
  CHECK(Fires(Recurring("DTSTART:20260120T000000\nFREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=2"), kNow,
              2) == Strings{"2026-01-21T00:00:00", "2026-01-28T00:00:00"});
}

TEST_CASE("timetable: an old DTSTART costs nothing", "[schedule]") {
  CHECK(Fires(Recurring("DTSTART:19700101T000000\nFREQ=SECONDLY;INTERVAL=7"), kNow, 1) ==
        Strings{"2026-01-15T12:00:04"});
}

TEST_CASE("timetable: an unknown time zone names the nearest one", "[schedule]") {
  CHECK(Refusal(Cron("0 0 * * *", "Europe/Berln")) == "UNKNOWN_TIME_ZONE time_zone=Europe/Berln");
  for (const std::string zone :
       {"/etc/passwd", "../UTC", "localtime", "right/UTC", "Fixed/UTC+1"}) {
    CHECK(Refusal(Cron("0 0 * * *", zone)) == "UNKNOWN_TIME_ZONE time_zone=" + zone);
  }
  const auto refused = Timetable::Parse(Cron("0 0 * * *", "Europe/Berln"), At(kNow));
  CHECK(DetailOf(refused.status())->metadata.at("nearest") == "Europe/Berlin");
}

TEST_CASE("timetable: fires lie between start and end, both included", "[schedule]") {
  TimetableSpec spec = Cron("0 * * * *");
  spec.start = At("2026-01-15T14:00:00");
  spec.end = At("2026-01-15T15:00:00");
  CHECK(Fires(spec, kNow, 9) == Strings{"2026-01-15T14:00:00", "2026-01-15T15:00:00"});
  spec.start = At("2026-01-15T14:00:00.5");
  CHECK(Fires(spec, "0001-01-01T00:00:00", 9) == Strings{"2026-01-15T15:00:00"});
}

TEST_CASE("timetable: the end of time is an end", "[schedule]") {
  const Timetable timetable = Parsed(Cron("0 0 29 2 *"));
  CHECK_FALSE(timetable.NextAfter(absl::InfiniteFuture()));
  CHECK_FALSE(timetable.NextAfter(At("2299-12-31T00:00:00")));
  CHECK(timetable.NextAfter(absl::InfinitePast()) == At("0004-02-29T00:00:00"));
  CHECK(timetable.FiresBetween(At(kNow), At("2028-02-29T00:00:00"), 9).size() == 1);
  CHECK(timetable.FiresBetween(At(kNow), At("2028-02-28T23:59:59"), 9).empty());
  CHECK_FALSE(Parsed(Every(absl::Hours(24), kNow)).NextAfter(absl::InfiniteFuture()));
}

}  // namespace
}  // namespace forebay::server
