"""A pgbouncer before the test's PostgreSQL."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import psycopg2

from .postgres import TestPostgres, free_port
from .process import ChildProcess
from .waiting import wait_until

PROGRAM = "/usr/sbin/pgbouncer"


def version() -> tuple[int, ...] | None:
    """None when it is not installed."""
    if not pathlib.Path(PROGRAM).exists():
        return None
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(number) for number in re.search(r"(\d+)\.(\d+)", said).groups())


class PgBouncer:
    def __init__(self, postgres: TestPostgres, pool_mode: str, pool_size: int = 30, **settings: str):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="fbpb-", dir="/tmp"))
        self.port = free_port()
        self.home.chmod(0o755)
        (self.home / "users.txt").write_text('"postgres" ""\n')
        lines = {
            "listen_addr": "127.0.0.1", "listen_port": self.port, "unix_socket_dir": "", "auth_type": "any",
            "pool_mode": pool_mode, "default_pool_size": pool_size, "max_client_conn": 500,
            "ignore_startup_parameters": "extra_float_digits", "auth_file": self.home / "users.txt", **settings,
        }  # fmt: skip
        settings_text = "\n".join(f"{name} = {value}" for name, value in lines.items())
        databases = f"[databases]\n* = host=127.0.0.1 port={postgres.port} user=postgres\n"
        (self.home / "pgbouncer.ini").write_text(f"{databases}[pgbouncer]\n{settings_text}\n")
        # It refuses to run as root.
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"] if os.geteuid() == 0 else []
        self.process = ChildProcess("pgbouncer", [*as_user, PROGRAM, str(self.home / "pgbouncer.ini")], self.home)
        self.process.spawn()
        wait_until(self._accepts, what="pgbouncer accepts connections")

    def _accepts(self) -> bool:
        assert self.process.running, self.process.tail()
        try:
            psycopg2.connect(self.url("postgres")).close()
            return True
        except psycopg2.OperationalError:
            return False

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def close(self):
        self.process.kill()
        shutil.rmtree(self.home, ignore_errors=True)
