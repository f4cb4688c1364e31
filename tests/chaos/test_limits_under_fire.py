"""I4: limits at every level, changed all the time, under many workers of which some die: never exceeded."""

import bisect
import collections
import datetime
import random
import threading
import time

from forebay import protocol
from forebay.api import ApiError
from forebay.waiting import wait_until
from google.protobuf import field_mask_pb2

WORKERS, SLOTS = 64, 4
DEPLOYMENTS, SHARED = 10, 6
PATIENT = 1200.0


def mask(*paths):
    return field_mask_pb2.FieldMask(paths=paths)


class Limits:
    """Twenty limits, what they were when, and which runs they count."""

    def __init__(self, env):
        self.env = env
        self.api = env.new_api(token=env.api.token)
        self.api.create_pool("fire", limit=100, lease_ttl=2000)
        self.random = random.Random(7)
        # By limit: (from, until, value), the times certain to lie within the reign of the value.
        self.reigns = collections.defaultdict(list)
        self.deployments_of = collections.defaultdict(set)
        for n in range(3):
            queue = protocol.message("WorkQueue")(name=f"workPools/fire/queues/q{n}", priority=n + 1, concurrency_limit=40)
            self.api.WorkQueueService.CreateWorkQueue(work_queue=queue)
        for n in range(SHARED):
            limit = protocol.message("ConcurrencyLimit")(name=f"shared{n}", slots=20)
            self.api.ConcurrencyLimitService.CreateConcurrencyLimit(concurrency_limit=limit)
        for n in range(DEPLOYMENTS):
            shares = sorted({f"shared{self.random.randrange(SHARED)}" for _ in range(n % 3)})
            self.api.deploy(f"fire/d{n}", "fire", ["true"], queue=f"q{n % 3}", concurrency_limit=10, concurrency_limits=shares)
            for name in ["pool", f"q{n % 3}", f"d{n}", *shares]:
                self.deployments_of[name].add(f"d{n}")
        started = self.now()
        for name, value in [("pool", 100), *((f"q{n}", 40) for n in range(3)), *((f"shared{n}", 20) for n in range(SHARED)),
                            *((f"d{n}", 10) for n in range(DEPLOYMENTS))]:  # fmt: skip
            self.reigns[name].append([started, None, value])

    def now(self) -> datetime.datetime:
        return self.env.checker.value("SELECT clock_timestamp()")

    def change_one(self):
        name = self.random.choice(sorted(self.reigns))
        value = self.random.choice([1, 2, 3, 5, 8, 20])
        self.reigns[name][-1][1] = self.now()
        if name == "pool":
            pool = protocol.message("WorkPool")(name="workPools/fire", concurrency_limit=value * 10)
            self.api.WorkPoolService.UpdateWorkPool(work_pool=pool, update_mask=mask("concurrency_limit"))
            value *= 10
        elif name.startswith("q"):
            queue = protocol.message("WorkQueue")(name=f"workPools/fire/queues/{name}", concurrency_limit=value * 3)
            self.api.WorkQueueService.UpdateWorkQueue(work_queue=queue, update_mask=mask("concurrency_limit"))
            value *= 3
        elif name.startswith("shared"):
            limit = protocol.message("ConcurrencyLimit")(name=name, slots=value)
            self.api.ConcurrencyLimitService.UpdateConcurrencyLimit(concurrency_limit=limit, update_mask=mask("slots"))
        else:
            deployment = protocol.message("Deployment")(name=f"fire/{name}", concurrency_limit=value)
            self.api.DeploymentService.UpdateDeployment(deployment=deployment, update_mask=mask("concurrency_limit"))
        self.reigns[name].append([self.now(), None, value])

    def check(self) -> int:
        """Every grant in the certain reign of a value found fewer than that held. Answers how many were looked at."""
        rows = self.env.checker.rows(
            """SELECT d.name, a.granted_at, a.ended_at FROM attempts a JOIN flow_runs f ON f.id = a.run_id
               JOIN deployments d ON d.id = f.deployment_id"""
        )
        looked_at = 0
        for name, members in self.deployments_of.items():
            spans = [(granted, ended) for deployment, granted, ended in rows if deployment in members]
            grants = sorted(granted for granted, _ in spans)
            ends = sorted(ended for _, ended in spans)
            for begin, until, value in self.reigns[name]:
                last = bisect.bisect_left(grants, until) if until else len(grants)
                for n in range(bisect.bisect_right(grants, begin), last):
                    held = n + 1 - bisect.bisect_right(ends, grants[n])
                    assert held <= value, f"I4: {name}: {held} held at {grants[n]}, limit {value} since {begin}"
                    looked_at += 1
        return looked_at


class Crew(threading.Thread):
    """A worker that takes, ends after a moment, and now and then falls silent for ever with all that it holds."""

    def __init__(self, env, number: int, over: threading.Event):
        super().__init__(daemon=True)
        self.api = env.new_api(token=env.worker_key("fire"))
        self.env, self.over, self.random = env, over, random.Random(number)
        self.failure = None

    def run(self):
        try:
            while not self.over.is_set():
                self._live()
        except Exception as failure:  # noqa: BLE001 (told to the test)
            self.failure = failure

    def _live(self):
        try:
            self._work()
        except ApiError as error:
            # Nothing came, the lease was over, or the machine is too busy to connect: a new life.
            assert error.code in ("DEADLINE_EXCEEDED", "NOT_FOUND", "UNAVAILABLE"), error

    def _work(self):
        worker = self.env.fake_worker("fire", api=self.api, slots=SLOTS)
        for _ in range(self.random.randrange(20, 60)):
            if self.over.is_set():
                return
            taken = list(worker.poll(SLOTS, timeout=5.0).assignments)
            for assignment in taken:
                if self.random.random() < 0.005:
                    return  # with what is left
                worker.complete(assignment)


def test_limits_hold_under_fire(env, request):
    goal = 50_000 if request.config.getoption("--long") else 1_500
    limits = Limits(env)
    over = threading.Event()
    crew = [Crew(env, n, over) for n in range(WORKERS)]

    def feed():
        submitted = 0
        while submitted < goal * 1.2 and not over.is_set():
            for n in range(DEPLOYMENTS):
                env.api.submit_many(f"fire/d{n}", 20)
            submitted += 20 * DEPLOYMENTS
            # Not too far ahead: some deployments must run dry now and then.
            wait_until(
                lambda: over.is_set() or env.checker.value("SELECT count(*) FROM queued_runs") <= 2000,
                PATIENT,
                "runs are taken",
            )

    feeder = threading.Thread(target=feed, daemon=True)
    for thread in [*crew, feeder]:
        thread.start()
    grants = 0
    end = time.monotonic() + PATIENT
    try:
        while grants < goal and time.monotonic() < end:
            limits.change_one()
            failures = [thread.failure for thread in crew if thread.failure]
            assert not failures, failures[0]
            grants = limits.env.checker.value("SELECT count(*) FROM attempts")
    finally:
        over.set()
    assert grants >= goal
    for thread in crew:
        thread.join(60)
    feeder.join(60)
    assert limits.check() > goal
    env.checker.check(env.api)
