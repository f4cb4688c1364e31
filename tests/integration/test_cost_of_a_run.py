"""What a run costs in rows, write-ahead log and pages touched, which hardly depend on how fast the machine is, as a time does.
A change that makes a run dearer by a quarter shows here; one that loses the batches shows in statements and commits."""

import collections
import json
import subprocess

import pytest
from forebay.daemons import Server, admin_api
from forebay.postgres import TestPostgres
from forebay.process import binary
from forebay.statements import StatementStats, statement_stats
from forebay.waiting import wait_until

pytestmark = pytest.mark.slow

RUNS = 2000
SUBMISSIONS = {"batched": ("--batch", "100", "--calls-in-flight", "4"), "single": ("--batch", "1", "--calls-in-flight", "256")}
# The most that a run may cost: a quarter above the most of fifteen repetitions, five of them with all processors busy.
# Statements and commits depend on what gathers in a batch, and that on the machine; alone, a run takes some twenty and four.
CEILINGS = {
    #                       batched  single
    "write-ahead bytes":    (2_200,   2_200),
    "write-ahead records":  (16,      16),
    "pages touched":        (50,      50),
    "statements":           (4,       8),
    "commits":              (1,       2),
}  # fmt: skip
# Rows that are written for each run, and how.
WRITES = {
    ("flow_runs", "inserted"): 1,
    ("flow_runs", "updated"): 1,
    ("held_attempts", "inserted"): 1,
    ("held_attempts", "updated"): 1,
    ("held_attempts", "deleted"): 1,
    ("earlier_attempts", "inserted"): 0,
}
# What is told of each run: scheduled, pending, running, completed.
STEPS = 4
# Rows that statements answer for each run: it was made. What it reports is decided from memory, without a look at it.
ROWS = {"insert_runs": 1, "lock_attempts": 0}
NEVER = StatementStats(0, 0, 0)


@pytest.fixture(scope="module")
def measured_postgres():
    """Writes nothing for reasons of its own, and counts."""
    quiet = {"autovacuum": "off", "full_page_writes": "off", "checkpoint_timeout": "1d"}
    cluster = TestPostgres(shared_preload_libraries="pg_stat_statements", **quiet)
    yield cluster
    cluster.destroy()


def load(server: Server, key_file, *plan: str):
    """Runs through the server, by workers that take no time."""
    done = subprocess.run(
        [binary("forebay-bench"), "--server", server.address, "--key-file", server.admin_key_file, "--worker-key-file", key_file,
         "--pool", "alpha", "--deployment", "flow/one", "--workers", "8", "--slots", "128", "--runs", str(RUNS), *plan],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    told = json.loads(done.stdout)
    wanted = {"accepted": RUNS, "completed": RUNS, "doubled": 0, "refused": 0, "faults": 0}
    assert {name: told[name] for name in wanted} == wanted, told


@pytest.fixture(params=SUBMISSIONS)
def counted(request, measured_postgres, scratch):
    """How the runs were submitted, and a cursor on the database after all of them have ended and the server has gone: only
    then have its sessions told all that they count."""
    database = measured_postgres.create()
    connection = measured_postgres.connect(database)
    cursor = connection.cursor()
    cursor.execute("CREATE EXTENSION pg_stat_statements")
    server = Server(scratch, measured_postgres.url(database), arguments=("--log-level", "info")).start()
    api = admin_api(server)
    api.create_pool("alpha")
    api.deploy("flow/one", "alpha", ["true"])
    key_file = scratch / "worker.key"
    key_file.write_text(api.TokenService.CreateWorkerKey(work_pool="workPools/alpha").secret)
    api.close()
    cursor.execute("SELECT pg_stat_statements_reset(), pg_stat_reset_shared('wal')")
    load(server, key_file, *SUBMISSIONS[request.param])
    assert server.terminate() == 0, server.tail()
    wait_until(lambda: others(cursor) == 0, what="the server's sessions are gone")
    yield request.param, cursor
    connection.close()
    measured_postgres.drop(database)


def others(cursor) -> int:
    cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    return cursor.fetchone()[0]


def written(cursor) -> collections.Counter:
    """By table, partitions of a week together, and by what was done."""
    cursor.execute(
        r"""SELECT regexp_replace(relname, '_\d{4}w\d\d$', ''), n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables"""
    )
    counts = collections.Counter()
    for table, *numbers in cursor.fetchall():
        for what, number in zip(("inserted", "updated", "deleted"), numbers):
            counts[table, what] += number
    return counts


def commits(cursor) -> int:
    cursor.execute(
        """SELECT calls FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
           WHERE d.datname = current_database() AND query = 'COMMIT'"""
    )
    return cursor.fetchone()[0]


def test_a_run_costs_no_more_than_it_did(counted):
    how, cursor = counted
    cursor.execute("SELECT wal_bytes, wal_records FROM pg_stat_wal")
    log_bytes, log_records = cursor.fetchone()
    committed = commits(cursor)
    statements = statement_stats(cursor)
    assert {name: statements.get(name, NEVER).rows / RUNS for name in ROWS} == ROWS

    writes = written(cursor)
    assert {which: writes[which] / RUNS for which in WRITES} == WRITES
    # Not all go through the queue; those that do are taken out of it by one grant each.
    granted = statements.get("grant_attempts", NEVER).rows
    assert writes["queued_runs", "inserted"] == writes["queued_runs", "deleted"] == granted
    assert writes["queued_runs", "updated"] == 0
    cursor.execute("SELECT sum(cardinality(run_id)) FROM run_events")
    assert cursor.fetchone()[0] == STEPS * RUNS

    spent = {
        "write-ahead bytes": float(log_bytes) / RUNS,
        "write-ahead records": log_records / RUNS,
        "pages touched": sum(stats.pages for stats in statements.values()) / RUNS,
        "statements": sum(stats.calls for stats in statements.values()) / RUNS,
        "commits": committed / RUNS,
    }
    print(how, {name: round(value, 3) for name, value in spent.items()})
    most = {name: columns[list(SUBMISSIONS).index(how)] for name, columns in CEILINGS.items()}
    assert all(spent[name] <= most[name] for name in most), f"a run costs {spent}, and may cost {most}"
