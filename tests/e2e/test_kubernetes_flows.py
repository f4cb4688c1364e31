"""Python flows as Jobs of a real Kubernetes cluster: each Pod asks the server itself whether it may begin."""

import json
import uuid

import pytest
from forebay.images import make_flow_image
from forebay.kubernetes_pool import gated, running
from forebay.python_project import Project
from forebay.waiting import wait_until

pytestmark = pytest.mark.slow

FLOWS = """
    import os
    import time

    from forebay import flow

    @flow(log_prints=True)
    def hello(name: str = "world", seconds: float = 0):
        print(f"hello {name} {os.getuid()} {os.getcwd()}")
        time.sleep(seconds)
        print("done")

    @flow
    def broken():
        raise ValueError("no such thing")
"""
# Each flow is a deployment of its own.
DEPLOY = """
    import sys
    import flows

    for flow in (flows.hello, flows.broken):
        flow.deploy("d", "jobs", image=sys.argv[1], build=False, push=False, job_variables={"namespace": sys.argv[2]})
"""


@pytest.fixture
def reachable(env, kubernetes):
    """A server that Pods reach."""
    if not kubernetes.gateway:
        pytest.skip("Pods of this cluster may not reach this machine")
    env.server_arguments = ("--http-listen", f"{kubernetes.gateway}:0", "--insecure-listen")


@pytest.fixture
def pool(reachable, env, kubernetes, kubernetes_pool, scratch):
    """With the deployments hello/d and broken/d, and a worker."""
    project = Project(env, scratch / "project")
    project.write("flows.py", FLOWS)
    image = f"forebay-test/flows:{uuid.uuid4().hex[:8]}"
    make_flow_image(kubernetes, image, project.directory)
    project.write("deploy.py", DEPLOY)
    done = project.python("deploy.py", image, kubernetes_pool.namespace)
    assert done.returncode == 0, done.stderr
    kubernetes_pool.new_worker()
    return kubernetes_pool


def test_a_flow_runs_in_its_pod(env, pool):
    run_id = env.api.submit("hello/d", parameters='{"name": "Ada"}')
    ended = pool.ended(run_id)
    assert (ended.state, ended.attempts) == ("COMPLETED", 1), ended.message
    assert ended.lines == ["hello Ada 1000 /opt/flows", "done"]
    pool.wait_nothing_left()
    env.checker.check(env.api)


def test_an_exception_fails_the_run(env, pool):
    ended = pool.ended(env.api.submit("broken/d"))
    assert (ended.state, ended.reason) == ("FAILED", "REPORTED_FAILED")
    assert ended.message == "ValueError: no such thing"


def test_the_ticket_stands_in_the_secret_alone_and_the_pod_is_not_gated(env, pool):
    run_id = env.api.submit("hello/d", parameters='{"seconds": 600}')
    pool.wait_output(run_id)
    # The cluster tells of it later than the flow does.
    wait_until(lambda: running(pool.item("pods", run_id)), what="the Pod is said to run")
    pod = pool.item("pods", run_id)
    assert not gated(pod)
    for resource in ("jobs", "pods"):
        assert "fbt_" not in json.dumps(pool.item(resource, run_id))
    assert "env.FOREBAY_LAUNCH_TICKET" in pool.item("secrets", run_id)["data"]
    env.api.cancel(run_id)
    assert pool.ended(run_id).state == "CANCELLED"
    pool.wait_nothing_left()


def test_a_pod_that_the_cluster_makes_again_is_turned_away(env, pool):
    run_id = env.api.submit("hello/d", parameters='{"seconds": 10}')
    pool.wait_output(run_id)
    first = pool.item("pods", run_id)["metadata"]
    job = f"/apis/batch/v1/namespaces/{pool.namespace}/jobs/forebay-{run_id}-1"
    pool.cluster.patch(job, {"spec": {"backoffLimit": 3}})
    # It is made again while the first still runs, as on a node that is cut off.
    pool.cluster.patch(f"/api/v1/namespaces/{pool.namespace}/pods/{first['name']}", {"metadata": {"labels": {
        "batch.kubernetes.io/controller-uid": None, "controller-uid": None, "job-name": None,
        "batch.kubernetes.io/job-name": None}, "ownerReferences": None}})  # fmt: skip
    second = pool.wait_pod(run_id, lambda pod: pod["metadata"]["uid"] != first["uid"])

    def turned_away():
        path = f"/api/v1/namespaces/{pool.namespace}/pods/{second['metadata']['name']}"
        statuses = pool.cluster.get(path)["status"].get("containerStatuses") or [{"state": {}}]
        return statuses[0]["state"].get("terminated")

    assert wait_until(turned_away, what="the second Pod ended")["exitCode"] == 75
    wait_until(lambda: env.api.output(run_id)[-1] == "done", what="the first one goes on to its end")
    assert env.api.output(run_id) == ["hello world 1000 /opt/flows", "done"] and env.api.run(run_id).attempt_count == 1
    pool.end_all()
