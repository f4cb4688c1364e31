"""A database of an earlier version, brought up to date by the server that starts on it."""

import hashlib
import uuid

import pytest
from forebay.daemons import Server, admin_api
from forebay.process import ROOT

TEAM, USER = "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"
TEMPLATE = '{"job_configuration": {}, "variables": {"type": "object", "properties": {}}}'
POOL, QUEUE, FLOW, DEPLOYMENT = (str(uuid.UUID(int=number)) for number in range(1, 5))


@pytest.fixture
def database(postgres):
    name = postgres.create()
    yield name
    postgres.drop(name)


def migrate(cursor, last: int):
    """As a server that knew no more than `last` left it."""
    cursor.execute(
        """CREATE TABLE schema_migrations (version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
                                           applied_at timestamptz NOT NULL DEFAULT now())"""
    )
    for file in sorted((ROOT / "server/db/migrations").glob("*.sql")):
        number, name = file.stem.split("_", 1)
        if int(number) > last:
            return
        text = file.read_text()
        cursor.execute(text)
        checksum = hashlib.sha256(text.encode()).hexdigest()
        cursor.execute("INSERT INTO schema_migrations VALUES (%s, %s, %s)", (int(number), name, checksum))


def fill(cursor):
    of_team = (TEAM, USER)
    cursor.execute(
        "INSERT INTO work_pools (id, name, type, base_job_template, team_id, creator_id) VALUES (%s, 'old', 'process', %s, %s, %s)",
        (POOL, TEMPLATE, *of_team),
    )
    cursor.execute(
        "INSERT INTO work_queues (id, pool_id, name, priority, team_id, creator_id) VALUES (%s, %s, 'default', 1, %s, %s)",
        (QUEUE, POOL, *of_team),
    )
    cursor.execute("INSERT INTO flows (id, name, team_id, creator_id) VALUES (%s, 'flow', %s, %s)", (FLOW, *of_team))
    cursor.execute(
        """INSERT INTO deployments (id, flow_id, name, pool_id, queue_id, command, parameters, job_variables, team_id, creator_id)
           VALUES (%s, %s, 'one', %s, %s, '{true}', '{}', '{}', %s, %s)""",
        (DEPLOYMENT, FLOW, POOL, QUEUE, *of_team),
    )


NOW = "now()"
# A week that is over, and for less than the seven days that events are kept.
LAST_WEEK = "date_trunc('week', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - interval '1 hour'"


def tell(cursor, state: str, moment: str) -> str:
    """An event as it was stored before; its cursor."""
    cursor.execute(f"SELECT ensure_event_partition({moment})")
    cursor.execute(
        f"""INSERT INTO run_events (recorded_at, at, run_id, pool_id, deployment_id, attempt, state)
            VALUES ({moment}, now(), %s, %s, %s, 1, %s) RETURNING xid::text || '.' || seq""",
        (str(uuid.uuid4()), POOL, DEPLOYMENT, state),
    )
    return cursor.fetchone()[0]


def attempt(cursor, run_id: str, number: int, outcome: str = "FAILED", cpu=(None, None), memory: int | None = None):
    cursor.execute(
        """INSERT INTO attempts (run_id, number, epoch, worker_id, granted_at, started_at, ended_at, outcome, cpu_user_us,
                                 cpu_system_us, max_rss_bytes)
           VALUES (%s, %s, %s, %s, now(), now(), now(), %s, %s, %s, %s)""",
        (run_id, number, number, str(uuid.uuid4()), outcome, *cpu, memory),
    )


def states(api, **request) -> list[str]:
    """One to a page, so that no page hides where the next begins."""
    told = []
    while events := api.EventService.WatchEvents(page_size=1, wait={"seconds": 0}, **request).events:
        request = {"cursor": events[0].cursor}
        told.append(events[0].state.name)
    return told


def test_events_and_usage_of_earlier_versions_are_kept(scratch, postgres, database):
    connection = postgres.connect(database)
    cursor = connection.cursor()
    migrate(cursor, 10)
    fill(cursor)
    first = tell(cursor, "PENDING", LAST_WEEK)
    tell(cursor, "RUNNING", LAST_WEEK)
    tell(cursor, "COMPLETED", NOW)
    cursor.execute("SELECT first_run_id(now())::text")
    run_id = cursor.fetchone()[0]
    for number, (cpu, memory) in enumerate([((5, 6), 7), ((5, 6), 0), ((0, 0), 0)], 1):
        attempt(cursor, run_id, number, cpu=cpu, memory=memory)

    server = Server(scratch, database_url=postgres.url(database)).start()
    try:
        api = admin_api(server)
        assert states(api, from_oldest=True) == ["Pending", "Running", "Completed"]
        assert states(api, cursor=first) == ["Running", "Completed"]
        api.submit("flow/one")
        assert states(api, cursor=first) == ["Running", "Completed", "Scheduled"]
        cursor.execute("SELECT number, cpu_user_us, cpu_system_us, max_rss_bytes FROM attempts ORDER BY number")
        assert cursor.fetchall() == [(1, 5, 6, 7), (2, 5, 6, None), (3, None, None, None)]
    finally:
        server.terminate()
        connection.close()


def end_run(cursor, *outcomes: str) -> str:
    """A run that ended with the last of the outcomes, one an attempt, as version 14 kept it; its id."""
    cursor.execute(
        """INSERT INTO flow_runs (id, team_id, creator_id, deployment_id, pool_id, queue_id, display_name, parameters,
                                  job_variables, due_at, state, state_reason, state_message, attempts, started_at, ended_at,
                                  log_end)
           VALUES (first_run_id(now()), %s, %s, %s, %s, %s, 'calm-otter', '{}', '{}', now(), %s, '', '', %s, now(), now(), 0)
           RETURNING id::text""",
        (TEAM, USER, DEPLOYMENT, POOL, QUEUE, outcomes[-1], len(outcomes)),
    )
    run_id = cursor.fetchone()[0]
    for number, outcome in enumerate(outcomes, 1):
        attempt(cursor, run_id, number, outcome)
    return run_id


def test_attempts_of_earlier_versions_are_kept(scratch, postgres, database):
    connection = postgres.connect(database)
    cursor = connection.cursor()
    migrate(cursor, 14)
    fill(cursor)
    old = end_run(cursor, "LOST", "COMPLETED")

    server = Server(scratch, database_url=postgres.url(database)).start()
    try:
        api = admin_api(server)
        assert [attempt.outcome.name for attempt in api.run(old, full=True).attempts] == ["Lost", "Completed"]
        api.FlowRunService.DeleteFlowRun(name=f"flowRuns/{old}")
        cursor.execute("SELECT count(*) FROM attempts")
        assert cursor.fetchone() == (0,)
    finally:
        server.terminate()
        connection.close()
