"""How long things take to be well again. What a test measures goes to the file named by FOREBAY_RECOVERIES, one JSON
object a line, for `scripts/chaos` to report."""

import json
import os
import time

from .waiting import wait_until

# Seconds from the fault until all is well again, as promised.
AIMS = {
    "lease expiry": 20.0,
    "dead run noticed, its worker lives": 30.0,
    "dead run noticed, its host is gone": 30.0,
    "orphan reclaimed": 25.0,
    "server failover gap": 5.0,
    "PostgreSQL restart to dispatching": 2.0,
    "many workers reconnected": 30.0,
    "health answers while the database does not": 0.1,
}
# A busy machine may take so many times as long before a test calls it broken.
SLACK = 3


def note(what: str, seconds: float):
    """For the report."""
    if path := os.environ.get("FOREBAY_RECOVERIES"):
        line = json.dumps({"what": what, "seconds": round(seconds, 3), "aim": AIMS[what]}) + "\n"
        with open(path, "a", encoding="utf-8") as file:
            file.write(line)


def record(what: str, seconds: float):
    """The same; AssertionError when it was far beyond its aim."""
    note(what, seconds)
    assert seconds <= SLACK * AIMS[what], f"{what}: {seconds:.1f} s, the aim is {AIMS[what]} s"


class Since:
    """`fault = Since()` at the moment of the fault, `fault.recovered("lease expiry")` at that of the recovery."""

    def __init__(self):
        self._at = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._at

    def recovered(self, what: str):
        record(what, self.seconds)

    def wait_for_all(self, conditions: dict):
        """Waits until each was true once and notes when."""
        seconds = {}

        def all_recovered():
            for name, condition in conditions.items():
                if name not in seconds and condition():
                    seconds[name] = self.seconds
            return len(seconds) == len(conditions)

        wait_until(all_recovered, deadline=120, what=f"{sorted(conditions)}, of which there was {seconds}")
        for name, value in seconds.items():
            record(name, value)
