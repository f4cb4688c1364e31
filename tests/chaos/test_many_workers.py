"""F39: many workers at once find their server gone and come back to it."""

import random
import threading
import uuid

import pytest
from forebay.api import ApiError
from forebay.fake_worker import FakeWorker
from forebay.recovery import Since
from forebay.waiting import PATIENCE, wait_until

GONE = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "RESOURCE_EXHAUSTED"}


class Colleague(threading.Thread):
    """A worker with one slot: polls, ends what it gets; repeats what failed after a moment that the dice say."""

    def __init__(self, env, number: int, key: str):
        super().__init__(daemon=True)
        self.api = env.new_api(token=key)
        self.over = threading.Event()
        self.random = random.Random(number)
        self.failure: Exception | None = None

    def run(self):
        try:
            while not self.over.is_set():
                self._live()
        except Exception as failure:  # noqa: BLE001 (told to the test)
            self.failure = failure

    def _live(self):
        worker = self._surely(lambda _: FakeWorker(self.api, "alpha", slots=1))
        while worker is not None and not self.over.is_set():
            request_id = str(uuid.uuid4())
            answer = self._surely(lambda replay, id=request_id: worker.poll(1, id, replay))
            if answer is None:
                return
            for assignment in answer.assignments:
                self._surely(lambda _, assignment=assignment: worker.complete(assignment))

    def _surely(self, call):
        """`call(whether it is a repetition)`; None when the worker's lease is over."""
        repeated = False
        while not self.over.is_set():
            try:
                return call(repeated)
            except ApiError as error:
                if error.code == "NOT_FOUND":
                    return None
                assert error.code in GONE, error
                repeated = True
                self.over.wait(self.random.uniform(0.05, 0.5))
        return None


@pytest.fixture
def crew(env):
    """hire(count): so many workers, all of them parked at the server."""
    hired: list[Colleague] = []

    def hire(count: int) -> list[Colleague]:
        key = env.worker_key("alpha")
        hired.extend(Colleague(env, number, key) for number in range(count))
        for colleague in hired:
            colleague.start()
        wait_for_all_parked(env, count)
        return hired

    yield hire
    for colleague in hired:
        colleague.over.set()
    env.server.kill()
    for colleague in hired:
        colleague.join(PATIENCE)
    assert not any(colleague.is_alive() for colleague in hired)


def wait_for_all_parked(env, count: int):
    parked = lambda: env.api.ServerService.GetServerStatus().parked_polls  # noqa: E731
    wait_until(lambda: parked() == count, deadline=180, what=f"{count} polls are parked")


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_f39_many_workers_come_back_at_once(env, api, calm_pool, crew, repeats, how):
    """Some hold runs when the server goes, the answers to some reports are lost with it."""
    count = repeats(200, 500)
    calm_pool()
    api.deploy("flow/one", "alpha", ["true"])
    colleagues = crew(count)
    api.submit_many("flow/one", count)
    getattr(env.server, how)()
    env.server.start()
    fault = Since()
    api.wait_until_served()
    wait_for_all_parked(env, count)
    fault.recovered("many workers reconnected")
    api.submit_many("flow/one", count)
    left = "SELECT count(*) FROM flow_runs WHERE state IS DISTINCT FROM 'COMPLETED'"
    wait_until(lambda: env.checker.value(left) == 0, deadline=180, what="every run is completed")
    failures = [colleague.failure for colleague in colleagues if colleague.failure]
    assert not failures, failures[0]
    assert env.checker.value("SELECT count(*) FROM flow_runs") == 2 * count
    assert env.checker.value("SELECT max(attempts) FROM flow_runs") == 1
    assert env.checker.value("SELECT count(*) FROM worker_leases WHERE deadline > clock_timestamp()") >= count
    env.checker.check(api)
