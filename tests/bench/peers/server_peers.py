"""Those with a server between whoever submits, whoever works, and PostgreSQL: Forebay itself, and Prefect."""

import contextlib
import pathlib
import subprocess
import time
import urllib.error
import urllib.request

from forebay.api import Api
from forebay.checker import Checker
from forebay.daemons import Server
from forebay.postgres import TestPostgres, free_port
from forebay.process import ChildProcess, binary
from installing import PROGRAMS, Place, python_packages
from payload import PARAMETERS
from peer import Peer, Work

WORKERS, SLOTS = 64, 16


class Forebay(Peer):
    name = "forebay"
    includes = (
        f"a server: submissions, grants, starts and ends are authenticated RPCs; {WORKERS} simulated workers of {SLOTS} slots, "
        "each with its connection; leases, states and history are kept"
    )
    tuning = "none; submissions in batches, 16 at once; idle: until the assignment is in the worker's hand, its start gate is one more call"

    def versions(self) -> str:
        return subprocess.run([binary("forebay-server"), "--version"], capture_output=True, text=True, check=True).stdout.strip()

    @contextlib.contextmanager
    def serving(self, database: str, folder: pathlib.Path):
        self._turn_folder = folder / database
        self._turn_folder.mkdir()
        self._server = Server(self._turn_folder, self.postgres.url(database), arguments=("--log-level", "info")).start()
        self._pools = 0
        try:
            self._api = Api(self._server.address, self._server.admin_key_file.read_text().strip())
            yield self._server.pid
        finally:
            self._server.close()

    def command(self, work: Work) -> list:
        self._pools += 1
        pool = f"pool-{self._pools}"
        self._api.create_pool(pool)
        self._api.deploy(f"bench/{pool}", pool, ["true"])
        key_file = self._turn_folder / f"{pool}.key"
        key_file.write_text(self._api.TokenService.CreateWorkerKey(work_pool=f"workPools/{pool}").secret)
        pace = ["--rate", work.rate, "--calls-in-flight", 1] if work.rate else ["--batch", work.batch, "--calls-in-flight", 16]
        return [
            binary("forebay-bench"), "--server", self._server.address, "--key-file", self._server.admin_key_file,
            "--worker-key-file", key_file, "--pool", pool, "--deployment", f"bench/{pool}", "--workers", WORKERS,
            "--slots", SLOTS, "--runs", work.jobs, "--parameters", PARAMETERS, *pace,
        ]  # fmt: skip

    def stored(self, checker: Checker) -> tuple[int, int]:
        return checker.rows("SELECT count(*), count(*) FILTER (WHERE state = 'COMPLETED' AND attempts = 1) FROM flow_runs")[0]


class Prefect(Peer):
    name = "prefect"
    includes = (
        "a server: flow runs created and moved through Pending, Running and Completed by its own client, found by polling their "
        "work pool, as its worker and engine do; no process is started for a run; states and history are kept"
    )
    tuning = (
        "server on PostgreSQL through asyncpg, 4 submitters and 16 runs at once in one client process, which polls without a "
        "pause under load; idle: polling as its worker does by itself, every 10 s. It has no call for many runs"
    )
    first_jobs = 60
    idle_jobs, idle_rate = 30, 1

    def __init__(self, postgres: TestPostgres, cache: pathlib.Path):
        super().__init__(postgres)
        self.place = Place(cache, "prefect")

    def versions(self) -> str:
        return "Prefect " + self.place.pins[0].rpartition("=")[2]

    def install(self):
        self.python = python_packages(self.place)

    @contextlib.contextmanager
    def serving(self, database: str, folder: pathlib.Path):
        home = folder / database
        home.mkdir()
        port = free_port()
        url = self.postgres.url(database).replace("postgresql://", "postgresql+asyncpg://")
        self._client = {"PREFECT_HOME": str(home), "PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
        self._pools = 0
        server = ChildProcess(
            "prefect", [str(self.python), "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)], home,
            PREFECT_HOME=str(home), PREFECT_API_DATABASE_CONNECTION_URL=url, PREFECT_SERVER_ANALYTICS_ENABLED="false",
            PREFECT_SERVER_UI_ENABLED="false",
        ).spawn()  # fmt: skip
        try:
            self._await_healthy(server, f"http://127.0.0.1:{port}/api/health")
            yield server.pid
        finally:
            server.terminate()

    @staticmethod
    def _await_healthy(server: ChildProcess, url: str, patience: float = 120):
        deadline = time.monotonic() + patience
        while True:
            try:
                with urllib.request.urlopen(url, timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                assert server.running and time.monotonic() < deadline, server.tail()
                time.sleep(0.2)

    def environment(self) -> dict[str, str]:
        return self._client

    def command(self, work: Work) -> list:
        self._pools += 1
        pace = ["--rate", work.rate] if work.rate else []
        return [
            self.python, PROGRAMS / "prefect_load.py", "--pool", f"pool-{self._pools}", "--jobs", work.jobs,
            "--patience", work.patience, *pace,
        ]  # fmt: skip

    def stored(self, checker: Checker) -> tuple[int, int]:
        """Ended once: with one state each of Scheduled, Pending, Running and Completed."""
        return checker.rows(
            """SELECT count(*), count(*) FILTER (WHERE r.state_type = 'COMPLETED' AND r.run_count = 1 AND s.states = 4)
               FROM flow_run r JOIN LATERAL (SELECT count(*) AS states FROM flow_run_state WHERE flow_run_id = r.id) s ON true"""
        )[0]
