"""What one test stands on: its database, server, workers and marks. Stops and kills what it made."""

import contextlib
import os
import pathlib
import signal

from .api import Api
from .checker import Checker, processes_of_runs
from .daemons import Cli, Server, Worker
from .fake_worker import FakeWorker
from .gate import TcpGate
from .marker import MarkerFile
from .pgbouncer import PgBouncer
from .postgres import TestPostgres


class Environment:
    def __init__(self, postgres: TestPostgres, migrated: tuple[str, str], scratch: pathlib.Path):
        template, self.admin_key = migrated
        self.postgres = postgres
        self.scratch = scratch
        self.database = postgres.create(template)
        self.database_url = postgres.url(self.database)
        # Where servers look for it: the same, or a gate on the way there.
        self.server_database_url = self.database_url
        self.server_arguments: tuple[str, ...] = ()
        self.marks = MarkerFile(scratch / "marks")
        self._closers = [lambda: postgres.drop(self.database)]
        self._server: Server | None = None
        self._api: Api | None = None
        self._checker: Checker | None = None
        self._count = 0

    @property
    def server(self) -> Server:
        """The first server, started when first asked for."""
        if self._server is None:
            self._server = self.new_server(arguments=self.server_arguments)
        return self._server

    @property
    def api(self) -> Api:
        """The API with the admin key."""
        if self._api is None:
            self._api = self.new_api()
        return self._api

    @property
    def checker(self) -> Checker:
        if self._checker is None:
            self._checker = self._closing(Checker(self.database_url))
        return self._checker

    def make_server(self, database_url: str = "", **options) -> Server:
        """A server that is not started yet."""
        self._count += 1
        options.setdefault("name", f"server{self._count}")
        server = Server(self.scratch, database_url or self.server_database_url, **options)
        self._closers.append(server.close)
        return server

    def new_server(self, database_url: str = "", **options) -> Server:
        return self.make_server(database_url, **options).start()

    def restart_server(self, how: str = "kill"):
        """Ends the server (kill or terminate) if it runs, and starts it again where it was."""
        if self.server.running:
            getattr(self.server, how)()
        self.server.start()
        self.api.wait_until_served()

    def new_api(self, address: str = "", token: str = "") -> Api:
        return self._closing(Api(address or self.server.address, token or self.admin_key))

    def new_gate(self, target: str = "") -> TcpGate:
        return self._closing(TcpGate(target or self.server.address))

    def gate_to_database(self) -> TcpGate:
        """What servers that are started from now on have between themselves and their database."""
        gate = self.new_gate(f"127.0.0.1:{self.postgres.port}")
        self.server_database_url = self.database_url.replace(f"127.0.0.1:{self.postgres.port}", gate.address)
        return gate

    def pgbouncer_before_database(self, pool_mode: str, **settings):
        """The same with a pgbouncer."""
        between = self._closing(PgBouncer(self.postgres, pool_mode, **settings))
        self.server_database_url = between.url(self.database)

    def new_cli(self, **options) -> Cli:
        return Cli(self.scratch, self.server.address, self.admin_key, **options)

    def worker_key(self, pool: str) -> str:
        return self.api.TokenService.CreateWorkerKey(work_pool=f"workPools/{pool}", description="test").secret

    def make_worker(self, pool: str, server: str = "", key: str = "", **options) -> Worker:
        """A worker that is not started yet."""
        self._count += 1
        options.setdefault("name", f"worker{self._count}")
        worker = Worker(self.scratch, server or self.server.address, pool, key or self.worker_key(pool), **options)
        self._closers.append(worker.close)
        return worker

    def new_worker(self, pool: str, **options) -> Worker:
        return self.make_worker(pool, **options).start()

    def fake_worker(self, pool: str, api: Api | None = None, **options) -> FakeWorker:
        return self._closing(FakeWorker(api or self.new_api(token=self.worker_key(pool)), pool, **options))

    def close(self):
        """Everything is ended, also when ending one thing fails."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._end_runs)
            for closer in self._closers:
                stack.callback(closer)

    def _closing(self, thing):
        self._closers.append(thing.close)
        return thing

    def _end_runs(self):
        """Runs outlive their worker by design; those of this test end with it."""
        directories = (path.name for path in self.scratch.rglob("runs/forebay-*"))
        ours = {name.removeprefix("forebay-").rpartition("-")[0] for name in directories}
        ours |= {mark.run_id for mark in self.marks.marks()} | {s.run_id for s in (self._api.submitted if self._api else [])}
        for pid, run_id in processes_of_runs():
            if run_id in ours:
                self._kill(pid)

    @staticmethod
    def _kill(pid: int):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
