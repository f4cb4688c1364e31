"""What each statement did, from PostgreSQL's own extension pg_stat_statements."""

import dataclasses
import re

from forebay.postgres import programs

LIBRARY = "pg_stat_statements"


@dataclasses.dataclass
class Statement:
    text: str
    calls: int
    rows: int
    milliseconds: float
    wal_bytes: int

    @property
    def title(self) -> str:
        return re.sub(r"\s+", " ", self.text).strip()


def missing() -> str | None:
    """Why it cannot be loaded, or None."""
    here = (programs().parent / "lib" / f"{LIBRARY}.so").exists()
    return None if here else f"{LIBRARY} is not installed with PostgreSQL at {programs().parent}"


def settings() -> dict[str, str]:
    """What PostgreSQL has to be started with; nothing where it is missing."""
    return {} if missing() else {"shared_preload_libraries": LIBRARY, f"{LIBRARY}.max": "5000"}


class StatementCounts:
    """Of one database, from making it on. Its own statements are left out."""

    def __init__(self, checker):
        self._checker = checker
        checker.rows(f"CREATE EXTENSION IF NOT EXISTS {LIBRARY}; SELECT 1")

    def reset(self):
        self._checker.rows("SELECT pg_stat_statements_reset() IS NULL")

    def read(self) -> list[Statement]:
        """Those that took the most time first."""
        rows = self._checker.rows(
            """SELECT query, calls, rows, total_exec_time, wal_bytes::bigint FROM pg_stat_statements
               WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
                 AND strpos(query, 'pg_stat_statements') = 0
               ORDER BY total_exec_time DESC"""
        )
        return [Statement(*row) for row in rows]
