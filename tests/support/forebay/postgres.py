"""A throw-away PostgreSQL for tests: one cluster a session, one database a test."""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile

import psycopg2

from .process import ChildProcess
from .waiting import wait_until

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "300",
    "shared_buffers": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "logging_collector": "off",
    "max_wal_size": "1GB",
    # So long a connection that says nothing at its beginning keeps PostgreSQL from shutting down.
    "authentication_timeout": "5s",
}


def programs() -> pathlib.Path:
    """Folder of initdb and postgres; the newest installed."""
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    assert folders, "PostgreSQL is not installed: scripts/install_packages test"
    return folders[-1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class TestPostgres:
    __test__ = False

    def __init__(self, data: pathlib.Path | None = None, log: pathlib.Path | None = None, **settings: str):
        """`data`, `log`: folders of the caller's for tables and for the write-ahead log, to lie apart from the rest."""
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="fbpg-", dir="/tmp"))
        self.data = (data or self.home) / "data"
        self.log = (log or self.home) / "log"
        self.port = free_port()
        self.settings = {**SETTINGS, **settings}
        self._next_database = 0
        # initdb and postgres refuse to run as root.
        self._as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"] if os.geteuid() == 0 else []
        if self._as_user:
            entry = pwd.getpwnam("postgres")
            for folder in {self.home, self.data.parent, self.log.parent}:
                os.chown(folder, entry.pw_uid, entry.pw_gid)
        subprocess.run(
            [*self._as_user, programs() / "initdb", "-D", self.data, "-X", self.log, "-U", "postgres", "-A", "trust",
             "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip
        options = [part for key, value in self.settings.items() for part in ("-c", f"{key}={value}")]
        self.process = ChildProcess(
            "postgres",
            [*self._as_user, str(programs() / "postgres"), "-D", str(self.data), "-p", str(self.port),
             "-k", str(self.home), *options],
            self.home,
        )  # fmt: skip
        self.start()

    def start(self):
        self.process.spawn()
        wait_until(self._accepts, what="PostgreSQL accepts connections")

    def _accepts(self) -> bool:
        assert self.process.running, self.process.tail()
        try:
            psycopg2.connect(self.url("postgres")).close()
            return True
        except psycopg2.OperationalError:
            return False

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str):
        """An autocommit connection."""
        connection = psycopg2.connect(self.url(database))
        connection.autocommit = True
        return connection

    def execute(self, statement: str, database: str = "postgres"):
        connection = self.connect(database)
        try:
            connection.cursor().execute(statement)
        finally:
            connection.close()

    def create(self, template: str = "template1") -> str:
        """Name of a new database."""
        self._next_database += 1
        name = f"test_{self._next_database}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str):
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def stop(self):
        """A fast shutdown: connections are cut, what is committed is kept."""
        self.process.signal(signal.SIGINT)
        self.process.wait()

    def crash(self):
        """An immediate shutdown: as a power cut, recovered at the next start."""
        self.process.signal(signal.SIGQUIT)
        self.process.wait()

    def destroy(self):
        if self.process.running:
            self.crash()
        shutil.rmtree(self.home, ignore_errors=True)
