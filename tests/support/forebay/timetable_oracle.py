"""When schedules fire, by calendars of others: croniter and dateutil name local times, zoneinfo maps them to instants
by the rule that server/schedule/timetable.h promises. All instants are Unix seconds."""

import datetime
import datetime as dt
import itertools
import types
import warnings
import zoneinfo

from croniter import croniter
from croniter.croniter import CroniterBadDateError
from dateutil import rrule as rr

UTC = dt.timezone.utc
DAY = dt.timedelta(days=1)
# Wider than any overlap of a clock since 1970: near the ends of a window not all instants are known.
MARGIN = 4 * 3600


def unix(when: dt.datetime) -> int:
    return int((when - dt.datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())


def shown(zone: zoneinfo.ZoneInfo, at: int) -> dt.datetime:
    """What the clock on the wall shows."""
    return dt.datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0)


def instants(zone: zoneinfo.ZoneInfo, local: dt.datetime) -> list[int]:
    """Each instant at which the clock shows `local`: none in a gap, two in an overlap."""
    found = {unix(local.replace(tzinfo=zone, fold=fold)) for fold in (0, 1)}
    return sorted(at for at in found if shown(zone, at) == local)


def gap_end(zone: zoneinfo.ZoneInfo, local: dt.datetime) -> int:
    """The instant at which the gap around `local` ends."""
    before = unix(local.replace(tzinfo=zone, fold=1))
    after = unix(local.replace(tzinfo=zone, fold=0))
    offset = dt.datetime.fromtimestamp(after, zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if dt.datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


def fixed_instant(zone: zoneinfo.ZoneInfo, local: dt.datetime) -> int:
    """A time that is skipped comes when the gap ends, one that comes twice comes the first time."""
    found = instants(zone, local)
    return found[0] if found else gap_end(zone, local)


def transitions(zone: zoneinfo.ZoneInfo, first_year: int, last_year: int) -> list[int]:
    """The first instants of new offsets."""
    found = []
    at = unix(dt.datetime(first_year, 1, 1, tzinfo=UTC))
    end = unix(dt.datetime(last_year, 1, 1, tzinfo=UTC))

    def offset(instant):
        return dt.datetime.fromtimestamp(instant, zone).utcoffset()

    while at < end:
        after = at + 10 * 86400
        if offset(at) != offset(after):
            low, high = at, after
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offset(at) else (low, middle)
            found.append(high)
        at = after
    return found


class Window:
    """All fires in (low, high]."""

    def __init__(self, low: int, high: int, fires: set[int]):
        self.low, self.high = low, high
        self.fires = sorted(at for at in fires if low < at <= high)


def is_every_hour(expression: str) -> bool:
    hour = expression.split()[1]
    return hour in ("*", "0-23") or (hour.startswith("*/") and "," not in hour)


def cron_matches(expression: str, day_or: bool, start: dt.datetime):
    """croniter's local times after `start`. After the last match of a month croniter is asked anew from the next one
    on: from 21 February it takes `*/10` for 3 March, because it looks for the 31st of a month of 28 days."""
    month = start.replace(day=1, hour=0, minute=0, second=0)
    while True:
        next_month = (month + 32 * DAY).replace(day=1)
        walk = croniter(expression, start, ret_type=dt.datetime, day_or=day_or)
        while (match := walk.get_next()) < next_month:
            yield match
        month, start = next_month, next_month - dt.timedelta(minutes=1)


def cron_window(expression: str, day_or: bool, zone: zoneinfo.ZoneInfo, around: int) -> Window:
    """From a day before `around` to some forty matches on, less when they are rare."""
    start = shown(zone, around) - DAY
    matches = []
    try:
        for match in itertools.islice(cron_matches(expression, day_or, start), 3000):
            matches.append(match)
            span = match - start
            if (len(matches) >= 40 and span > 1.25 * DAY) or (len(matches) >= 5 and span > 400 * DAY):
                break
    except CroniterBadDateError:
        pass
    low = fixed_instant(zone, start) + MARGIN
    if not matches:
        return Window(low, low, set())
    high = fixed_instant(zone, matches[-1]) - MARGIN
    if is_every_hour(expression):
        return Window(low, high, {at for match in matches for at in instants(zone, match)})
    return Window(low, high, {fixed_instant(zone, match) for match in matches})


def occurrences(rule: dict, end: dt.datetime, most: int = 3000) -> list[dt.datetime]:
    """dateutil's answer until `end`; `rule` is what dateutil.rrule.rrule takes."""
    # A rule that has come to its end without an occurrence is followed to this year.
    rr.datetime = types.SimpleNamespace(**{**vars(datetime), "MAXYEAR": end.year})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return list(itertools.islice(rr.rrule(**{**rule, "until": min(rule.get("until") or end, end)}), most))
    finally:
        rr.datetime = datetime


def recurrence_window(
    rules: list[dict], dates: list[dt.datetime], excluded: list[dt.datetime], zone: zoneinfo.ZoneInfo, end: dt.datetime
) -> Window:
    """From the beginning to `end`. `rules` are arguments of dateutil.rrule.rrule."""
    fires = {fixed_instant(zone, date) for date in dates}
    high = end
    for rule in rules:
        found = occurrences(rule, end, most := 3000)
        if len(found) == most:
            high = min(high, found[-1])
        fires |= {fixed_instant(zone, local) for local in found}
    fires -= {fixed_instant(zone, date) for date in excluded}
    start = min([rule["dtstart"] for rule in rules] + dates)
    return Window(fixed_instant(zone, start) - MARGIN, fixed_instant(zone, high) - MARGIN, fires)


def interval_window(seconds: int, anchor: int, zone: zoneinfo.ZoneInfo, around: int) -> Window:
    """Thirty intervals on both sides."""
    nearest = (around - anchor) // seconds
    steps = range(nearest - 30, nearest + 30)
    if seconds % 86400:
        fires = [anchor + step * seconds for step in steps]
    else:
        local = shown(zone, anchor)
        fires = [fixed_instant(zone, local + dt.timedelta(seconds=step * seconds)) for step in steps]
    return Window(fires[0], fires[-1], set(fires))
