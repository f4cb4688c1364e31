"""What was looked at while it was empty, and is not any more, is looked at again before autovacuum comes by."""

import pytest
from forebay.daemons import Server, admin_api
from forebay.postgres import TestPostgres
from forebay.waiting import wait_until

pytestmark = pytest.mark.slow

RUNS = 3_000


@pytest.fixture
def database():
    # Nobody else is to look.
    cluster = TestPostgres(autovacuum="off")
    connection = cluster.connect(cluster.create())
    yield connection
    connection.close()
    cluster.destroy()


@pytest.fixture
def api(database, scratch):
    server = Server(scratch, database.dsn).start()
    api = admin_api(server)
    api.create_pool("alpha")
    api.deploy("flow/one", "alpha", ["true"])
    yield api
    api.close()
    assert server.terminate() == 0, server.tail()


def believed(connection, table: str) -> float:
    """Rows that plans reckon with, of all partitions together."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT sum(c.reltuples) FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
               WHERE c.relkind = 'r' AND c.reltuples > 0 AND %s IN (c.oid::regclass::text, i.inhparent::regclass::text)""",
            (table,),
        )
        return cursor.fetchone()[0] or 0


def test_tables_that_were_empty_are_analyzed_once_they_have_grown(database, api):
    with database.cursor() as cursor:
        cursor.execute("ANALYZE")
    assert believed(database, "flow_runs") == believed(database, "queued_runs") == 0

    api.submit_many("flow/one", RUNS)

    for table in ("flow_runs", "queued_runs"):
        wait_until(lambda table=table: believed(database, table) > 0, what=f"{table} is analyzed")


def test_a_table_that_was_emptied_is_analyzed_once_it_holds_something_again(database, api):
    """A vacuum that finds nobody alive leaves its pages, and the belief that they are empty."""
    api.submit_many("flow/one", RUNS)
    with database.cursor() as cursor:
        cursor.execute("DELETE FROM queued_runs")
        cursor.execute("VACUUM (TRUNCATE off) queued_runs")
        cursor.execute("SELECT relpages >= 10 FROM pg_class WHERE relname = 'queued_runs'")
        assert cursor.fetchone()[0]
    assert believed(database, "queued_runs") == 0

    api.submit_many("flow/one", RUNS // 10)

    wait_until(lambda: believed(database, "queued_runs") > 0, what="queued_runs is analyzed")
