"""Workers as deploy/kubernetes has them, in the cluster: by their own service account, several of them, and rolled while runs go on."""

import pathlib
import uuid

import pytest
import yaml
from forebay.images import make_worker_image
from forebay.kubernetes_pool import KubernetesPool
from forebay.process import ROOT
from forebay.waiting import wait_until

pytestmark = pytest.mark.slow

COLLECTIONS = {
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts", "Secret": "/api/v1/namespaces/{}/secrets",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
}  # fmt: skip
JOBS = 50
LINES = [str(n) for n in range(1, 21)]


@pytest.fixture
def server(env, kubernetes):
    """A server that Pods reach, beside the first."""
    if not kubernetes.gateway:
        pytest.skip("Pods of this cluster may not reach this machine")
    return env.new_server(listen=f"{kubernetes.gateway}:0", arguments=("--insecure-listen",))


@pytest.fixture
def system(kubernetes, kubernetes_namespace):
    """The namespace of the workers; the other one is that of the runs."""
    name = kubernetes.make_namespace("forebay", pod_security="restricted")
    yield name
    kubernetes.remove_namespace(name)
    kubernetes.wait_namespace_gone(name)


@pytest.fixture
def pool(env, kubernetes, kubernetes_namespace, server, system):
    """The pool `kubernetes` with the two workers of deploy/kubernetes."""
    made = KubernetesPool(env, kubernetes.api, pathlib.Path(), kubernetes_namespace, name="kubernetes")
    image = f"forebay-test/worker:{uuid.uuid4().hex[:8]}"
    make_worker_image(kubernetes, image)
    kubernetes.api.post(COLLECTIONS["Secret"].format(system), {
        "metadata": {"name": "forebay-worker-key"}, "stringData": {"key": env.worker_key("kubernetes") + "\n"}})  # fmt: skip
    for document in documents(system, kubernetes_namespace, image, server.address):
        kubernetes.api.post(COLLECTIONS[document["kind"]].format(document["metadata"]["namespace"]), document)
    wait_until(lambda: len(online(env)) == 2, what="two workers are online", deadline=120)
    return made


def documents(system: str, runs: str, image: str, server: str) -> list[dict]:
    """The worker's of deploy/kubernetes, for other namespaces, another image and server."""
    text = "\n---\n".join((ROOT / f"deploy/kubernetes/{name}.yaml").read_text() for name in ("worker-role", "worker"))
    for old, new in (
        ("forebay/forebay:0.1.0", image), ("forebay-server.forebay.svc:7070", server), ("forebay-runs", runs),
        ("namespace: forebay\n", f"namespace: {system}\n"),
    ):  # fmt: skip
        assert old in text
        text = text.replace(old, new)
    return list(yaml.safe_load_all(text))


def online(env) -> set[str]:
    return {worker.name for worker in env.api.FleetService.ListWorkers(work_pool="workPools/kubernetes").workers}


@pytest.mark.minutes
def test_workers_are_rolled_while_50_jobs_run_and_none_is_disturbed(env, kubernetes, pool, system):
    first = online(env)
    pool.deploy("for i in $(seq 20); do echo $i; sleep 1; done")
    run_ids = env.api.submit_many("flow/job", JOBS)
    wait_until(lambda: sum(env.api.state(run_id) == "RUNNING" for run_id in run_ids) == JOBS, deadline=120, what="all run", pause=0.5)
    kubernetes.kubectl("rollout", "restart", "-n", system, "deployment/forebay-worker")
    kubernetes.kubectl("rollout", "status", "-n", system, "deployment/forebay-worker", "--timeout=120s")
    for run_id in run_ids:
        ended = pool.ended(run_id, deadline=180)
        assert (ended.state, ended.attempts, ended.lines) == ("COMPLETED", 1, LINES), (ended.message, ended.lines)
    wait_until(lambda: not online(env) & first, what="the first workers are gone")
    pool.wait_nothing_left()
    env.checker.check(env.api)
