"""The cells of Kubernetes: what a launch costs beyond a plain Job, in turns with it on a real cluster; how often the API server
is asked, and what memory a worker needs for many Jobs, on the double."""

import contextlib
import datetime
import pathlib
import statistics
import tempfile
import time

from forebay.daemons import Worker
from forebay.images import make_test_images
from forebay.kubernetes_api import KubernetesApi
from forebay.kubernetes_cluster import KubernetesCluster
from forebay.kubernetes_double import KubernetesDouble
from forebay.kubernetes_pool import KubernetesPool, worker_kubeconfig
from forebay.waiting import wait_until

SCRIPT = ["/bin/sh", "-c", "echo here"]
NAMESPACE = "team"
# What the Pod of a run is confined by, and what that costs any Job (Pod Security "restricted").
RESTRICTED_POD = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
RESTRICTED_CONTAINER = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


class KubernetesCells:
    def __init__(self, bench):
        self._bench = bench
        # What KubernetesPool asks of an environment.
        self.api = bench.api

    def make_worker(self, pool: str, limit: int, arguments: tuple[str, ...], name: str = "worker") -> Worker:
        key = self._bench.worker_key(pool)
        words = ("--log-level", "info", *arguments)
        return Worker(self._bench.folder, self._bench.server.address, pool, key, f"{pool}-{name}", limit, words)

    def _pool(self, cluster: KubernetesApi, kubeconfig: pathlib.Path, namespace: str) -> KubernetesPool:
        name = self._bench.fresh_name("kubernetes")
        return KubernetesPool(self, cluster, kubeconfig, namespace, name, start_deadline=600_000)

    # Launches, on a real cluster.

    def launch(self, runs: int) -> dict[str, float]:
        cluster = KubernetesCluster()
        try:
            make_test_images(cluster.start())
            namespace = cluster.make_namespace("bench")
            pool = self._pool(cluster.api, worker_kubeconfig(cluster, namespace, self._bench.folder), namespace)
            pool.deploy(SCRIPT)
            with ended(pool.new_worker(limit=1)):
                wait_until(lambda: not pool.readiness(), what="the worker is ready")
                plain, confined, ours = [], [], []
                for turn in range(runs):
                    plain.append(self._plain(pool, f"plain-{turn}", {}, {}))
                    confined.append(self._plain(pool, f"confined-{turn}", RESTRICTED_POD, RESTRICTED_CONTAINER))
                    ours.append(self._ours(pool))
        finally:
            cluster.stop()
        plain_ms, confined_ms, ours_ms = (statistics.median(times) for times in (plain, confined, ours))
        return {
            "plain_p50_ms": plain_ms, "confined_p50_ms": confined_ms - plain_ms, "overhead_p50_ms": ours_ms - confined_ms,
            "whole_p50_ms": ours_ms - plain_ms,
        }  # fmt: skip

    def _plain(self, pool: KubernetesPool, name: str, pod_context: dict, context: dict) -> float:
        """Milliseconds from the call that makes a Job to its first line, by the clock of the container's runtime; with the security
        contexts that are given."""
        container = {
            "name": "main", "image": pool.defaults["image"], "imagePullPolicy": "Never", "args": SCRIPT, "securityContext": context,
        }  # fmt: skip
        jobs = f"/apis/batch/v1/namespaces/{pool.namespace}/jobs"
        began = time.time()
        pool.cluster.post(jobs, {"metadata": {"name": name}, "spec": {"backoffLimit": 0, "template": {"spec": {
            "restartPolicy": "Never", "automountServiceAccountToken": False, "securityContext": pod_context, "containers": [container]}}}})  # fmt: skip
        selector = f"batch.kubernetes.io/job-name={name}"
        pods = f"/api/v1/namespaces/{pool.namespace}/pods"

        def over():
            found = pool.cluster.get(pods, labelSelector=selector)["items"]
            return found[0] if found and found[0]["status"]["phase"] in ("Succeeded", "Failed") else None

        pod = wait_until(over, what=f"{name} is over", pause=0.05)
        text = pool.cluster.request("GET", f"{pods}/{pod['metadata']['name']}/log", raw=True, timestamps="true")
        pool.cluster.delete(f"{jobs}/{name}", propagationPolicy="Foreground")
        wait_until(lambda: not pool.cluster.get(pods)["items"], what=f"{name} is gone")
        stamp = datetime.datetime.fromisoformat(text.split()[0][:26].rstrip("Z") + "+00:00")
        return 1000 * (stamp.timestamp() - began)

    def _ours(self, pool: KubernetesPool) -> float:
        """Milliseconds from grant to the first line."""
        run_id = self.api.submit("flow/job")
        self.api.wait_for_state(run_id, "COMPLETED")
        granted = self._bench.checker.value("SELECT extract(epoch FROM granted_at) FROM attempts WHERE run_id = %s", run_id)
        (first,) = (line.entry for line in self.api.log(run_id) if line.entry.text == "here")
        pool.wait_nothing_left()
        return first.time_micros / 1000 - 1000 * float(granted)

    # What it takes, on the double.

    def cost(self, jobs: int) -> dict[str, float]:
        with tempfile.TemporaryDirectory(prefix="fbk") as folder:
            double = KubernetesDouble(pathlib.Path(folder))
            try:
                double.make_namespace(NAMESPACE)
                return self._cost(double, jobs)
            finally:
                double.close()

    def _cost(self, double: KubernetesDouble, jobs: int) -> dict[str, float]:
        pool = self._pool(double.api(), double.kubeconfig(namespace=NAMESPACE), NAMESPACE)
        pool.deploy(SCRIPT, env={"TOKEN": "in a Secret"})
        with ended(pool.new_worker(limit=jobs, name="holder")) as holder:
            empty = holder.rss_bytes()
            run_ids = self.api.submit_many("flow/job", jobs)
            wait_until(lambda: len(double.calls_of("get", "pods/log")) >= jobs, deadline=600, what="all run", pause=0.5)
            with ended(pool.new_worker(limit=1, name="watcher")) as watcher:
                wait_until(lambda: not pool.readiness(), what="the watcher is ready")
                made = sum(call.verb in ("create", "patch", "get", "delete") for call in double.calls)
                settle(watcher, holder)
                result = {
                    "calls": made / jobs, "watcher_rss_mb": watcher.rss_bytes() / 2**20, "holder_rss_mb": holder.rss_bytes() / 2**20,
                    "empty_rss_mb": empty / 2**20,
                }  # fmt: skip
            assert len(run_ids) == jobs
            for run_id in run_ids:
                self.api.cancel(run_id)
        return result


@contextlib.contextmanager
def ended(worker: Worker):
    """It is over when the block is."""
    try:
        yield worker
    finally:
        worker.kill()


def settle(*workers: Worker):
    """Until none of them grows."""
    before: list[int] = []

    def same() -> bool:
        nonlocal before
        now = [worker.rss_bytes() for worker in workers]
        calm, before = now == before, now
        return calm

    wait_until(same, deadline=120, what="the workers have come to rest", pause=2)
