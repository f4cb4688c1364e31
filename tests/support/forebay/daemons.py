"""The real server, worker and command line."""

import dataclasses
import json
import pathlib
import subprocess

from .api import Api
from .process import SANITIZER, ChildProcess, binary, clean_environment
from .waiting import PATIENCE


class Server(ChildProcess):
    """forebay-server on a free port of loopback. Without a database URL it keeps its own private cluster."""

    def __init__(self, directory: pathlib.Path, database_url: str = "", name: str = "server", listen: str = "127.0.0.1:0",
                 arguments: tuple[str, ...] = (), **environment: str):  # fmt: skip
        self.data_dir = directory / f"{name}-data"
        self.ready_file = directory / f"{name}.ready"
        self.address = self.http_url = ""
        argv = [
            binary("forebay-server"), "--listen", listen, "--data-dir", str(self.data_dir),
            "--ready-file", str(self.ready_file), "--log-level", "debug",
            *(() if "--http-listen" in arguments else ("--http-listen", "127.0.0.1:0")), *arguments,
        ]  # fmt: skip
        if database_url:
            argv += ["--database-url", database_url]
        super().__init__(name, argv, directory, **environment)

    def start(self) -> "Server":
        """Spawns and waits until it serves. A restart listens where the first start did."""
        self.ready_file.unlink(missing_ok=True)
        self.spawn()
        return self.await_serving()

    def await_serving(self) -> "Server":
        self.address, self.http_url = (self.wait_ready(self.ready_file) + "\n").split("\n")[:2]
        self.argv[self.argv.index("--listen") + 1] = self.address
        self.argv[self.argv.index("--http-listen") + 1] = self.http_url.rpartition("//")[2] or "off"
        return self

    @property
    def admin_key_file(self) -> pathlib.Path:
        return self.data_dir / "admin.key"


class Worker(ChildProcess):
    """forebay-worker of one pool."""

    def __init__(self, directory: pathlib.Path, server: str, pool: str, key: str, name: str = "worker", limit: int = 4,
                 arguments: tuple[str, ...] = (), state_dir: pathlib.Path | None = None, shown_name: str = "",
                 **environment: str):  # fmt: skip
        self.ready_file = directory / f"{name}.ready"
        self.key_file = directory / f"{name}.key"
        self.state_dir = state_dir or directory / f"{name}-state"
        self.key_file.write_text(key + "\n")
        self.key_file.chmod(0o600)
        argv = [
            binary("forebay-worker"), "--server", server, "--pool", pool, "--name", shown_name or name,
            "--limit", str(limit), "--key-file", str(self.key_file), "--state-dir", str(self.state_dir),
            "--ready-file", str(self.ready_file), "--log-level", "debug", *arguments,
        ]  # fmt: skip
        super().__init__(name, argv, directory, **environment)
        self.worker_id = ""

    def start(self) -> "Worker":
        self.ready_file.unlink(missing_ok=True)
        self.spawn()
        self.worker_id = self.wait_ready(self.ready_file)
        return self


@dataclasses.dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class Cli:
    """`forebay` as a user runs it, with a home of its own."""

    def __init__(self, directory: pathlib.Path, server: str = "", key: str = "", name: str = "home"):
        self.home = directory / name
        self.home.mkdir(exist_ok=True)
        self.environment = {
            "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / ".config"), "NO_COLOR": "1",
            "XDG_DATA_HOME": str(self.home / ".local" / "share"),
        }  # fmt: skip
        if server:
            self.environment["FOREBAY_SERVER"] = server
        if key:
            self.environment["FOREBAY_API_KEY"] = key

    def __call__(self, *arguments: str, input: str | None = None, deadline: float = PATIENCE, **environment: str) -> Result:
        """Runs one command to its end."""
        done = subprocess.run(
            [binary("forebay"), *arguments],
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            cwd=self.home,
            env=clean_environment(**{**self.environment, **environment}),
            timeout=deadline,
            check=False,
        )
        assert not SANITIZER.search(done.stderr), done.stderr
        return Result(done.returncode, done.stdout, done.stderr)

    def background(self, name: str, *arguments: str) -> ChildProcess:
        """Spawns one command that goes on; its output is in `log`."""
        return ChildProcess(name, [binary("forebay"), *arguments], self.home, **self.environment).spawn()


def admin_api(server: Server, key: str = "") -> Api:
    return Api(server.address, key or server.admin_key_file.read_text().strip())
