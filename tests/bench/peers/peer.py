"""What every peer is to scripts/bench peers: how it is installed, what it is given to do, how its database is checked."""

import contextlib
import dataclasses
import pathlib

from forebay.checker import Checker
from forebay.postgres import TestPostgres

from meters import LoadMeter
from program import run_json

# Milliseconds that a job waits while nothing else happens.
WAITS = ("pickup_p50_ms", "pickup_p99_ms", "from_call_p50_ms", "from_call_p99_ms")


class LeftOut(Exception):
    """Cannot be measured here; the text says why."""


class Broken(Exception):
    """Lost or doubled a job."""


@dataclasses.dataclass
class Work:
    """Jobs to submit and finish: as fast as it goes in batches, or one by one at a rate, each meeting idle workers."""

    jobs: int
    batch: int = 1
    rate: int = 0
    # Seconds that it may take.
    patience: int = 120


class Peer:
    name = ""
    # What one job's way includes, so that rows are compared with open eyes.
    includes = ""
    # Which of its settings differ from what it does by itself.
    tuning = ""
    # Jobs of the first, unmeasured load, from which the next ones are sized.
    first_jobs = 20_000
    # Jobs one by one: how many, and how many a second.
    idle_jobs, idle_rate = 100, 8

    def __init__(self, postgres: TestPostgres):
        self.postgres = postgres

    def versions(self) -> str:
        """As the table shows it."""
        raise NotImplementedError

    def install(self):
        """LeftOut when it cannot be had."""

    def serving(self, database: str, folder: pathlib.Path):
        """A context in which its server runs, if it has one; gives that server's process id, or None."""
        return contextlib.nullcontext()

    def command(self, work: Work) -> list:
        """Of the program that submits and works; it prints one JSON object. Within `serving`."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {}

    def stored(self, checker: Checker) -> tuple[int, int]:
        """Jobs that the database has seen, and how many of them have ended well, once."""
        raise NotImplementedError

    def take_turn(self, folder: pathlib.Path, load: Work, idle: bool = True) -> dict[str, float]:
        """On a fresh database: jobs one by one while nothing else happens, then the load."""
        database = self.postgres.create()
        self.database_url = self.postgres.url(database)
        checker = Checker(self.database_url)
        alone: dict[str, float] = {}
        try:
            with self.serving(database, folder) as server_pid:
                if idle:
                    alone = self._measure(Work(self.idle_jobs, rate=self.idle_rate), server_pid, checker, before=0)
                loaded = self._measure(load, server_pid, checker, before=self.idle_jobs if idle else 0)
        finally:
            checker.close()
            self.postgres.drop(database)
        return {**loaded, **{name: value for name, value in alone.items() if name in WAITS}}

    def _measure(self, work: Work, server_pid: int | None, checker: Checker, before: int) -> dict[str, float]:
        # Else one peer's checkpoint is paid by the next.
        checker.rows("CHECKPOINT; SELECT 1")
        meter = LoadMeter(server_pid, self.postgres.process.pid, checker.value)
        result, program = run_json(self.command(work), work.patience + 60, **self.environment())
        used = meter.per_run(work.jobs)
        told = (result["accepted"], result["completed"], result["doubled"])
        if told != (work.jobs, work.jobs, 0):
            raise Broken(f"{self.name}: of {work.jobs} jobs (accepted, ended, doubled) were {told}")
        seen, ended = self.stored(checker)
        if (seen, ended) != (before + work.jobs, before + work.jobs):
            raise Broken(f"{self.name}: of {before + work.jobs} jobs its database has {seen}, {ended} of them ended well once")
        return {
            **used, "program_cpu_us": program.cpu_seconds * 1e6 / work.jobs, "rate": work.jobs / result["seconds"],
            "jobs": work.jobs, **({name: result[name] for name in WAITS} if work.rate else {}),
        }  # fmt: skip
