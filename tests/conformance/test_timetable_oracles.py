"""server/schedule against calendars that others wrote: croniter, dateutil.rrule and zoneinfo (see
tests/support/forebay/timetable_oracle.py). A fixed seed makes 100 000 random instants, half of them near changes of
the clock; a table adds tricky ones by name. Nothing may disagree.

Where the others are known to differ from what timetable.h promises, no case is made of it:

croniter-wildcard-steps    croniter 1.3.5 reads `*/n` of the hour as fixed hours when clocks change. It only names local
                           times here, and knows nothing of zones.
croniter-short-months      croniter 1.3.5 skips the first days of a month after one that lacks a day of the expression;
                           the oracle asks it month by month.
croniter-horizon           croniter gives up after 50 years; no rule here fires less often than that.
dateutil-mixed-byday       BYDAY=MO,1FR: RFC 5545 means all Mondays and the first Friday; dateutil intersects them.
dateutil-bare-byweekno     BYWEEKNO without BYDAY: RFC 5545 takes the weekday of DTSTART; dateutil takes all seven.
dateutil-first-week        BYSETPOS with FREQ=WEEKLY: dateutil's first week begins at DTSTART, so that positions in it
                           count from there; in all other periods they count from the period's beginning, as here.
dateutil-week-from-end     BYWEEKNO=-52 or -53 for days of December that belong to week 1 of the next year.
"""

import bisect
import datetime as dt
import json
import os
import pathlib
import random
import subprocess
import zoneinfo

import pytest
from dateutil import rrule as rr
from forebay import timetable_oracle as oracle

SEED = 20260117
ZONES = """UTC Europe/Berlin Europe/London Europe/Dublin Europe/Moscow Europe/Istanbul Europe/Lisbon America/New_York
America/Los_Angeles America/St_Johns America/Sao_Paulo America/Caracas America/Havana America/Santiago America/Asuncion
America/Scoresbysund America/Godthab Africa/Cairo Africa/Casablanca Africa/Monrovia Asia/Kathmandu Asia/Kolkata
Asia/Tehran Asia/Gaza Asia/Amman Asia/Pyongyang Asia/Tokyo Australia/Lord_Howe Australia/Sydney Antarctica/Troll
Pacific/Apia Pacific/Auckland Pacific/Chatham Pacific/Kwajalein Pacific/Fiji""".split()
INSTANTS = 20
FREQUENCIES = "YEARLY MONTHLY WEEKLY DAILY HOURLY MINUTELY SECONDLY".split()
WEEKDAYS = "MO TU WE TH FR SA SU".split()
# How far dateutil is asked to walk.
REACH = dict(zip(FREQUENCIES, [dt.timedelta(days=n) for n in (14000, 4000, 2000, 900, 60, 2, 0.1)]))


def ask(cases: list[dict], *arguments: str) -> list[dict]:
    program = pathlib.Path(os.environ.get("FOREBAY_BIN_DIR", "build/dev/bin")) / "timetable_lines"
    text = "".join(json.dumps(case) + "\n" for case in cases)
    result = subprocess.run([program, *arguments], input=text, capture_output=True, text=True, timeout=300, check=True)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(answers) == len(cases), result.stderr
    return answers


class Cases:
    """Cases and what they should answer; all are asked of one process."""

    def __init__(self):
        self.cases, self.windows = [], []
        self.instants = 0

    def add(self, case: dict, window: oracle.Window, afters: list[int]):
        """Only instants whose answer the oracle knows."""
        known = [at for at in afters if window.low <= at and bisect.bisect_right(window.fires, at) < len(window.fires)]
        self.cases.append({**case, "after": known, "count": 2})
        self.windows.append(window)
        self.instants += len(known)

    def check(self) -> int:
        faults = []
        asked = 0
        for case, window, answer in zip(self.cases, self.windows, ask(self.cases)):
            if "error" in answer:
                if window.fires:
                    faults.append((case, answer, window.fires[:3]))
                continue
            for after, fires in zip(case["after"], answer["fires"]):
                at = bisect.bisect_right(window.fires, after)
                known = [fire for fire in fires if fire <= window.high]
                if known != window.fires[at : at + 2]:
                    faults.append(({**case, "after": after}, fires, window.fires[at : at + 2]))
                asked += 1
        assert not faults, f"{len(faults)} of {asked} disagree; case, answer, expected:\n" + "\n".join(
            map(str, faults[:5])
        )
        return asked


class Maker:
    """Random cases."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.changes = {}

    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.random.choice(ZONES))

    def moment(self, zone: zoneinfo.ZoneInfo) -> int:
        """An instant of 1972 to 2070, as often as not near a change of the zone's clock."""
        if zone.key not in self.changes:
            self.changes[zone.key] = oracle.transitions(zone, 1972, 2070)
        if self.changes[zone.key] and self.random.random() < 0.6:
            return self.random.choice(self.changes[zone.key]) + self.random.randint(-7200, 7200)
        return self.random.randint(63072000, 3155760000)

    def afters(self, window: oracle.Window, around: int, count: int = INSTANTS) -> list[int]:
        """Instants near `around` and near fires."""
        if not window.fires:
            return []
        last = window.fires[-1] - 1
        picks = []
        while len(picks) < count:
            at = self.random.choice([around, self.random.choice(window.fires), self.random.randint(window.low, last)])
            at += self.random.choice([0, 0, -1, 1, self.random.randint(-7200, 7200)])
            picks.append(min(max(at, window.low), last))
        return picks

    def some(self, values, most: int) -> list:
        return sorted(self.random.sample(list(values), self.random.randint(1, most)))

    def cron_field(self, least: int, most: int, open_share: float) -> str:
        pick = self.random.random()
        if pick < open_share:
            return "*"
        if pick < open_share + 0.1:
            return f"*/{self.random.randint(1, most - least)}"
        if pick < open_share + 0.2:
            low, high = self.some(range(least, most + 1), 1)[0], most
            return f"{low}-{self.random.randint(low, high)}/{self.random.randint(1, 5)}"
        return ",".join(map(str, self.some(range(least, most + 1), 4)))

    def cron(self) -> str:
        month = self.cron_field(1, 12, 0.6)
        weekday = self.cron_field(0, 6, 0.6)
        if self.random.random() < 0.1:
            month = self.random.choice(["JAN", "mar,Oct", "FEB-APR", "OCT"])
        if self.random.random() < 0.1:
            weekday = self.random.choice(["MON", "sun", "7", "MON-FRI", "Sat,7", "2-6/2"])
        return " ".join(
            [self.cron_field(0, 59, 0.1), self.cron_field(0, 23, 0.3), self.cron_field(1, 31, 0.55), month, weekday]
        )

    def add_cron(self, cases: Cases):
        zone = self.zone()
        expression, day_or, around = self.cron(), self.random.random() < 0.7, self.moment(zone)
        window = oracle.cron_window(expression, day_or, zone, around)
        case = {"cron": expression, "day_or": day_or, "zone": zone.key, "now": window.low}
        cases.add(case, window, self.afters(window, around))

    def add_interval(self, cases: Cases):
        zone = self.zone()
        around = self.moment(zone)
        anchor = around + self.random.randint(-10**9, 10**9)
        seconds = self.random.choice(
            [86400 * self.random.randint(1, 20), 3600 * self.random.randint(1, 40), self.random.randint(1, 200000)]
        )
        window = oracle.interval_window(seconds, anchor, zone, around)
        case = {"interval": seconds, "anchor": anchor, "zone": zone.key, "now": around}
        cases.add(case, window, self.afters(window, around))

    def by_days(self, frequency: str) -> dict[str, list]:
        """The parts that choose days, as RFC 5545 lets them stand together."""
        parts = {}
        if self.random.random() < 0.3:
            parts["BYMONTH"] = self.some(range(1, 13), 4)
        if frequency != "WEEKLY" and self.random.random() < 0.3:
            parts["BYMONTHDAY"] = self.some([*range(-31, 0), *range(1, 32)], 12)
        if frequency not in ("DAILY", "WEEKLY", "MONTHLY") and self.random.random() < 0.1:
            parts["BYYEARDAY"] = self.some([*range(-366, 0), *range(1, 367)], 60)
        counted = frequency in ("YEARLY", "MONTHLY") and self.random.random() < 0.4
        if frequency == "YEARLY" and self.random.random() < 0.2:
            parts["BYWEEKNO"] = self.some([*range(-51, 0), *range(1, 54)], 6)
            parts["BYDAY"] = self.some(WEEKDAYS, 3)
        elif counted:
            most = 5 if frequency == "MONTHLY" or "BYMONTH" in parts else 53
            numbers = self.some([*range(-most, 0), *range(1, most + 1)], 3)
            parts["BYDAY"] = [f"{number:+d}{self.random.choice(WEEKDAYS)}".replace("+", "") for number in numbers]
        elif self.random.random() < 0.4:
            parts["BYDAY"] = self.some(WEEKDAYS, 4)
        return parts

    def rule_parts(self, frequency: str) -> dict[str, list]:
        parts = self.by_days(frequency)
        for name, most, share in (("BYHOUR", 23, 0.25), ("BYMINUTE", 59, 0.2), ("BYSECOND", 59, 0.1)):
            if self.random.random() < share:
                parts[name] = self.some(range(most + 1), 4)
        # Not where dateutil would look through every second of a year and find nothing.
        positions = {"MINUTELY": [-1, 1], "SECONDLY": []}.get(frequency, [-3, -2, -1, 1, 2, 3, 10])
        if parts and positions and self.random.random() < 0.25:
            parts["BYSETPOS"] = self.some(positions, min(3, len(positions)))
        return parts

    def recurrence(self, zone: zoneinfo.ZoneInfo, around: int) -> tuple[list[str], dict, dt.datetime]:
        """Lines, dateutil's arguments, and how far to look."""
        frequency = self.random.choice(FREQUENCIES)
        parts = self.rule_parts(frequency)
        start = oracle.shown(zone, around) - self.random.random() * REACH[frequency] * 0.5
        start = start.replace(microsecond=0)
        end = start + REACH[frequency]
        longest = 11 if frequency in ("MINUTELY", "SECONDLY") else 40
        interval = self.random.choice([1, 1, 1, 2, 3, 5, self.random.randint(4, longest)])
        week_start = self.random.choice(WEEKDAYS)
        if frequency == "WEEKLY" and "BYSETPOS" in parts:
            week_start = WEEKDAYS[start.weekday()]  # dateutil-first-week
        text = f"FREQ={frequency};INTERVAL={interval};WKST={week_start}"
        arguments = {"freq": getattr(rr, frequency), "interval": interval, "dtstart": start}
        arguments["wkst"] = getattr(rr, week_start)
        for name, values in parts.items():
            text += f";{name}=" + ",".join(map(str, values))
            arguments[name.lower().replace("byday", "byweekday")] = values
        if "BYDAY" in parts:
            arguments["byweekday"] = [
                getattr(rr, day[-2:])(int(day[:-2])) if day[:-2] else getattr(rr, day) for day in parts["BYDAY"]
            ]
        pick = self.random.random()
        if pick < 0.15:
            arguments["count"] = self.random.randint(1, 100)
            text += f";COUNT={arguments['count']}"
        elif pick < 0.3:
            arguments["until"] = start + self.random.random() * (end - start)
            arguments["until"] = arguments["until"].replace(microsecond=0)
            text += f";UNTIL={arguments['until']:%Y%m%dT%H%M%S}"
        return [f"DTSTART:{start:%Y%m%dT%H%M%S}", f"RRULE:{text}"], arguments, end

    def add_recurrence(self, cases: Cases):
        zone = self.zone()
        around = self.moment(zone)
        lines, arguments, end = self.recurrence(zone, around)
        start = arguments["dtstart"]
        dates, excluded = [], []
        if self.random.random() < 0.2:
            dates = [start + dt.timedelta(seconds=self.random.randint(0, 10**6)) for _ in range(3)]
            lines.append("RDATE:" + ",".join(f"{date:%Y%m%dT%H%M%S}" for date in dates))
        try:
            if self.random.random() < 0.3:
                excluded = oracle.occurrences({**arguments, "count": 20}, end)[::3]
            window = oracle.recurrence_window([arguments], dates, excluded, zone, end)
        except ValueError:
            return  # dateutil says of some rules that they never fire
        if excluded:
            lines.append("EXDATE:" + ",".join(f"{date:%Y%m%dT%H%M%S}" for date in excluded))
        case = {"rrule": "\n".join(lines), "anchor": around, "zone": zone.key, "now": window.low}
        cases.add(case, window, self.afters(window, around))


def enough(add, seed: int, wanted: int) -> int:
    maker, cases = Maker(seed), Cases()
    add = getattr(maker, add)
    while cases.instants < wanted:
        add(cases)
    return cases.check()


# Split so that the workers of a parallel run share them.
@pytest.mark.parametrize("part", range(4))
def test_random_cron(part):
    assert enough("add_cron", SEED + part, 12500) >= 12500


@pytest.mark.parametrize("part", range(4))
def test_random_recurrence(part):
    assert enough("add_recurrence", SEED + 10 + part, 10000) >= 10000


def test_random_interval():
    assert enough("add_interval", SEED + 20, 10000) >= 10000


# A zone and what its clock showed, to be met with every rule below: (zone, local time).
TRICKY_TIMES = [
    ("Europe/Berlin", "2025-03-30 01:59"),  # 02:00 becomes 03:00
    ("Europe/Berlin", "2025-10-26 01:30"),  # 03:00 becomes 02:00
    ("Europe/Berlin", "2025-10-26 02:59"),
    ("America/New_York", "2025-03-09 01:59"),
    ("America/New_York", "2025-11-02 00:30"),
    ("America/New_York", "2025-11-02 01:59"),
    ("Australia/Lord_Howe", "2025-04-06 01:20"),  # half an hour back, into the same hour
    ("Australia/Lord_Howe", "2025-10-05 01:50"),
    ("Pacific/Apia", "2011-12-29 23:59"),  # 30 December never was
    ("Pacific/Kwajalein", "1993-08-20 12:00"),  # 21 August never was
    ("Asia/Kathmandu", "1985-12-31 23:50"),  # a quarter of an hour forward at midnight
    ("Asia/Kathmandu", "2025-06-30 23:45"),  # +05:45
    ("America/Sao_Paulo", "2018-11-03 23:59"),  # midnight becomes 01:00
    ("America/Sao_Paulo", "2018-02-17 22:30"),  # midnight becomes 23:00 of the day before
    ("Africa/Monrovia", "1972-01-06 23:00"),  # forward by 44:30
    ("Asia/Pyongyang", "2018-05-04 23:20"),
    ("America/Caracas", "2007-12-09 02:50"),
    ("Europe/Dublin", "2024-10-27 01:10"),  # winter is the zone's "daylight saving"
    ("Africa/Casablanca", "2025-02-23 02:50"),  # back for Ramadan
    ("Antarctica/Troll", "2025-03-30 00:50"),  # two hours at once
    ("America/Godthab", "2023-03-25 21:50"),  # forward, and the standard time moved as well
    ("UTC", "2024-02-28 23:59"),
    ("UTC", "2096-02-29 00:00"),  # 2100 is no leap year
    ("Europe/London", "1970-12-31 23:59"),  # standard time of +01:00
    ("America/Havana", "2024-03-09 23:59"),
]
TRICKY_CRON = [
    ("0 0 * * *", True),
    ("30 2 * * *", True),
    ("15,45 1-3 * * *", True),
    ("*/5 * * * *", True),
    ("0 * * * *", True),
    ("30 */2 * * *", True),
    ("0 0 29 2 *", True),
    ("0 12 31 * *", True),
    ("0 6 13 * FRI", True),
    ("0 6 13 * FRI", False),
    ("59 23 28-31 * *", True),
    ("0 0 1 1 7", False),
]
# dateutil's arguments beside the text: (RRULE, arguments).
TRICKY_RULES = [
    ("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", {"freq": rr.DAILY, "byhour": 2, "byminute": 30}),
    ("FREQ=MONTHLY;BYMONTHDAY=-1", {"freq": rr.MONTHLY, "bymonthday": -1}),
    ("FREQ=MONTHLY;BYMONTHDAY=31", {"freq": rr.MONTHLY, "bymonthday": 31}),
    ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", {"freq": rr.YEARLY, "bymonth": 2, "bymonthday": 29}),
    ("FREQ=YEARLY;BYYEARDAY=366,-366", {"freq": rr.YEARLY, "byyearday": [366, -366]}),
    ("FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO", {"freq": rr.YEARLY, "byweekno": 53, "byweekday": rr.MO}),
    ("FREQ=YEARLY;BYWEEKNO=1,-1;BYDAY=MO,SU", {"freq": rr.YEARLY, "byweekno": [1, -1], "byweekday": [rr.MO, rr.SU]}),
    (
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        {"freq": rr.MONTHLY, "byweekday": [rr.MO, rr.TU, rr.WE, rr.TH, rr.FR], "bysetpos": -1},
    ),
    ("FREQ=MONTHLY;BYDAY=5FR", {"freq": rr.MONTHLY, "byweekday": rr.FR(5)}),
    ("FREQ=YEARLY;BYDAY=-53SU,53MO", {"freq": rr.YEARLY, "byweekday": [rr.SU(-53), rr.MO(53)]}),
    (
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU",
        {"freq": rr.WEEKLY, "interval": 2, "byweekday": [rr.SU, rr.MO], "wkst": rr.SU},
    ),
    ("FREQ=HOURLY;INTERVAL=5;BYMINUTE=0,30", {"freq": rr.HOURLY, "interval": 5, "byminute": [0, 30]}),
    (
        "FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=0,30;BYSETPOS=3,-1",
        {"freq": rr.DAILY, "byhour": [1, 2, 3], "byminute": [0, 30], "bysetpos": [3, -1]},
    ),
]


def near(at: int) -> list[int]:
    return [at + delta for delta in (-1, 0, 1, 60, 1800, 3599, 3600, 7200)]


def test_tricky_cron():
    cases = Cases()
    for zone_name, text in TRICKY_TIMES:
        zone = zoneinfo.ZoneInfo(zone_name)
        at = oracle.fixed_instant(zone, dt.datetime.fromisoformat(text))
        for expression, day_or in TRICKY_CRON:
            window = oracle.cron_window(expression, day_or, zone, at)
            case = {"cron": expression, "day_or": day_or, "zone": zone_name, "now": window.low}
            cases.add(case, window, near(at))
    assert cases.check() >= 2000


def test_tricky_recurrences():
    cases = Cases()
    for zone_name, text in TRICKY_TIMES:
        zone = zoneinfo.ZoneInfo(zone_name)
        local = dt.datetime.fromisoformat(text)
        at = oracle.fixed_instant(zone, local)
        for rule, arguments in TRICKY_RULES:
            start = local - dt.timedelta(days=3, minutes=7)
            end = start + dt.timedelta(days=(14000 if arguments["freq"] == rr.YEARLY else 400))
            window = oracle.recurrence_window([{**arguments, "dtstart": start}], [], [], zone, end)
            case = {"rrule": f"DTSTART:{start:%Y%m%dT%H%M%S}\nRRULE:{rule}", "anchor": at, "zone": zone_name}
            cases.add({**case, "now": window.low}, window, near(at))
    assert cases.check() >= 2000


# What the policy says, written out: (rule, zone, after, the next fires); all times are UTC.
POLICY = [
    ("30 2 * * *", "Europe/Berlin", "2025-03-29T12:00", ["2025-03-30T01:00", "2025-03-31T00:30"]),
    ("30 2 * * *", "Europe/Berlin", "2025-10-25T12:00", ["2025-10-26T00:30", "2025-10-27T01:30"]),
    ("0,30 2 * * *", "Europe/Berlin", "2025-03-29T12:00", ["2025-03-30T01:00", "2025-03-31T00:00"]),
    ("0 * * * *", "Europe/Berlin", "2025-10-25T23:30", ["2025-10-26T00:00", "2025-10-26T01:00", "2025-10-26T02:00"]),
    ("0 * * * *", "Europe/Berlin", "2025-03-30T00:30", ["2025-03-30T01:00", "2025-03-30T02:00"]),
    ("0 9 * * *", "Pacific/Apia", "2011-12-29T20:00", ["2011-12-30T10:00", "2011-12-30T19:00"]),
    ("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00", ["2018-11-04T03:00", "2018-11-05T02:00"]),
    ("15 1 * * *", "Australia/Lord_Howe", "2025-04-04T16:00", ["2025-04-05T14:15", "2025-04-06T14:45"]),
    ("45 1 * * *", "Australia/Lord_Howe", "2025-04-05T14:00", ["2025-04-05T14:45", "2025-04-06T15:15"]),
]


def test_policy_as_written():
    cases = []
    for rule, zone, after, fires in POLICY:
        cases.append({"cron": rule, "zone": zone, "after": [seconds(after)], "count": len(fires)})
    answers = [answer["fires"][0] for answer in ask(cases)]
    assert answers == [[seconds(fire) for fire in fires] for _, _, _, fires in POLICY]


def seconds(text: str) -> int:
    return oracle.unix(dt.datetime.fromisoformat(text).replace(tzinfo=oracle.UTC))
