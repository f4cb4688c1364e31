"""The tests' own Kubernetes cluster is a real one, gives users no more than they were given, and leaves nothing behind."""

import base64
import contextlib
import json
import pathlib
import signal
import subprocess
import threading

import pytest
from forebay.images import BUSYBOX, make_test_images
from forebay.kubernetes_api import KubernetesApi, KubernetesError
from forebay.kubernetes_client import Rule
from forebay.kubernetes_cluster import KubernetesCluster
from forebay.kubernetes_shared import COMMAND, shared_cluster
from forebay.process import is_alive
from forebay.waiting import wait_until

pytestmark = pytest.mark.slow
RESTRICTED = {
    "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
    "container": {"securityContext": {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}},
}  # fmt: skip


def job(name: str, *command: str, container: dict | None = None, **pod) -> dict:
    main = {"name": "main", "image": BUSYBOX, "imagePullPolicy": "Never", "command": list(command), **(container or {})}
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [main], **pod}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
            "spec": {"backoffLimit": 0, "template": {"spec": spec}}}  # fmt: skip


def ended(pod: dict) -> bool:
    return pod["status"]["phase"] in ("Succeeded", "Failed")


def running(pod: dict) -> bool:
    return any("running" in status["state"] for status in pod["status"].get("containerStatuses", []))


@pytest.fixture
def namespace(kubernetes):
    name = kubernetes.make_namespace()
    yield name
    kubernetes.remove_namespace(name)


def test_a_job_by_kubectl(kubernetes, namespace):
    manifest = json.dumps(job("hello", "/bin/sh", "-c", "echo first; echo second; exit 7"))
    assert "job.batch/hello created" in kubernetes.kubectl("create", "-n", namespace, "-f", "-", stdin=manifest)
    pod = kubernetes.wait_pod(namespace, "hello", ended)
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 7
    assert kubernetes.kubectl("logs", "-n", namespace, "job/hello") == "first\nsecond\n"
    events = kubernetes.kubectl("get", "events", "-n", namespace, "-o", "jsonpath={.items[*].reason}").split()
    assert {"SuccessfulCreate", "Scheduled", "Pulled", "Created", "Started"} <= set(events)


def test_a_container_that_takes_too_much_memory(kubernetes, namespace):
    limits = {"resources": {"limits": {"memory": "32Mi"}}}
    manifest = job("big", "dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1", container=limits)
    kubernetes.api.post(f"/apis/batch/v1/namespaces/{namespace}/jobs", manifest)
    state = kubernetes.wait_pod(namespace, "big", ended)["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (state["exitCode"], state["reason"]) == (137, "OOMKilled")


def test_a_program_of_a_secret_runs_where_pods_are_restricted(kubernetes):
    namespace = kubernetes.make_namespace(pod_security="restricted")
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    program = base64.b64encode(b"#!/bin/sh\nid -u\n").decode()
    kubernetes.api.post(f"/api/v1/namespaces/{namespace}/secrets", {"metadata": {"name": "program"}, "data": {"it": program}})
    volume = {"volumes": [{"name": "v", "secret": {"secretName": "program", "defaultMode": 0o555}}]}
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/program"}], **RESTRICTED["container"]}
    kubernetes.api.post(jobs, job("fine", "/program/it", container=mount, securityContext=RESTRICTED["securityContext"], **volume))
    kubernetes.wait_pod(namespace, "fine", ended)
    assert kubernetes.kubectl("logs", "-n", namespace, "job/fine") == "1000\n"
    with pytest.raises(KubernetesError, match='violates PodSecurity "restricted'):
        pod = job("root", "true")["spec"]["template"]["spec"]
        kubernetes.api.post(f"/api/v1/namespaces/{namespace}/pods", {"metadata": {"name": "root"}, "spec": pod})
    kubernetes.remove_namespace(namespace)


def test_an_account_may_do_what_it_was_given_and_no_more(kubernetes, namespace, scratch):
    token = kubernetes.make_account(namespace, "reader", [Rule("batch", ["jobs"], ["list"])])
    kubeconfig = kubernetes.write_kubeconfig(scratch / "reader.yaml", {"token": token}, namespace)
    assert kubernetes.kubectl("get", "jobs", "-o", "name", kubeconfig=kubeconfig) == ""
    for words in (("get", "secrets"), ("delete", "job", "none"), ("get", "jobs", "-n", "default")):
        with pytest.raises(subprocess.CalledProcessError) as refused:
            kubernetes.kubectl(*words, kubeconfig=kubeconfig)
        assert "Forbidden" in refused.value.stderr


def test_one_cluster_for_all_who_ask_and_nothing_after_the_last(kubernetes_built, scratch):
    folder = scratch / "k"
    seen = []

    def use():
        with shared_cluster(folder) as cluster:
            seen.append(cluster.api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])
            both.wait()
            cluster.api.get("/api/v1/nodes")

    both = threading.Barrier(2, timeout=120)
    users = [threading.Thread(target=use) for _ in range(2)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert len(seen) == 2 and len(set(seen)) == 1
    wait_until(lambda: not folder.exists(), what="the folder is gone")
    assert not processes_of(folder)


def processes_of(root: pathlib.Path) -> list[str]:
    """The command lines that name the folder."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = path.read_text(errors="replace").replace("\0", " ")
            if f"{root}/" in command:
                found.append(command)
    return found


def nothing_is_left(cluster: KubernetesCluster, pids: list[int], groups: list[pathlib.Path]):
    assert not cluster.root.exists()
    assert not [pid for pid in pids if is_alive(pid)]
    assert not processes_of(cluster.root)
    assert str(cluster.root) not in pathlib.Path("/proc/mounts").read_text()
    assert not pathlib.Path(f"/sys/class/net/{cluster.network.bridge}").exists()
    assert not [group for group in groups if group.exists()]


def test_stop_leaves_nothing(kubernetes_built):
    cluster = KubernetesCluster()
    other = KubernetesCluster()
    try:
        cluster.start()
        other.start()
        make_test_images(cluster)
        cluster.api.post("/apis/batch/v1/namespaces/default/jobs", job("long", "sleep", "1000"))
        pod = cluster.wait_pod("default", "long", running)
        container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
        groups = [*pathlib.Path("/sys/fs/cgroup").glob(f"**/k8s.io/{container}")]
        assert groups
        pids = [int(pid) for group in groups for pid in (group / "cgroup.procs").read_text().split()]
        assert pids
    finally:
        cluster.stop()
    nothing_is_left(cluster, pids, groups)
    try:
        assert other.ready(), "the other one goes on"
    finally:
        other.stop()
    cluster.stop()


def test_a_start_that_fails_leaves_nothing(kubernetes_built):
    cluster = KubernetesCluster()
    cluster.control_plane.start_controllers = lambda: 1 / 0
    with pytest.raises(AssertionError, match="no cluster: division by zero"):
        cluster.start()
    nothing_is_left(cluster, [], [])


def test_no_process_outlives_the_one_that_has_the_cluster(kubernetes_built, scratch):
    root = scratch / "k"
    with (scratch / "keeper.log").open("wb") as log:
        keeper = subprocess.Popen([str(COMMAND), "run", str(root)], stdout=log, stderr=log)
    wait_until((root / "ready").exists, what="the cluster is ready")
    assert processes_of(root)
    keeper.send_signal(signal.SIGKILL)
    keeper.wait()
    wait_until(lambda: not processes_of(root), what="all processes are gone")
    # Its number, bridge and groups are the next one's that asks.
    again = KubernetesCluster()
    again.stop()


def test_the_control_plane_may_go_and_come(own_cluster):
    own_cluster.api.post("/apis/batch/v1/namespaces/default/jobs", job("long", "sleep", "1000"))
    before = own_cluster.wait_pod("default", "long", running)
    own_cluster.control_plane.processes["kube-apiserver"].kill()
    assert not own_cluster.api.answers()
    own_cluster.control_plane.start_api_server()
    own_cluster.control_plane.wait_api_server()
    after = own_cluster.wait_pod("default", "long", running)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    inside = KubernetesApi(f"https://{own_cluster.network.api_address}", own_cluster.api.authority, own_cluster.api.certificate)
    assert inside.answers(), "as Pods reach it"
