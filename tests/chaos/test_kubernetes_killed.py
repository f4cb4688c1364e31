"""Jobs of a real Kubernetes cluster while workers and the API server go and come: nothing begins twice, no line is lost, and
nothing is left."""

import collections
import json

import pytest
from forebay.images import BUSYBOX
from forebay.kubernetes_pool import KubernetesPool, running, worker_kubeconfig
from forebay.process import sleep
from forebay.waiting import wait_until

pytestmark = pytest.mark.slow

COUNT = 400
# Numbered lines for some seconds.
WRITES = f"i=0; while [ $i -lt {COUNT} ]; do echo line $i; i=$((i+1)); [ $((i % 20)) = 0 ] && sleep 0.2; done; true"
QUICK = {"lease_ttl": 2000, "cancel_grace": 1000, "crash_after": 4000}


@pytest.fixture
def pool(env, kubernetes, kubernetes_namespace, scratch):
    kubeconfig = worker_kubeconfig(kubernetes, kubernetes_namespace, scratch)
    return KubernetesPool(env, kubernetes.api, kubeconfig, kubernetes_namespace, **QUICK)


@pytest.fixture
def own_pool(env, own_cluster, scratch):
    """On a cluster of the test's own."""
    namespace = own_cluster.make_namespace("runs", pod_security="restricted")
    kubeconfig = worker_kubeconfig(own_cluster, namespace, scratch)
    return KubernetesPool(env, own_cluster.api, kubeconfig, namespace, **QUICK)


def numbered(pool, run_id: str) -> list[str]:
    return [line for line in pool.env.api.output(run_id) if line.startswith("line ")]


def wait_lines(pool, run_id: str, count: int):
    wait_until(lambda: len(numbered(pool, run_id)) >= count, what=f"{count} lines")


def assert_whole(pool, run_id: str):
    ended = pool.ended(run_id, deadline=120)
    assert (ended.state, ended.attempts) == ("COMPLETED", 1), ended.message
    assert ended.lines == [f"line {n}" for n in range(COUNT)]
    assert sum(line.startswith("created job") for line in ended.told) == 1, ended.told
    pool.wait_nothing_left()
    pool.env.checker.check(pool.env.api)


# Workers.


def test_f05_a_job_outlives_its_worker_and_no_line_is_lost_or_doubled(pool):
    worker = pool.new_worker()
    run_id = pool.submit(WRITES)
    for lines in (50, 200):
        wait_lines(pool, run_id, lines)
        worker.kill()
        worker.start()
    assert_whole(pool, run_id)


def test_a_worker_with_an_empty_state_directory_arrives_at_the_same_lines(pool):
    first = pool.new_worker()
    run_id = pool.submit(WRITES)
    wait_lines(pool, run_id, 100)
    first.kill()
    pool.new_worker()
    assert_whole(pool, run_id)


def test_a_run_that_ended_while_nobody_looked_is_told_whole(pool):
    worker = pool.new_worker()
    run_id = pool.submit("echo line 0; sleep 1; echo line 1; exit 6")
    pool.wait_output(run_id)
    worker.kill()
    wait_until(lambda: any(c["type"] == "Failed" for c in pool.item("jobs", run_id)["status"].get("conditions", [])), what="its end")
    worker.start()
    ended = pool.ended(run_id)
    assert (ended.exit_code, ended.attempts, ended.lines) == (6, 1, ["line 0", "line 1"])
    pool.wait_nothing_left()


@pytest.mark.parametrize("moment", range(6))
def test_f03_f04_a_worker_killed_in_the_middle_of_a_launch_begins_nothing_twice(pool, moment):
    worker = pool.new_worker()
    wait_until(lambda: not pool.readiness())
    run_id = pool.submit("echo begun; sleep 0.3", env={"TOKEN": "hush"})
    # The moments lie between the assignment and the running container.
    reached = [
        lambda: pool.env.api.state(run_id) != "SCHEDULED",
        lambda: pool.items("jobs", run_id),
        lambda: pool.items("secrets", run_id),
        lambda: pool.items("pods", run_id),
        lambda: any(pod["spec"].get("nodeName") for pod in pool.items("pods", run_id)),
        lambda: any(running(pod) for pod in pool.items("pods", run_id)),
    ]
    wait_until(lambda: reached[moment]() or pool.env.api.run(run_id).state.name == "Completed", pause=0.001)
    worker.kill()
    worker.start()
    ended = pool.ended(run_id)
    assert (ended.state, ended.lines) == ("COMPLETED", ["begun"]), ended.message
    pool.wait_nothing_left()
    pool.env.checker.check(pool.env.api)


def test_what_carries_the_pools_label_and_belongs_to_nobody_is_reaped(pool):
    orphan = "forebay-01a207da-7fd6-79f8-87d8-ae0ed5a4bbb0-1"
    labels = {"forebay.io/pool-id": pool.pool.uid, "forebay.io/run-id": orphan[8:-2], "forebay.io/attempt": "1"}
    for name, own in ((orphan, labels), ("somebody-elses", {})):
        make_job(pool, name, own)
    pool.new_worker()
    wait_until(lambda: not pool.left(), what="the orphan to be reaped")
    jobs = pool.cluster.get(f"/apis/batch/v1/namespaces/{pool.namespace}/jobs")["items"]
    assert [job["metadata"]["name"] for job in jobs] == ["somebody-elses"]


def make_job(pool, name: str, labels: dict):
    """That runs for long."""
    container = {"name": "main", "image": BUSYBOX, "imagePullPolicy": "Never", "command": ["sleep", "600"], "securityContext": {
        "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}  # fmt: skip
    pod = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container], "securityContext": {
        "runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}}  # fmt: skip
    pool.cluster.post(f"/apis/batch/v1/namespaces/{pool.namespace}/jobs", {
        "metadata": {"name": name, "labels": labels},
        "spec": {"backoffLimit": 0, "template": {"metadata": {"labels": labels}, "spec": pod}},
    })  # fmt: skip


# The cluster.


def test_f36_an_api_server_that_is_killed_and_comes_back_finds_its_jobs_running(own_cluster, own_pool):
    own_pool.new_worker()
    run_id = own_pool.submit(WRITES)
    wait_lines(own_pool, run_id, 50)
    own_cluster.control_plane.processes["kube-apiserver"].kill()
    wait_until(own_pool.readiness, what="the worker to be not ready")
    assert own_cluster.control_plane.server in own_pool.readiness()
    own_cluster.control_plane.start_api_server()
    own_cluster.control_plane.wait_api_server()
    assert_whole(own_pool, run_id)
    wait_until(lambda: not own_pool.readiness(), what="the worker is ready again")
    assert own_pool.run("echo next").lines == ["next"]


def test_f36_an_api_server_that_hangs_costs_no_worker_its_lease_and_no_run_its_attempt(env, own_cluster, own_pool):
    worker = own_pool.new_worker()
    run_id = own_pool.submit(WRITES)
    wait_lines(own_pool, run_id, 50)
    server = own_cluster.control_plane.processes["kube-apiserver"]
    server.pause()
    seen = set()

    def five_beats():
        found = env.api.FleetService.GetWorker(name=f"workers/{worker.worker_id}").worker
        assert found.status == 1, "the worker lost its lease"
        seen.add(found.last_seen_time.ToNanoseconds())
        return len(seen) > 5

    wait_until(five_beats, what="five heartbeats")
    server.resume()
    assert_whole(own_pool, run_id)


def test_f36_an_api_server_that_dies_in_the_middle_of_a_launch_begins_the_run_once(own_cluster, own_pool):
    own_pool.new_worker()
    wait_until(lambda: not own_pool.readiness(), what="the worker is ready")
    server = own_cluster.control_plane.processes["kube-apiserver"]
    server.pause()
    run_id = own_pool.submit("echo begun")
    own_pool.env.api.wait_for_state(run_id, "PENDING", "SCHEDULED")
    sleep(1)
    server.kill()
    own_cluster.control_plane.start_api_server()
    own_cluster.control_plane.wait_api_server()
    ended = own_pool.ended(run_id, deadline=120)
    assert (ended.state, ended.lines) == ("COMPLETED", ["begun"]), ended.message
    own_pool.wait_nothing_left()


# Many.


@pytest.mark.minutes
def test_many_jobs_while_workers_are_restarted_none_lost_doubled_or_leaked(env, pool, long):
    count, restarts = (200, 10) if long else (60, 4)
    workers = [pool.new_worker(limit=12) for _ in range(2)]
    pool.deploy("echo $FOREBAY_RUN_ID; sleep 0.5; echo end")
    run_ids = env.api.submit_many("flow/job", count)

    def over() -> int:
        states = collections.Counter(env.api.state(run_id) for run_id in run_ids)
        return sum(states[state] for state in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"))

    for turn in range(restarts):
        wait_until(lambda: over() >= count * (turn + 1) // (restarts + 2), deadline=300, what="some more are over", pause=0.2)
        worker = workers[turn % 2]
        worker.kill() if turn % 3 else worker.terminate()
        worker.start()
    for run_id in run_ids:
        ended = pool.ended(run_id, deadline=300)
        assert (ended.state, ended.lines) == ("COMPLETED", [run_id, "end"]), f"{run_id}: {ended.state} {ended.message} {ended.lines}"
    pool.wait_nothing_left()
    env.checker.check(env.api)
    twice = env.checker.rows("SELECT run_id::text, count(*) FROM attempts WHERE started_at IS NOT NULL GROUP BY 1 HAVING count(*) > 1")
    assert not twice, json.dumps(twice)
