"""Plans of the statements that a run's way through the server is made of: what they have been found good as, and what no plan
of them may do.

FOREBAY_UPDATE_GOLDEN=1 in the environment rewrites tests/integration/plans instead of comparing; look at the difference before
you commit it.
"""

import difflib
import os
import pathlib

import pytest
from forebay.daemons import Server, admin_api
from forebay.fake_worker import FakeWorker
from forebay.plan_text import WEEK, nodes, render
from forebay.statements import ServerSession

PLANS = pathlib.Path(__file__).parent / "plans"
pytestmark = pytest.mark.slow

# Another one may plan otherwise with good reason.
POSTGRES_MAJOR = 15
# By the path that runs them.
HOT = {
    "submit": "submit_targets take_idempotency_keys read_idempotency_keys insert_runs which_runs_exist",
    "claim": "claim_state claim_candidates gated_candidates grant_attempts gate_runs_late cancel_collisions next_due probe_pools",
    "limits": "share_limits lock_counters slots_left_of bump_counters take_decaying",
    "replay": "lock_replayed renew_tickets lock_sightings adopt_attempts",
    "report": "lock_attempts advance_attempts end_attempts lock_overdue",
    "lease": "renew_leases set_readiness held_by_workers end_leases read_worker time_out_attempts",
    "run": "run_heartbeat read_started_run",
    "logs": "lock_log_ends append_logs advance_log_ends read_logs log_end",
    "watch": "read_run read_runs read_attempts where_it_stands event_horizon read_events",
}
STATEMENTS = [name for names in HOT.values() for name in names.split()]
RUN_TABLES = {"flow_runs", "queued_runs", "held_attempts", "earlier_attempts", "run_events", "run_logs"}
# By duties, once in a while and on one server: look at all that is held.
WALKS = {("lock_overdue", "held_attempts"), ("time_out_attempts", "held_attempts")}
# What plans that were made for empty tables read until the duty "statistics" has seen them grow.
WHILE_EMPTY = {
    ("cancel_collisions", "flow_runs"),
    ("cancel_collisions", "queued_runs"),
    ("end_attempts", "flow_runs"),
    ("lock_replayed", "held_attempts"),
    ("lock_sightings", "held_attempts"),
}
# Of those made after a vacuum that found nobody alive and kept the pages.
WHILE_EMPTIED = {
    ("cancel_collisions", "queued_runs"),
    ("lock_sightings", "held_attempts"),
    ("read_run", "held_attempts"),
    ("read_runs", "held_attempts"),
}
# What one poll was granted; what a worker says it holds; what the deployments with limits have slots for; the steps within a row;
# a run's last attempt after its earlier ones.
SORTS = {"lock_replayed", "lock_sightings", "gated_candidates", "read_events", "read_attempts"}
# For each deployment or queue its place among the few of a pool.
QUEUES_OF_A_POOL = {"gated_candidates", "submit_targets"}
# Joins two tables of a few rows, and begins with either.
EITHER_WAY = {"take_decaying"}
# A server keeps for a while the plans that it made when its tables were smaller.
NONE, FEW, MANY = 0, 1_000, 100_000
# No number of runs: so many were there, and what comes and goes is gone again.
EMPTIED = -MANY
NOBODY = "00000000-0000-7000-8000-000000000000"
POOLS, DEPLOYMENTS, WORKERS = 100, 5, 4


def make_targets(api):
    """Pools, queues, deployments and workers; the last deployment of each pool shares a limit and has one of its own."""
    for pool in (f"pool-{number}" for number in range(POOLS)):
        api.ConcurrencyLimitService.CreateConcurrencyLimit(concurrency_limit={"name": pool, "slots": 100_000})
        api.create_pool(pool)
        api.WorkQueueService.CreateWorkQueue(work_queue={"name": f"workPools/{pool}/queues/second", "priority": 2})
        for number in range(DEPLOYMENTS - 1):
            api.deploy(f"{pool}/plain-{number}", pool, ["true"], queue="second" if number else "")
        api.deploy(f"{pool}/limited", pool, ["true"], concurrency_limit=1000, concurrency_limits=[pool])
        worker_api = api.with_token(api.TokenService.CreateWorkerKey(work_pool=f"workPools/{pool}").secret)
        for _ in range(WORKERS):
            FakeWorker(worker_api, pool)
        worker_api.close()


def fill(connection, runs: int) -> tuple[str, str]:
    """Two runs, of last week and of this one. What is empty has no statistics, as on a server: autovacuum leaves it alone. With
    no runs at all everything was looked at and found empty, as by somebody's own ANALYZE; then the two are none that exist."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET test.runs = {runs}")
        cursor.execute((PLANS / "fill.sql").read_text())
        cursor.execute(
            """SELECT string_agg(oid::regclass::text, ', ') FROM pg_class
               WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND (%s = 0 OR pg_relation_size(oid) > 0)""",
            (runs,),
        )
        cursor.execute(f"VACUUM ANALYZE {cursor.fetchone()[0]}")
        cursor.execute("SELECT id FROM made WHERE n IN (0, %s) ORDER BY n", (runs - 1,))
        (early,), (late,) = cursor.fetchall() or [(NOBODY,), (NOBODY,)]
        return early, late


def empty(connection):
    """What comes and goes is gone, its pages are not."""
    with connection.cursor() as cursor:
        for table in ("held_attempts", "queued_runs"):
            cursor.execute(f"DELETE FROM {table}")
            cursor.execute(f"VACUUM (TRUNCATE off) {table}")


def plan_all(url: str, early: str, late: str) -> dict[str, dict]:
    """Of each hot statement its plan now."""
    session = ServerSession(url)
    values = {"uuid": f"'{late}'::uuid", "uuid[]": f"'{{{early},{late}}}'::uuid[]"}
    made = {statement: session.plan(statement, values) for statement in STATEMENTS}
    session.close()
    return made


@pytest.fixture(scope="module")
def plans(postgres, migrated, tmp_path_factory):
    """Of a number of runs and a hot statement its plan where there are so many."""
    template, key = migrated
    database = postgres.create(template)
    server = Server(tmp_path_factory.mktemp("plans"), postgres.url(database)).start()
    api = admin_api(server, key)
    make_targets(api)
    api.close()
    assert server.terminate() == 0, server.tail()
    connection = postgres.connect(database)
    made = {}
    for runs in (NONE, FEW, MANY):
        ends = fill(connection, runs)
        made[runs] = plan_all(postgres.url(database), *ends)
    empty(connection)
    made[EMPTIED] = plan_all(postgres.url(database), *ends)
    yield {(runs, statement): plan for runs, of in made.items() for statement, plan in of.items()}
    connection.close()
    postgres.drop(database)


@pytest.fixture(scope="module")
def right_postgres(postgres):
    connection = postgres.connect("postgres")
    major = connection.server_version // 10000
    connection.close()
    if major != POSTGRES_MAJOR:
        pytest.skip(f"the plans were written down by PostgreSQL {POSTGRES_MAJOR}; this is {major}")


def difference(statement: str, plan: str) -> str:
    path = PLANS / f"{statement}.txt"
    before = path.read_text() if path.exists() else ""
    return "".join(difflib.unified_diff(before.splitlines(True), plan.splitlines(True), path.name, "now"))


def test_hot_statements_are_planned_as_they_were(plans, right_postgres):
    texts = {statement: render(plans[MANY, statement]) for statement in STATEMENTS if statement not in EITHER_WAY}
    if "FOREBAY_UPDATE_GOLDEN" in os.environ:
        for old in PLANS.glob("*.txt"):
            old.unlink()
        for statement, text in texts.items():
            (PLANS / f"{statement}.txt").write_text(text)
    differences = "".join(difference(statement, text) for statement, text in texts.items())
    how = "FOREBAY_UPDATE_GOLDEN=1 /usr/bin/python3 -m pytest -q tests/integration/test_plans.py"
    assert not differences, f"\n{differences}\nIf that is as it should be, write it down:\n  {how}"
    assert sorted(path.stem for path in PLANS.glob("*.txt")) == sorted(texts), "a plan is of no hot statement"


def reads_all(node: dict) -> bool:
    """A heap that is looked up by a bitmap has the condition of its index once more."""
    return node["Node Type"].endswith("Scan") and not {"Index Cond", "Recheck Cond", "TID Cond"} & node.keys()


def table_of(node: dict) -> str:
    """The table that it reads, of partitions by week the one that they are of."""
    return WEEK.sub("", node.get("Relation Name", "")) if node["Node Type"].endswith("Scan") else ""


def test_hot_statements_read_no_table_of_runs_as_a_whole(plans):
    scans = [(runs, statement, node) for (runs, statement), plan in plans.items() for node in nodes(plan) if reads_all(node)]
    read = {(runs, (statement, table_of(node))) for runs, statement, node in scans if table_of(node) in RUN_TABLES}
    assert {what for runs, what in read if runs > NONE} <= WALKS
    assert {what for runs, what in read if runs == NONE} <= WALKS | WHILE_EMPTY
    assert {what for runs, what in read if runs == EMPTIED} <= WALKS | WHILE_EMPTIED


def test_hot_statements_find_runs_in_their_order_instead_of_sorting_them(plans):
    kinds = ("Sort", "Incremental Sort")
    filled = [(statement, plan) for (runs, statement), plan in plans.items() if runs != EMPTIED]
    sorts = [(statement, node) for statement, plan in filled for node in nodes(plan) if node["Node Type"] in kinds]
    assert {statement for statement, node in sorts if RUN_TABLES & {table_of(below) for below in nodes(node)}} <= SORTS


def test_hot_statements_hash_no_table(plans):
    joins = {(statement, node["Node Type"]) for (_, statement), plan in plans.items() for node in nodes(plan)}
    assert not {join for join in joins if join[1] in ("Hash Join", "Merge Join")}


def test_hot_statements_compare_no_row_of_a_batch_with_every_other(plans):
    """What that costs grows with the square of the batch."""
    loops = [(statement, node) for (_, statement), plan in plans.items() for node in nodes(plan) if "Join Filter" in node]
    inner = {(statement, node["Plans"][1]["Node Type"]) for statement, node in loops}
    assert {statement for statement, kind in inner if kind in ("CTE Scan", "Function Scan")} <= QUEUES_OF_A_POOL
