"""How long it takes until all is well again, with the timeouts that a pool has when nobody sets any."""

import os
import signal
import threading
import uuid

import pytest
from forebay.api import ApiError
from forebay.recovery import Since
from forebay.waiting import PATIENCE, wait_until


def test_f07_a_host_that_is_gone_is_noticed_in_time(env, api, deploy):
    """Its worker and its run end at the same moment; another worker that was given a run says nothing any more."""
    api.create_pool("alpha")
    deploy("flow/long", "sleep", "600")
    deploy("flow/one")
    host = env.new_worker("alpha", limit=1)
    running = api.submit("flow/long")
    wait_until(lambda: env.marks.starts(running), what="user code began")
    silent = env.fake_worker("alpha")
    granted = api.submit("flow/one")
    assert silent.take()[0].attempt.run_id == granted
    leases = "SELECT count(*) FROM worker_leases WHERE worker_id = ANY (%s::uuid[])"
    fault = Since()
    host.kill()
    os.kill(env.marks.starts(running)[0].pid, signal.SIGKILL)
    env.new_worker("alpha")
    fault.wait_for_all(
        {
            "lease expiry": lambda: env.checker.value(leases, [host.worker_id, silent.worker_id]) == 0,
            "orphan reclaimed": lambda: env.marks.starts(granted),
            "dead run noticed, its host is gone": lambda: api.state(running) == "CRASHED",
        }
    )
    assert api.wait_for_state(granted, "COMPLETED").attempt_count == 2
    env.checker.check(api, env.marks)


def test_f07_a_run_that_dies_under_its_worker_is_noticed_in_time(env, api, deploy, repeats):
    api.create_pool("alpha")
    deploy("flow/long", "sleep", "600")
    env.new_worker("alpha")
    for _ in range(repeats(3, 50)):
        run_id = api.submit("flow/long")
        wait_until(lambda run_id=run_id: env.marks.starts(run_id), what="user code began")
        fault = Since()
        os.kill(env.marks.starts(run_id)[0].pid, signal.SIGKILL)
        run = api.wait_for_state(run_id, "CRASHED", "FAILED")
        fault.recovered("dead run noticed, its worker lives")
        assert run.attempt_count == 1
    env.checker.check(api, env.marks)


class Stream(threading.Thread):
    """Submits one run after the other at whichever server answers."""

    def __init__(self, *apis):
        super().__init__(daemon=True)
        self.apis = list(apis)
        self.accepted: list[str] = []
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.02):
            key = str(uuid.uuid4())
            while not self.over.is_set() and not self._submitted(key):
                self.apis.append(self.apis.pop(0))
                self.over.wait(0.05)

    def _submitted(self, key: str) -> bool:
        try:
            self.accepted.append(self.apis[0].submit("flow/one", idempotency_key=key, timeout=2))
        except ApiError as error:
            assert error.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "UNKNOWN"), error
            return False
        return True

    def end(self):
        self.over.set()
        self.join(PATIENCE)


def wait_for_a_later_run(env, since) -> None:
    """Until one is granted that was accepted after the moment, by the database's clock."""
    granted = """SELECT EXISTS (SELECT FROM attempts a JOIN flow_runs f ON f.id = a.run_id
                 WHERE a.granted_at > %s AND f.created_at > %s AND a.outcome = 'COMPLETED')"""
    wait_until(lambda: env.checker.value(granted, since, since), what="runs flow again")


@pytest.fixture
def flow(env, quick_pool, deploy):
    """A pool and what runs in it, for streams of runs."""
    quick_pool(lease_ttl=15000, crash_after=30000)
    deploy()


def test_a_server_that_dies_leaves_a_short_gap(env, api, flow, repeats):
    """Client and worker know both servers; the one that both of them talk to is killed."""
    servers = [env.server, env.new_server()]
    addresses = ",".join(server.address for server in servers)
    env.new_worker("alpha", server=addresses, limit=8)
    stream = Stream(*(env.new_api(server.address) for server in servers))
    stream.start()
    for turn in range(repeats(2, 50)):
        count = len(stream.accepted)
        wait_until(lambda count=count: len(stream.accepted) > count + 10, what="runs flow")
        victim = servers[turn % 2]
        now = env.checker.value("SELECT clock_timestamp()")
        fault = Since()
        victim.kill()
        wait_for_a_later_run(env, now)
        fault.recovered("server failover gap")
        victim.start()
    stream.end()
    for run_id in stream.accepted:
        api.wait_for_state(run_id, "COMPLETED")
        assert len(env.marks.starts(run_id)) == 1
    env.checker.check(api, env.marks)


def test_f20_dispatching_goes_on_soon_after_the_database_is_back(env, api, flow, repeats):
    env.new_worker("alpha", limit=8)
    stream = Stream(api)
    stream.start()
    for _ in range(repeats(2, 50)):
        count = len(stream.accepted)
        wait_until(lambda count=count: len(stream.accepted) > count + 10, what="runs flow")
        env.postgres.stop()
        env.postgres.start()
        fault = Since()
        now = env.checker.value("SELECT clock_timestamp()")
        wait_for_a_later_run(env, now)
        fault.recovered("PostgreSQL restart to dispatching")
    stream.end()
    for run_id in stream.accepted:
        api.wait_for_state(run_id, "COMPLETED")
    env.checker.check(api, env.marks)
