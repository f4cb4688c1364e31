"""What the server does for its tables before autovacuum comes by: what was looked at while it was empty is looked at again, and the
space of attempts that have ended is freed."""

import psycopg2
import pytest
from forebay.daemons import Server, admin_api
from forebay.postgres import TestPostgres
from forebay.waiting import wait_until

pytestmark = pytest.mark.slow

RUNS = 3_000
# What one vacuum is worth.
DEAD = 50_000


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



def end_attempts(connection, count: int):
    """Rows of attempts that nobody ever sees: they are gone when their transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""BEGIN;
                INSERT INTO held_attempts (run_id, attempt, epoch, pool_id, queue_id, deployment_id, worker_id, ticket_hash,
                                           start_deadline)
                SELECT gen_random_uuid(), 1, 1, nobody, nobody, nobody, nobody, sha256(''), now()
                FROM generate_series(1, {count}) CROSS JOIN gen_random_uuid() AS nobody;
                DELETE FROM held_attempts;
                COMMIT;
                SELECT pg_stat_force_next_flush()"""
        )


def value(connection, query: str):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


def upkeep(connection) -> tuple[int, int]:
    """Of held attempts: vacuums so far, and dead rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT vacuum_count, n_dead_tup FROM pg_stat_user_tables WHERE relname = 'held_attempts'")
        return cursor.fetchone()


def wait_for_a_whole_turn(connection):
    """Of the duty that vacuums: one that began after this call has ended when the next but one begins."""
    for _ in range(3):
        before = value(connection, "SELECT deadline FROM duty_leases WHERE name = 'vacuum'")
        wait_until(lambda: value(connection, "SELECT deadline FROM duty_leases WHERE name = 'vacuum'") != before, what="the next turn")


def test_the_space_of_ended_attempts_is_used_again(database, api):
    end_attempts(database, DEAD + 1)
    wait_until(lambda: upkeep(database) == (1, 0), what="held attempts are vacuumed")
    size = value(database, "SELECT pg_relation_size('held_attempts')")

    end_attempts(database, DEAD)
    assert value(database, "SELECT pg_relation_size('held_attempts')") <= size


def test_what_a_snapshot_holds_is_not_vacuumed_again_and_again(database, api):
    reader = psycopg2.connect(database.dsn)
    reader.set_session(isolation_level="REPEATABLE READ", readonly=True)
    try:
        value(reader, "SELECT count(*) FROM flow_runs")
        end_attempts(database, DEAD + 1)
        wait_until(lambda: upkeep(database)[0] == 1, what="held attempts are vacuumed")
        end_attempts(database, DEAD // 2)
        wait_for_a_whole_turn(database)
        assert upkeep(database)[0] == 1
        assert upkeep(database)[1] > DEAD
    finally:
        reader.close()

    end_attempts(database, DEAD)
    wait_until(lambda: upkeep(database) == (2, 0), what="held attempts are vacuumed once it is worth it")
