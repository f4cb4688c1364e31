"""One program of a benchmark: run to its end within a time, with what it used."""

import dataclasses
import json
import os
import resource
import signal
import subprocess


class Failed(Exception):
    """It ended with an error, printed something else than its result, or took too long."""


@dataclasses.dataclass
class Cost:
    """Of a program and the processes that it waited for."""

    cpu_seconds: float
    switches: int

    @staticmethod
    def of_children() -> "Cost":
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return Cost(used.ru_utime + used.ru_stime, used.ru_nvcsw + used.ru_nivcsw)

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.cpu_seconds - other.cpu_seconds, self.switches - other.switches)


def run_json(argv: list, patience: float, folder=None, **environment: str) -> tuple[dict, Cost]:
    """The object that it printed last, and its cost. Not for two programs at once: a cost is the difference of what all children
    that have ended used."""
    before = Cost.of_children()
    process = subprocess.Popen(
        list(map(str, argv)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
        env={**os.environ, **environment}, start_new_session=True,
    )  # fmt: skip
    try:
        out, error = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        raise Failed(f"{argv[0]} did not end within {patience:.0f} s") from None
    finally:
        end_session(process)
    if process.returncode != 0:
        raise Failed(f"{argv[0]} ended with {process.returncode}: {error.strip()[-2000:]}")
    try:
        return json.loads(out.strip().splitlines()[-1]), Cost.of_children() - before
    except (IndexError, json.JSONDecodeError):
        raise Failed(f"{argv[0]} printed no result: {out[-500:]!r} {error.strip()[-2000:]}") from None


def end_session(process: subprocess.Popen):
    """Kills what is left of a program that was started in a session of its own, and what it started there."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
