"""What processes and the database used: processor time, memory, write-ahead log."""

import os
import pathlib
import time

from forebay.process import stat_fields

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Of the process itself."""
    fields = stat_fields(pid)
    return (int(fields[11]) + int(fields[12])) / TICK


def family_cpu_seconds(pid: int) -> float:
    """Of the process, its living children and those that it has waited for."""
    fields = stat_fields(pid)
    total = sum(map(int, fields[11:15])) / TICK
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            try:
                total += cpu_seconds(int(child))
            except OSError:
                pass
    return total


class Meter:
    """Reads before and after: seconds, processor seconds of server and PostgreSQL, bytes of write-ahead log."""

    def __init__(self, server_pid: int, postgres_pid: int, checker):
        self._server_pid = server_pid
        self._postgres_pid = postgres_pid
        self._checker = checker
        self._before = self._read()

    def _read(self):
        wal = self._checker.value("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return time.monotonic(), cpu_seconds(self._server_pid), family_cpu_seconds(self._postgres_pid), int(wal)

    def per_run(self, runs: int) -> dict[str, float]:
        _, server, postgres, wal = (after - before for after, before in zip(self._read(), self._before))
        return {
            "server_cpu_us": server * 1e6 / runs,
            "postgres_cpu_us": postgres * 1e6 / runs,
            "wal_bytes": wal / runs,
        }


def family(pid: int) -> list[int]:
    """The process and its living children."""
    children = [child for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()]
    return [pid, *map(int, children)]


def context_switches(pids: list[int]) -> int:
    """Of every thread that lives, asked for or not."""
    total = 0
    for pid in pids:
        for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
            try:
                lines = status.read_text().splitlines()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
    return total


class LoadMeter:
    """What servers and PostgreSQL use during one load; from making it to `per_run`. `sql` answers the one value of a query."""

    WRITES = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    WAL = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint"

    def __init__(self, server_pid: int | None, postgres_pid: int, sql):
        self._server_pid = server_pid
        self._postgres_pid = postgres_pid
        self._sql = sql
        self._before = self._read()

    def _read(self) -> dict[str, float]:
        server = {
            "server_cpu_us": family_cpu_seconds(self._server_pid) * 1e6,
            "server_switches": context_switches(family(self._server_pid)),
        } if self._server_pid else {}  # fmt: skip
        return {
            **server,
            "postgres_cpu_us": family_cpu_seconds(self._postgres_pid) * 1e6,
            "postgres_switches": context_switches(family(self._postgres_pid)),
            "wal_bytes": int(self._sql(self.WAL)),
            # Transactions that were given an id: those that wrote. PostgreSQL's own count of commits comes seconds late.
            "commits": int(self._sql(self.WRITES)),
        }

    def per_run(self, runs: int) -> dict[str, float]:
        after = self._read()
        return {name: (value - self._before[name]) / runs for name, value in after.items()}
