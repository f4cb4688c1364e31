"""While a snapshot is held open, what was claimed before stays in a queue's order and a claim would walk all of it."""

import psycopg2
import pytest
from forebay.daemons import Server, admin_api
from forebay.fake_worker import FakeWorker
from forebay.postgres import TestPostgres
from forebay.statements import ServerSession
from forebay.waiting import wait_until

pytestmark = pytest.mark.slow

DEAD = 100_000
# Of tables and indexes: the dead fill some two thousand, the rest of a claim touches some dozens.
FEW_PAGES = 500


class Claims:
    """What the server's claims read."""

    def __init__(self, connection):
        self._cursor = connection.cursor()
        session = ServerSession(connection.dsn)
        self._query_id = session.query_id("claim_candidates")
        session.close()

    def pages(self) -> int:
        self._cursor.execute(
            "SELECT coalesce(sum(shared_blks_hit + shared_blks_read), 0) FROM pg_stat_statements WHERE queryid = %s",
            (self._query_id,),
        )
        return self._cursor.fetchone()[0]


@pytest.fixture
def database():
    cluster = TestPostgres(shared_preload_libraries="pg_stat_statements")
    connection = cluster.connect(cluster.create())
    connection.cursor().execute("CREATE EXTENSION pg_stat_statements")
    yield connection
    connection.close()
    cluster.destroy()


@pytest.fixture
def api(database, scratch):
    # The slow probe would find it too; a poll ends before that, and after the longest rest.
    slow = {"FOREBAY_SERVER_PROBE_INTERVAL_MS": "60000", "FOREBAY_SERVER_POLL_DEADLINE_SECONDS": "20"}
    server = Server(scratch, database.dsn, arguments=("--log-level", "info"), **slow).start()
    api = admin_api(server)
    api.create_pool("alpha")
    api.deploy("flow/one", "alpha", ["true"])
    api.deploy("flow/old", "alpha", ["true"])
    yield api
    api.close()
    assert server.terminate() == 0, server.tail()


@pytest.fixture
def worker(api):
    worker_api = api.with_token(api.TokenService.CreateWorkerKey(work_pool="workPools/alpha").secret)
    worker = FakeWorker(worker_api, "alpha", beating=True)
    yield worker
    worker.close()
    worker_api.close()


@pytest.fixture
def snapshot(database):
    holder = psycopg2.connect(database.dsn)
    holder.set_session(isolation_level="REPEATABLE READ")
    holder.cursor().execute("SELECT 1 FROM queued_runs LIMIT 1")
    yield holder
    holder.close()


def leave_dead(database):
    """Entries in the order of the queue that nobody may take away."""
    cursor = database.cursor()
    cursor.execute(
        """INSERT INTO queued_runs (run_id, pool_id, queue_id, deployment_id, due_at, attempt, epoch)
           SELECT gen_random_uuid(), d.pool_id, d.queue_id, d.id, clock_timestamp() - interval '1 minute', 1, 0
           FROM deployments d JOIN flows f ON f.id = d.flow_id, generate_series(1, %s)
           WHERE (f.name, d.name) = ('flow', 'one')""",
        (DEAD,),
    )
    cursor.execute("DELETE FROM queued_runs WHERE due_at < clock_timestamp() - interval '30 seconds'")
    assert cursor.rowcount == DEAD


def claim_one(api, worker) -> str:
    run_id = api.submit("flow/one")
    (assignment,) = worker.take()
    assert assignment.attempt.run_id == run_id
    return run_id


def test_a_run_that_comes_back_below_a_mark_is_found(database, api, worker, snapshot):
    claims = Claims(database)
    leave_dead(database)
    api.DeploymentService.PauseDeployment(name="flow/old")
    old = api.submit("flow/old")

    def claims_begin_at_a_mark():
        before = claims.pages()
        claim_one(api, worker)
        return claims.pages() - before < FEW_PAGES

    before = claims.pages()
    claim_one(api, worker)
    assert claims.pages() - before > FEW_PAGES
    # The mark has to pass the old one as well, and stays a while behind the clock.
    for _ in range(2):
        wait_until(claims_begin_at_a_mark, what="claims do not read the dead")
        wait_until(lambda: is_past(database, old), what="the old one is older than that")
    wait_until(claims_begin_at_a_mark, what="claims do not read the dead")
    poll = worker.start_poll()
    api.DeploymentService.ResumeDeployment(name="flow/old")
    assert [assignment.attempt.run_id for assignment in poll.result().assignments] == [old]


def is_past(database, run_id: str) -> bool:
    cursor = database.cursor()
    cursor.execute("SELECT due_at < clock_timestamp() - interval '1 second' FROM queued_runs WHERE run_id = %s", (run_id,))
    return cursor.fetchone()[0]
