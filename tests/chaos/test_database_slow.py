"""F25, F26: the database is slow, a lock is held for long, the connection that listens is dead and nobody says so."""

import threading
import uuid

import psycopg2
import pytest
from forebay import protocol
from forebay.api import ApiError
from forebay.health import connected, is_serving
from forebay.process import sleep
from forebay.recovery import Since, note
from forebay.waiting import wait_until
from google.protobuf import field_mask_pb2

BUSY = {"DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "UNAVAILABLE"}


@pytest.fixture
def way(env):
    """What lies between the server and its database."""
    return env.gate_to_database()


class Crowd:
    """Many callers at once, each with a deadline; what became of each."""

    def __init__(self, api, count: int, timeout: float):
        self.failures: list[ApiError] = []
        self._keys = [str(uuid.uuid4()) for _ in range(count)]
        self._api = api
        self._timeout = timeout
        self._threads = [threading.Thread(target=self._call, args=(key,), daemon=True) for key in self._keys]
        for thread in self._threads:
            thread.start()

    def _call(self, key: str):
        try:
            self._api.submit("flow/one", idempotency_key=key, timeout=self._timeout)
        except ApiError as error:
            self.failures.append(error)

    def join(self):
        for thread in self._threads:
            thread.join()

    def repeat(self):
        """What a client does that does not know what became of its call."""
        for key in self._keys:
            self._api.submit("flow/one", idempotency_key=key)


def test_f25_a_slow_database_makes_calls_slow_and_nothing_else(env, way, api, quick_pool, deploy):
    quick_pool(lease_ttl=20000, crash_after=60000)
    deploy()
    env.new_worker("alpha")
    # There and back.
    way.delay(0.25)
    run_id = api.submit("flow/one")
    assert is_serving(env.server.address)
    with pytest.raises(ApiError) as late:
        api.submit("flow/one", timeout=0.3)
    assert late.value.code == "DEADLINE_EXCEEDED"
    crowd = Crowd(api, 60, timeout=2)
    assert is_serving(env.server.address)
    crowd.join()
    assert {error.code for error in crowd.failures} <= BUSY, crowd.failures
    api.wait_for_state(run_id, "COMPLETED")
    way.delay(0)
    crowd.repeat()
    for submitted in api.submitted:
        api.wait_for_state(submitted.run_id, "COMPLETED")
        assert len(env.marks.starts(submitted.run_id)) == 1
    env.checker.check(api, env.marks)


def takes_locks(session) -> bool:
    """Whether it has all of them: one by one they may meet a statement that wants them in another order."""
    try:
        with session.cursor() as cursor:
            cursor.execute("LOCK TABLE flow_runs, queued_runs, held_attempts IN ACCESS EXCLUSIVE MODE")
    except psycopg2.errors.DeadlockDetected:
        session.rollback()
        return False
    return True


def test_f25_a_lock_that_is_held_for_long_makes_calls_wait_to_their_deadlines(env, api, quick_pool, deploy):
    quick_pool(lease_ttl=20000, crash_after=60000)
    deploy()
    env.new_worker("alpha")
    api.wait_for_state(api.submit("flow/one"), "COMPLETED")
    locker = env.postgres.connect(env.database)
    locker.autocommit = False
    wait_until(lambda: takes_locks(locker), what="the locks are taken")
    crowd = Crowd(api, 100, timeout=4)
    with connected(env.server.address) as serving:
        assert serving()
        for _ in range(10):
            sleep(1)
            asked = Since()
            assert serving()
            note("health answers while the database does not", asked.seconds)
    crowd.join()
    assert len(crowd.failures) == 100
    assert {error.code for error in crowd.failures} <= BUSY, crowd.failures
    locker.close()
    crowd.repeat()
    for submitted in api.submitted:
        api.wait_for_state(submitted.run_id, "COMPLETED")
    env.checker.check(api, env.marks)


def listeners(env) -> list[tuple]:
    """(backend, port of the gate) of each connection that listens."""
    return env.checker.rows(
        """SELECT pid, client_port FROM pg_stat_activity
           WHERE datname = current_database() AND query ILIKE 'listen%%' ORDER BY pid"""
    )


def test_f26_a_dead_listening_connection_is_made_good_by_the_probe(env, way, api, quick_pool, deploy):
    quick_pool(lease_ttl=20000, crash_after=60000)
    deploy()
    ((deaf, port),) = listeners(env)
    second = env.new_server(database_url=env.database_url)
    two = env.new_api(second.address)
    worker = env.new_worker("alpha")
    wait_until(lambda: api.ServerService.GetServerStatus().parked_polls == 1, what="the worker is parked")
    way.silence(port)
    for _ in range(3):
        run_id = two.submit("flow/one")
        two.wait_for_state(run_id, "COMPLETED")
    # A cancel that is said there reaches the worker here, what is changed there holds here.
    deploy("flow/long", "sleep", "600", concurrency_limit=1)
    first = two.submit("flow/long")
    two.wait_for_state(first, "RUNNING")
    waiting = api.submit("flow/long")
    limit = protocol.message("Deployment")(name="flow/long", concurrency_limit=2)
    mask = field_mask_pb2.FieldMask(paths=["concurrency_limit"])
    two.DeploymentService.UpdateDeployment(deployment=limit, update_mask=mask)
    api.wait_for_state(waiting, "RUNNING")
    for run_id in (first, waiting):
        two.cancel(run_id)
        api.wait_for_state(run_id, "CANCELLED")
    assert worker.running and (deaf, port) in listeners(env)
    env.checker.check(api, env.marks)
    env.checker.check_no_leaks([first, waiting])
