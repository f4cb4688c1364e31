"""Several servers on one database: any of them serves, and each may go at any time."""

import threading
import uuid

import pytest
from forebay import protocol
from forebay.api import ApiError
from forebay.waiting import PATIENCE, wait_until
from google.protobuf import field_mask_pb2


@pytest.fixture
def pair(env, api):
    """The servers and an API at each."""
    second = env.new_server()
    return (env.server, api), (second, env.new_api(second.address, env.admin_key))


def both(pair) -> str:
    return ",".join(server.address for server, _ in pair)


def test_a_submission_here_wakes_a_worker_parked_there(env, pair, calm_pool):
    (_, one), (there, two) = pair
    calm_pool()
    one.deploy("flow/one", "alpha", ["true"])
    worker = env.fake_worker("alpha", api=env.new_api(there.address, env.worker_key("alpha")), slots=10)
    for _ in range(20):
        poll = worker.start_poll()
        run_id = one.submit("flow/one")
        (assignment,) = poll.result().assignments
        assert assignment.attempt.run_id == run_id
        worker.complete(assignment)
        assert two.state(run_id) == "COMPLETED"
    env.checker.check(one)


def test_a_cancel_here_stops_what_a_worker_holds_there(env, pair, quick_pool):
    (_, one), (there, _) = pair
    quick_pool()
    one.deploy("flow/one", "alpha", ["sleep", "600"])
    env.new_worker("alpha", server=there.address)
    run_id = one.submit("flow/one")
    one.wait_for_state(run_id, "RUNNING")
    one.cancel(run_id)
    one.wait_for_state(run_id, "CANCELLED")
    env.checker.check_no_leaks([run_id])


def test_pauses_and_limits_set_here_hold_there(env, pair, calm_pool):
    (_, one), (there, two) = pair
    calm_pool()
    one.deploy("flow/one", "alpha", ["true"], concurrency_limit=1)
    worker = env.fake_worker("alpha", api=env.new_api(there.address, env.worker_key("alpha")), slots=10)
    first, second = one.submit("flow/one"), one.submit("flow/one")
    (held,) = worker.take(1, free_slots=10)
    assert held.attempt.run_id == first
    poll = worker.start_take(1, free_slots=10)
    deployment = protocol.message("Deployment")(name="flow/one", concurrency_limit=2)
    mask = field_mask_pb2.FieldMask(paths=["concurrency_limit"])
    one.DeploymentService.UpdateDeployment(deployment=deployment, update_mask=mask)
    assert [a.attempt.run_id for a in poll.result()] == [second]
    one.WorkPoolService.PauseWorkPool(name="alpha")
    third = one.submit("flow/one")
    worker.complete(held)
    assert two.run(third).waiting.cause == protocol.enum("WaitingCause")["POOL_PAUSED"]
    poll = worker.start_take(1, free_slots=10)
    one.WorkPoolService.ResumeWorkPool(name="alpha")
    assert [a.attempt.run_id for a in poll.result()] == [third]


def test_a_worker_and_the_command_line_go_on_at_the_other_server(env, pair, quick_pool, deploy):
    (first, one), (second, two) = pair
    quick_pool()
    deploy("flow/one", "sleep", "1")
    worker = env.new_worker("alpha", server=both(pair))
    cli = env.new_cli()
    for server, api in ((first, two), (second, one)):
        begun = api.submit("flow/one")
        api.wait_for_state(begun, "RUNNING", "COMPLETED")
        server.kill()
        after = api.submit("flow/one")
        for run_id in (begun, after):
            api.wait_for_state(run_id, "COMPLETED")
            assert len(env.marks.starts(run_id)) == 1
        listed = cli("--server", both(pair), "flow-run", "ls", "-o", "json")
        assert listed.code == 0 and after in listed.out, listed
        server.start()
        wait_until(lambda: cli("--server", server.address, "version").code == 0, what="the server is back")
    assert worker.running
    none = cli("--server", "127.0.0.1:1,127.0.0.1:2", "flow-run", "ls")
    assert none.code != 0 and "127.0.0.1:1,127.0.0.1:2" in none.err
    bad = cli("--server", "127.0.0.1:1,nonsense", "flow-run", "ls")
    assert bad.code != 0 and "nonsense" in bad.err
    env.checker.check(api, env.marks)


class Client(threading.Thread):
    """Submits without a break, at whichever server answers, and repeats what failed under the same key."""

    def __init__(self, apis):
        super().__init__(daemon=True)
        self.apis = apis
        self.over = threading.Event()
        self.accepted: list[str] = []
        self.failure: Exception | None = None

    def run(self):
        try:
            while not self.over.is_set():
                self.accepted.append(self._submit())
        except Exception as failure:  # noqa: BLE001 (told to the test)
            self.failure = failure

    def _submit(self) -> str:
        key = str(uuid.uuid4())

        def once():
            for api in self.apis:
                try:
                    return api.submit("flow/one", idempotency_key=key, timeout=5)
                except ApiError as error:
                    assert error.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "UNKNOWN"), error
            return None

        return wait_until(once, PATIENCE, "one of two servers accepts")


def test_a_rolling_restart_under_load_costs_nothing(env, pair, quick_pool):
    (_, one), (_, two) = pair
    quick_pool()
    one.deploy("flow/one", "alpha", ["true"])
    for _ in range(2):
        env.new_worker("alpha", server=both(pair), limit=8)
    client = Client([one, two])
    client.start()
    for _ in range(2):
        for server, api in pair:
            done = len(client.accepted)
            wait_until(lambda: len(client.accepted) > done + 20 or client.failure, what="submissions go on")
            assert server.terminate() == 0, server.tail()
            done = len(client.accepted)
            wait_until(lambda: len(client.accepted) > done + 20 or client.failure, what="the other server takes them")
            server.start()
            api.wait_until_served()
    client.over.set()
    client.join(PATIENCE)
    assert client.failure is None, client.failure
    assert len(set(client.accepted)) == len(client.accepted)
    for run_id in client.accepted:
        one.wait_for_state(run_id, "COMPLETED")
    assert env.checker.value("SELECT count(*) FROM flow_runs") == len(client.accepted)
    env.checker.check(one)


def test_a_server_that_sleeps_does_no_duty_when_it_wakes(env, pair, quick_pool):
    (first, one), (second, two) = pair
    quick_pool()
    one.deploy("flow/one", "alpha", ["true"])
    schedule = protocol.message("Schedule")(slug="s", interval=protocol.message("IntervalRule")())
    schedule.interval.every.seconds = 1
    two.ScheduleService.CreateSchedule(parent="flow/one", schedule=schedule)
    worker = env.new_worker("alpha", server=second.address)
    completed = "SELECT count(*) FROM flow_runs WHERE state = 'COMPLETED'"
    for sleeper in (first, second, first):
        sleeper.pause()
        # A duty's lease lasts six seconds: one that ends later was renewed by the server that is awake.
        asleep = env.checker.value("SELECT clock_timestamp()")
        wait_until(lambda: env.checker.value(
            """SELECT bool_and(deadline > %s + interval '6500 milliseconds') FROM duty_leases
               WHERE name IN ('expiry', 'schedules')""",
            asleep,
        ), what="the server that is awake has the duties")  # fmt: skip
        sleeper.resume()
    done = env.checker.value(completed)
    wait_until(lambda: env.checker.value(completed) > done + 3, what="scheduled runs go on")
    assert worker.running
    env.checker.check(one)
