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
