"""What an API server can do to a worker and a healthy one does not: answers lost, late and refused, watches that break, Pods
that the cluster makes twice. User code begins once, no line is lost, nothing is left."""

import copy
import json
import threading

import pytest
from forebay.ended import Ended
from forebay.kubernetes_double import EVENTS, JOBS, PODS, KubernetesDouble
from forebay.kubernetes_double.controllers import pod_of
from forebay.kubernetes_double.kubelet import RUN, START, act, exits, unschedulable, until
from forebay.kubernetes_pool import gated, pool_of_double, running
from forebay.waiting import wait_until

pytestmark = pytest.mark.slow

NAMESPACE = "team"
# The calls of a launch, in their order.
LAUNCH = [("create", "jobs"), ("create", "secrets"), ("patch", "pods")]


@pytest.fixture
def double(kubernetes_double) -> KubernetesDouble:
    return kubernetes_double


@pytest.fixture
def pool(env, double):
    """Its Pods write a line and end well, unless a test says otherwise."""
    double.kubelet.script("", exits(0, "begun"))
    return pool_of_double(env, double, NAMESPACE, lease_ttl=2000, cancel_grace=1000, crash_after=4000)


@pytest.fixture
def worker(pool):
    started = pool.new_worker()
    wait_until(lambda: not pool.readiness(), what="the worker is ready")
    return started


def submit(pool) -> str:
    """With something for the Secret to hold."""
    return pool.submit("true", env={"TOKEN": "hush"})


def assert_begun_once(pool, run_id: str, most_attempts: int = 1) -> Ended:
    """`most_attempts`: 2 where nothing of the first may have come to the cluster."""
    ended = pool.ended(run_id)
    assert (ended.state, ended.lines) == ("COMPLETED", ["begun"]), ended.message
    assert ended.attempts <= most_attempts
    pool.wait_nothing_left()
    pool.env.checker.check(pool.env.api)
    return ended


def assert_ends(pool, run_id: str, state: str, reason: str, deadline: float = 30) -> Ended:
    ended = pool.ended(run_id, deadline)
    assert (ended.state, ended.reason) == (state, reason), ended.message
    pool.wait_nothing_left()
    return ended


def pods_made(double) -> int:
    return sum(event["reason"] == "SuccessfulCreate" for event in double.store.items(EVENTS, NAMESPACE)[0])


# A launch of which something goes wrong.


def test_a_launch_takes_three_calls(double, pool, worker):
    before = len(double.calls)
    assert_begun_once(pool, submit(pool))
    # A look at the metrics is for all runs.
    own = [call for call in double.calls[before:] if call.user == "worker" and call.resource != "pods.metrics.k8s.io"]
    made = [(call.verb, call.resource) for call in own]
    # The log is read once more where it was not known yet that its container had ended.
    once = [call for number, call in enumerate(made) if number == 0 or call != made[number - 1]]
    assert once == [*LAUNCH, ("get", "pods/log"), ("delete", "jobs")]


@pytest.mark.parametrize("verb, resource", LAUNCH)
@pytest.mark.parametrize("fault", ["lose", "cut"])
def test_f36_an_answer_that_does_not_come_begins_nothing_twice(double, pool, worker, verb, resource, fault):
    getattr(double.faults, fault)(verb, resource)
    assert_begun_once(pool, submit(pool), 2 if (fault, resource) == ("cut", "jobs") else 1)
    assert pods_made(double) == 1


@pytest.mark.parametrize("verb, resource", LAUNCH)
@pytest.mark.parametrize("code", [429, 500, 503, 504])
@pytest.mark.parametrize("acts", [False, True], ids=["not done", "done"])
def test_f36_a_server_in_trouble_is_asked_again(double, pool, worker, verb, resource, code, acts):
    double.faults.refuse(verb, resource, code, retry_after=1 if code in (429, 503) else None, times=2, acts=acts)
    # Who does not say when to come again has the launch tried anew, as another attempt.
    anew = code in (500, 504) and resource != "pods"
    assert_begun_once(pool, submit(pool), 3 if anew else 1)


def test_f36_a_conflict_at_the_gate_is_tried_again(double, pool, worker):
    double.faults.refuse("patch", "pods", 409, times=2)
    assert_begun_once(pool, submit(pool))


def test_f36_who_is_told_to_wait_waits(double, pool, worker):
    fault = double.faults.refuse("patch", "pods", 429, retry_after=2, times=1)
    run_id = submit(pool)
    assert fault.arrived.wait(60)
    assert_begun_once(pool, run_id)
    assert len(double.calls_of("patch", "pods")) == 2


def test_a_name_that_is_anothers_is_left_alone(double, pool, worker):
    held = double.faults.hold("create", "jobs")
    run_id = submit(pool)
    assert held.arrived.wait(60)
    name = double.calls_of("create", "jobs")[0].name or f"forebay-{run_id}-1"
    template = {"spec": {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}}
    double.store.create(JOBS, NAMESPACE, {"metadata": {"name": name}, "spec": {"template": template}})
    held.released.set()
    assert_ends(pool, run_id, "FAILED", "NAME_TAKEN")
    assert double.store.find(JOBS, NAMESPACE, name)


@pytest.mark.parametrize("verb, resource", LAUNCH)
def test_f03_f04_a_worker_killed_in_the_middle_of_a_call_begins_nothing_twice(double, pool, worker, verb, resource):
    held = double.faults.hold(verb, resource)
    run_id = submit(pool)
    assert held.arrived.wait(60)
    worker.kill()
    # The call is carried out although nobody waits for it any more.
    held.released.set()
    worker.start()
    assert_begun_once(pool, run_id)
    assert pods_made(double) == 1


@pytest.mark.parametrize("verb, resource", LAUNCH)
def test_a_worker_killed_before_a_call_is_carried_out_begins_nothing_twice(double, pool, worker, verb, resource):
    held = double.faults.hold(verb, resource)
    run_id = submit(pool)
    assert held.arrived.wait(60)
    worker.kill()
    pool.new_worker()
    # Somebody else has done it by then, or does it now, or sees it done.
    wait_until(lambda: len(double.calls_of(verb, resource)) > 1, what="the other worker's call")
    held.released.set()
    # Of an attempt of which nothing was found, nothing may come later either.
    assert_begun_once(pool, run_id, 2 if resource == "jobs" else 1)
    assert len(double.calls_of("patch", "pods")) <= 2


# Pods that the cluster makes twice.


def test_f13_a_second_pod_of_a_job_never_begins(double, pool, worker):
    double.kubelet.script("", [*RUN, act("say", "begun")])
    run_id = submit(pool)
    pool.wait_output(run_id)
    first = pool.wait_pod(run_id, running)
    double.store.remove(PODS, NAMESPACE, first["metadata"]["name"])
    ended = assert_ends(pool, run_id, "CRASHED", "DELETED")
    assert (ended.attempts, ended.lines) == (1, ["begun"])
    assert len(double.calls_of("patch", "pods")) == 1


def test_f13_of_two_pods_at_the_gate_one_is_let_go(double, pool, worker):
    held = double.faults.hold("create", "secrets")
    run_id = submit(pool)
    assert held.arrived.wait(60)
    pool.wait_pod(run_id, gated)
    job = double.store.get(JOBS, NAMESPACE, f"forebay-{run_id}-1")
    double.store.create(PODS, NAMESPACE, pod_of(job))
    wait_until(lambda: len(pool.items("pods", run_id)) == 2, what="two Pods")
    held.released.set()
    assert_begun_once(pool, run_id)
    assert len({call.name for call in double.calls_of("patch", "pods")}) == 1


def test_a_pod_that_goes_before_it_is_let_go_is_waited_for_again(double, pool, worker):
    held = double.faults.hold("create", "secrets")
    run_id = submit(pool)
    assert held.arrived.wait(60)
    first = pool.wait_pod(run_id, gated)["metadata"]
    double.store.remove(PODS, NAMESPACE, first["name"])
    pool.wait_pod(run_id, lambda pod: pod["metadata"]["uid"] != first["uid"])
    held.released.set()
    ended = pool.ended(run_id)
    assert (ended.state, ended.lines) == ("COMPLETED", ["begun"]), ended.message
    pool.wait_nothing_left()


# Watches and logs that break.


@pytest.fixture
def talker(double, pool, worker):
    """A run that writes what a test says, and ends when it says so: (run id, say, finish)."""
    double.kubelet.script("", RUN)
    run_id = pool.submit("true")
    pod = pool.wait_pod(run_id, running)

    def say(*lines: str):
        double.kubelet.say((NAMESPACE, pod["metadata"]["name"]), *lines)

    return run_id, say, lambda code: double.kubelet.finish((NAMESPACE, pod["metadata"]["name"]), code)


def close_quietly(double):
    double.streams.close_watches()


def close_expired(double):
    double.streams.fail_watches(410, "Expired")


def forget(double):
    double.store.forget_history()
    double.streams.close_watches()


def cut(double):
    double.cut_connections()


def refuse_watches(double):
    double.faults.refuse("watch", "*", 500, times=6)
    double.streams.close_watches()


def refuse_lists(double):
    double.faults.refuse("list", "*", 429, retry_after=1, times=3)
    forget(double)


@pytest.mark.parametrize("fault", [close_quietly, close_expired, forget, cut, refuse_watches, refuse_lists], ids=lambda f: f.__name__)
def test_f36_a_watch_that_breaks_is_taken_up_again(double, pool, talker, fault):
    run_id, say, finish = talker
    say("first")
    pool.wait_output(run_id)
    fault(double)
    say("second")
    fault(double)
    finish(3)
    ended = pool.ended(run_id)
    assert (ended.exit_code, ended.attempts, ended.lines) == (3, 1, ["first", "second"])
    pool.wait_nothing_left()


def test_f36_a_watch_that_hangs_costs_no_run_anything(double, pool, talker):
    run_id, say, finish = talker
    double.streams.freeze()
    say("meanwhile")
    finish(4)
    pool.wait_output(run_id)
    double.streams.freeze(False)
    ended = pool.ended(run_id)
    assert (ended.exit_code, ended.attempts, ended.lines) == (4, 1, ["meanwhile"])


def test_f36_a_slow_server_is_waited_for(double, pool, worker):
    double.faults.slow("*", "*", 0.5)
    assert_begun_once(pool, submit(pool))


@pytest.mark.parametrize("fault", ["close_logs", "cut"])
def test_a_log_that_is_cut_is_read_on_where_it_was(double, pool, talker, fault):
    run_id, say, finish = talker
    for n in range(40):
        say(*(f"line {n * 25 + i}" for i in range(25)))
        if n % 10 == 5:
            pool.wait_output(run_id, 100)
            double.streams.close_logs() if fault == "close_logs" else double.cut_connections()
    finish(0)
    assert pool.ended(run_id).lines == [f"line {n}" for n in range(1000)]


def test_lines_that_are_alike_and_of_one_moment_are_all_kept(double, pool, talker):
    run_id, say, finish = talker
    say(*["same"] * 50)
    pool.wait_output(run_id, 50)
    double.streams.close_logs()
    say(*["same"] * 50)
    finish(0)
    assert pool.ended(run_id).lines == ["same"] * 100


# What becomes of a Pod.


@pytest.mark.parametrize(
    "reason, state",
    [("Evicted", "EVICTED"), ("Preempting", "PREEMPTED"), ("NodeLost", "NODE_LOST"), ("DeadlineExceeded", "DEADLINE")],
)
def test_a_pod_that_the_cluster_ends_says_why(double, pool, talker, reason, state):
    run_id, say, _ = talker
    say("begun")
    pool.wait_output(run_id)
    double.kubelet.fail((NAMESPACE, pool.item("pods", run_id)["metadata"]["name"]), reason, "the cluster's words")
    ended = assert_ends(pool, run_id, "CRASHED", state)
    assert "the cluster's words" in ended.message or state == "NODE_LOST"
    assert (ended.attempts, ended.lines) == (1, ["begun"])


def test_a_run_whose_node_is_away_is_given_up_soon(double, pool, talker):
    run_id, say, _ = talker
    say("begun")
    pool.wait_output(run_id)
    name = pool.item("pods", run_id)["metadata"]["name"]
    double.kubelet.stubborn.add(name)
    double.kubelet.event((NAMESPACE, name), "NodeNotReady", "Node is not ready", "Warning")
    double.kubelet.condition((NAMESPACE, name), "DisruptionTarget", "True", "DeletionByTaintManager", "its node is away")
    double.store.delete(PODS, NAMESPACE, name)
    ended = pool.ended(run_id, deadline=60)
    assert (ended.state, ended.reason) == ("CRASHED", "NODE_LOST"), ended.message
    double.kubelet.stubborn.clear()
    pool.wait_nothing_left()


def test_what_passes_is_waited_for_and_told(double, pool, worker):
    back = threading.Event()
    double.kubelet.script("", [
        *START[:1], unschedulable("0/3 nodes are available: 3 Insufficient cpu."), until(back), *START[1:],
        act("wait", "ImagePullBackOff", 'Back-off pulling image "i": toomanyrequests'), until(back), *exits(0, "begun")[3:],
    ])  # fmt: skip
    run_id = submit(pool)
    wait_until(lambda: "Insufficient cpu" in "".join(line.entry.text for line in pool.env.api.log(run_id)), what="the reason is told")
    back.set()
    assert_begun_once(pool, run_id)


def test_a_job_controller_that_lags_is_waited_for(double, pool, worker):
    double.jobs.paused = True
    run_id = submit(pool)
    wait_until(lambda: pool.items("jobs", run_id), what="the Job")
    double.jobs.paused = False
    assert_begun_once(pool, run_id)


# Cancelling, and what belongs to nobody.


@pytest.mark.parametrize("verb, resource", LAUNCH)
def test_f35_a_cancel_in_the_middle_of_a_launch_leaves_nothing(double, pool, worker, verb, resource):
    held = double.faults.hold(verb, resource)
    run_id = submit(pool)
    assert held.arrived.wait(60)
    pool.env.api.cancel(run_id)
    held.released.set()
    ended = pool.ended(run_id)
    assert ended.state in ("CANCELLED", "COMPLETED"), ended.message
    pool.wait_nothing_left()
    pool.env.checker.check(pool.env.api)


def test_f34_a_cancel_whose_deletion_is_refused_is_told_again(double, pool, talker):
    run_id, say, _ = talker
    double.faults.refuse("delete", "jobs", 503, times=2)
    double.faults.lose("delete", "jobs")
    pool.env.api.cancel(run_id)
    ended = pool.ended(run_id)
    assert ended.state == "CANCELLED", ended.message
    pool.wait_nothing_left()


def test_what_carries_the_pools_label_and_belongs_to_nobody_is_reaped(double, pool):
    template = {"metadata": {"labels": {"forebay.io/pool-id": pool.pool.uid}},
                "spec": {"containers": [{"name": "main", "image": "i"}], "restartPolicy": "Never"}}  # fmt: skip
    orphan = "forebay-01a207da-7fd6-79f8-87d8-ae0ed5a4bbb0-1"
    labels = {"forebay.io/pool-id": pool.pool.uid, "forebay.io/run-id": "01a207da-7fd6-79f8-87d8-ae0ed5a4bbb0", "forebay.io/attempt": "1"}
    for name, own in ((orphan, labels), ("somebody-elses", {})):
        job = {"metadata": {"name": name, "labels": own}, "spec": {"backoffLimit": 0, "template": copy.deepcopy(template)}}
        double.store.create(JOBS, NAMESPACE, job)
    pool.new_worker()
    wait_until(lambda: double.store.find(JOBS, NAMESPACE, orphan) is None, what="the orphan to be reaped")
    assert double.store.find(JOBS, NAMESPACE, "somebody-elses")


def test_a_token_that_expires_in_the_middle_is_no_runs_fault(double, pool, talker):
    run_id, say, finish = talker
    say("first")
    pool.wait_output(run_id)
    del double.access.tokens["worker-token"]
    double.cut_connections()
    wait_until(lambda: "does not accept" in pool.readiness(), what="the worker says why it is not ready")
    say("second")
    finish(0)
    double.access.tokens["worker-token"] = "worker"
    ended = pool.ended(run_id)
    assert (ended.state, ended.attempts, ended.lines) == ("COMPLETED", 1, ["first", "second"]), ended.message
    assert "worker-token" not in json.dumps([call.body for call in double.calls], default=str)
