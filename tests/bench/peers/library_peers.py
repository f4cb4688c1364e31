"""Peers that are libraries: whoever submits and whoever works speak to PostgreSQL themselves."""

import pathlib
import shutil

from forebay.checker import Checker
from forebay.postgres import TestPostgres
from installing import PROGRAMS, Place, need, python_packages, step
from peer import Peer, Work

ALONE = "a library in the program that works: no server, no RPC"


class River(Peer):
    name = "river"
    includes = f"{ALONE}; one Go process inserts and works; finished jobs are kept"
    tuning = (
        "load: InsertManyFast (COPY) from 2 goroutines, MaxWorkers 1000, FetchCooldown 1 ms (its documentation: throughput is "
        "limited by this value); idle: as it is by itself, which was faster there"
    )

    def __init__(self, postgres: TestPostgres, cache: pathlib.Path):
        super().__init__(postgres)
        self.sources = list((PROGRAMS / "river").glob("*.go"))
        self.place = Place(cache, "river", self.sources)

    def versions(self) -> str:
        return "River " + self.place.pins[0].partition("@v")[2]

    def install(self):
        go = need("go")

        def build(folder: pathlib.Path):
            # One for all pins: what differs has another path there.
            own = {"GOPATH": str(self.place.cache / "go"), "GOFLAGS": "-modcacherw"}
            for source in self.sources:
                shutil.copy(source, folder)
            step(go, "mod", "init", "forebay.invalid/peer", folder=folder, **own)
            step(go, "get", *self.place.pins, folder=folder, **own)
            step(go, "build", "-o", "river-load", ".", folder=folder, **own)

        self.place.fill(build)

    def command(self, work: Work) -> list:
        how = (
            ["--rate", work.rate, "--workers", 100]
            if work.rate
            else ["--submitters", 2, "--workers", 1000, "--fetch-cooldown", "1ms"]
        )
        return [
            self.place.folder / "river-load", "--database-url", self.database_url, "--jobs", work.jobs, "--batch", work.batch,
            "--patience", f"{work.patience}s", *how,
        ]  # fmt: skip

    def stored(self, checker: Checker) -> tuple[int, int]:
        return checker.rows("SELECT count(*), count(*) FILTER (WHERE state = 'completed' AND attempt = 1) FROM river_job")[0]


class Graphile(Peer):
    name = "graphile"
    includes = f"{ALONE}; one Node process, adding in a thread of its own; a finished job is deleted, there is no history"
    tuning = (
        "as its performance page measures: concurrentJobs 24, maxPoolSize 25, localQueue of 500, completeJobBatchDelay 0; "
        "addJobs over 2 connections"
    )

    def __init__(self, postgres: TestPostgres, cache: pathlib.Path):
        super().__init__(postgres)
        self.sources = list((PROGRAMS / "graphile").glob("*.mjs"))
        self.place = Place(cache, "graphile", self.sources)

    def versions(self) -> str:
        worker, node = (pin.rpartition("@")[2] for pin in self.place.pins[:2])
        return f"Graphile Worker {worker} on Node {node}"

    def install(self):
        npm = need("npm")

        def fetch(folder: pathlib.Path):
            step(npm, "install", "--no-audit", "--no-fund", "--prefix", folder, *self.place.pins, folder=folder)
            # A program finds its packages beside itself.
            for source in self.sources:
                shutil.copy(source, folder)

        self.place.fill(fetch)

    def command(self, work: Work) -> list:
        return [
            self.place.folder / "node_modules" / ".bin" / "node", self.place.folder / "load.mjs",
            "--database-url", self.database_url, "--jobs", work.jobs, "--batch", work.batch, "--rate", work.rate,
            "--submitters", 2, "--patience-seconds", work.patience,
        ]  # fmt: skip

    def stored(self, checker: Checker) -> tuple[int, int]:
        """It keeps nothing of a job that is done: ids that were given, less those that are left."""
        given, left = checker.rows(
            """SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence(jobs, 'id')::regclass), 0),
                      (SELECT count(*) FROM graphile_worker._private_jobs)
               FROM (VALUES ('graphile_worker._private_jobs')) AS named (jobs)"""
        )[0]
        return given, given - left


class Procrastinate(Peer):
    name = "procrastinate"
    includes = f"{ALONE}; one Python process works, another one defers; finished jobs and their events are kept"
    tuning = "batch_defer over 2 connections, worker concurrency 100, psycopg's C speed-ups"
    first_jobs = 2000

    def __init__(self, postgres: TestPostgres, cache: pathlib.Path):
        super().__init__(postgres)
        self.place = Place(cache, "procrastinate")

    def versions(self) -> str:
        return "Procrastinate " + self.place.pins[0].rpartition("=")[2]

    def install(self):
        self.python = python_packages(self.place)

    def command(self, work: Work) -> list:
        return [
            self.python, PROGRAMS / "procrastinate_load.py", "--database-url", self.database_url, "--jobs", work.jobs, "--batch",
            work.batch, "--rate", work.rate, "--submitters", 2, "--concurrency", 100, "--patience", work.patience,
        ]  # fmt: skip

    def stored(self, checker: Checker) -> tuple[int, int]:
        return checker.rows(
            """SELECT (SELECT count(*) FROM procrastinate_jobs),
                      (SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded' AND attempts = 1)"""
        )[0]
