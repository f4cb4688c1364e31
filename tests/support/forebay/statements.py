"""The server's own statements, read from where its build reads them, prepared as its sessions prepare them."""

import dataclasses
import importlib.util

import psycopg2

from .process import ROOT

QUERIES = ROOT / "server" / "db" / "queries"


def _embed_sql():
    spec = importlib.util.spec_from_file_location("embed_sql", ROOT / "scripts" / "cmake" / "embed_sql.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def server_statements() -> dict[str, str]:
    """Name to text, of all."""
    return dict(_embed_sql().statements(sorted(QUERIES.glob("*.sql"))))


class ServerSession:
    """A connection with a server's settings, which keeps generic plans only: what a server ends up with after some calls."""

    def __init__(self, database_url: str):
        self._statements = server_statements()
        self._connection = psycopg2.connect(database_url)
        self._connection.autocommit = True
        self._cursor = self._connection.cursor()
        self._cursor.execute(self._statements["open_session"])
        self._cursor.execute("SET plan_cache_mode = force_generic_plan")

    def close(self):
        self._connection.close()

    def plan(self, name: str, values: dict[str, str]) -> dict:
        """The plan of a statement as EXPLAIN tells it, not run. `values`: SQL of what each type of parameter is given, which
        decides nothing but which partitions are looked at; null if it is not said."""
        return self._explain(name, "FORMAT JSON", values)["Plan"]

    def query_id(self, name: str) -> int:
        """What pg_stat_statements knows the statement by."""
        return self._explain(name, "VERBOSE, FORMAT JSON", {})["Query Identifier"]

    def _explain(self, name: str, options: str, values: dict[str, str]) -> dict:
        self._cursor.execute(f"PREPARE {name} AS {self._statements[name]}")
        self._cursor.execute("SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = %s", (name,))
        types = self._cursor.fetchone()[0]
        words = ", ".join(values.get(kind, f"NULL::{kind}") for kind in types)
        self._cursor.execute(f"EXPLAIN ({options}) EXECUTE {name}" + (f" ({words})" if types else ""))
        told = self._cursor.fetchone()[0][0]
        self._cursor.execute(f"DEALLOCATE {name}")
        return told


@dataclasses.dataclass
class StatementStats:
    """What pg_stat_statements says of one of them."""

    calls: int
    rows: int
    # Of its tables and indexes, as often as it touched each.
    pages: int


def statement_stats(cursor) -> dict[str, StatementStats]:
    """Of each of the server's statements that was run in the cursor's database since the last reset."""
    cursor.execute(
        """SELECT s.queryid, s.calls, s.rows, s.shared_blks_hit + s.shared_blks_read
           FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = current_database()"""
    )
    stats = {query_id: StatementStats(*numbers) for query_id, *numbers in cursor.fetchall()}
    session = ServerSession(cursor.connection.dsn)
    ids = {name: session.query_id(name) for name in server_statements() if name != "open_session"}
    session.close()
    return {name: stats[query_id] for name, query_id in ids.items() if query_id in stats}
