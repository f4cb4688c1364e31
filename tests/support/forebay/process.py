"""One child process of a test: started, stopped, killed and paused by its id; its output kept in a file."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import time

from .waiting import PATIENCE, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(os.environ.get("FOREBAY_BIN_DIR", ROOT / "build" / "dev" / "bin"))
# A sanitizer's report in a log or on standard error.
SANITIZER = re.compile(r"(Address|Leak|Thread|UndefinedBehavior)Sanitizer|: runtime error: ")


def binary(name: str) -> str:
    path = BIN / name
    assert path.exists(), f"{path} is missing: build it, or set FOREBAY_BIN_DIR"
    return str(path)


def clean_environment(**more: str) -> dict[str, str]:
    """The environment of a child: nothing of Forebay's from the outside."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("FOREBAY_")}
    return {**kept, **{key: str(value) for key, value in more.items()}}


class ChildProcess:
    def __init__(self, name: str, argv: list[str], directory: pathlib.Path, **environment: str):
        self.name = name
        self.argv = argv
        self.directory = directory
        self.environment = environment
        self.log = directory / f"{name}.log"
        self.process: subprocess.Popen | None = None

    def spawn(self):
        assert not self.running, f"{self.name} runs already"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                env=clean_environment(**self.environment),
            )
        return self

    def wait_ready(self, ready_file: pathlib.Path, deadline: float = PATIENCE) -> str:
        """The text of the file that the process writes when it is ready."""

        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.tail()}")
            text = ready_file.read_text().strip() if ready_file.exists() else ""
            return text or None

        return wait_until(ready, deadline, f"{self.name} ready")

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: int):
        self.process.send_signal(number)

    def kill(self):
        """SIGKILL, and wait until it is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def close(self):
        """The end of a test: at once; under a sanitizer orderly, so that it can look for leaks."""
        for _ in range(3 if "FOREBAY_SANITIZED" in os.environ else 0):
            if not self.running:
                return
            self.signal(signal.SIGTERM)
            self.signal(signal.SIGCONT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
        self.kill()

    def pause(self):
        self.signal(signal.SIGSTOP)
        wait_until(lambda: self.stat_field(0) == "T", what=f"{self.name} stopped")

    def resume(self):
        self.signal(signal.SIGCONT)

    def terminate(self, deadline: float = PATIENCE) -> int:
        """SIGTERM; the exit code."""
        if self.running:
            self.signal(signal.SIGTERM)
        return self.wait(deadline)

    def wait(self, deadline: float = PATIENCE) -> int:
        try:
            return self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {deadline} s:\n{self.tail()}") from None

    def tail(self, lines: int = 60) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def stat_field(self, index: int) -> str:
        """Field of /proc/<pid>/stat, counted from the state (0)."""
        return stat_fields(self.pid)[index]

    def rss_bytes(self) -> int:
        return int(self.stat_field(21)) * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self) -> float:
        return (int(self.stat_field(11)) + int(self.stat_field(12))) / os.sysconf("SC_CLK_TCK")


def stat_fields(pid: int) -> list[str]:
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return text[text.rindex(")") + 2 :].split()


def is_alive(pid: int, start_time: str | None = None) -> bool:
    """Whether a process of that id (and start time, field 22 of its stat) exists and is no zombie."""
    try:
        fields = stat_fields(pid)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return fields[0] != "Z" and start_time in (None, fields[19])


def wait_gone(pid: int, deadline: float = PATIENCE):
    wait_until(lambda: not is_alive(pid), deadline, f"process {pid} gone")


def sleep(seconds: float):
    """For letting a fault last; never for waiting until something has happened."""
    time.sleep(seconds)
