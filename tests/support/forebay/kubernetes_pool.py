"""A kubernetes pool on a cluster, a real one or the double: its runs of shell scripts, and what the cluster has of them."""

import functools
import json
import pathlib

import yaml

from .ended import Ended
from .images import BUSYBOX
from .kubernetes_api import KubernetesApi, KubernetesError
from .kubernetes_client import KubernetesClient, Rule
from .process import ROOT
from .waiting import PATIENCE, wait_until

RESOURCES = {
    "jobs": "/apis/batch/v1/namespaces/{}/jobs", "pods": "/api/v1/namespaces/{}/pods",
    "secrets": "/api/v1/namespaces/{}/secrets",
}  # fmt: skip
# Satisfies Pod Security "restricted" with an image that has no user of its own.
DEFAULTS = {"image": BUSYBOX, "image_pull_policy": "Never", "run_as_user": 1000}


@functools.cache
def worker_rules() -> list[Rule]:
    """What a worker may do, as deploy/kubernetes has it."""
    documents = yaml.safe_load_all((ROOT / "deploy/kubernetes/worker-role.yaml").read_text())
    (role,) = (document for document in documents if document["kind"] == "Role")
    return [Rule(rule["apiGroups"][0], rule["resources"], rule["verbs"]) for rule in role["rules"]]


def worker_kubeconfig(cluster: KubernetesClient, namespace: str, folder: pathlib.Path) -> pathlib.Path:
    """Of a new account with the rights of a worker in the namespace, and no others."""
    token = cluster.make_account(namespace, "worker", worker_rules())
    return cluster.write_kubeconfig(folder / f"{namespace}.yaml", {"token": token}, namespace)


def pool_of_double(env, double, namespace: str, rules: list[Rule] | None = None, **timeouts) -> "KubernetesPool":
    """Its workers may do in the namespace of the double what the rules say, else what deploy/kubernetes has, and nothing else."""
    double.access.tokens["worker-token"] = "worker"
    double.access.confine("worker", rules or worker_rules(), (namespace,))
    kubeconfig = double.kubeconfig("worker", {"token": "worker-token"}, namespace)
    return KubernetesPool(env, double.api(), kubeconfig, namespace, **timeouts)


class KubernetesPool:
    """`cluster` is an administrator's client, `kubeconfig` a worker's, with `namespace` as that of its context."""

    def __init__(self, env, cluster: KubernetesApi, kubeconfig: pathlib.Path, namespace: str, name: str = "jobs", **timeouts):
        self.env, self.cluster, self.kubeconfig, self.namespace, self.name = env, cluster, kubeconfig, namespace, name
        self.pool = env.api.create_pool(name, "kubernetes", **timeouts)
        self.defaults = {**DEFAULTS, "namespace": namespace}

    # Workers.

    def make_worker(self, *words: str, limit: int = 8, **options):
        """One that is not started yet."""
        arguments = ("--kubeconfig", str(self.kubeconfig), *words)
        return self.env.make_worker(self.name, arguments=arguments, limit=limit, **options)

    def new_worker(self, *words: str, **options):
        return self.make_worker(*words, **options).start()

    def readiness(self) -> str:
        """Why the first worker that is listed cannot launch; nothing when it can."""
        return self.env.api.FleetService.ListWorkers(work_pool=self.pool.name).workers[0].not_ready_reason

    # Runs.

    def deploy(self, script: str | list[str], deployment: str = "flow/job", **variables):
        command = script if isinstance(script, list) else ["/bin/sh", "-c", script]
        text = json.dumps({**self.defaults, **variables})
        return self.env.api.deploy(deployment, self.name, command, job_variables=text)

    def submit(self, script: str | list[str], parameters: str = "", **variables) -> str:
        """A run of a shell script, or of a command, in a busybox container."""
        self.deploy(script)
        return self.env.api.submit("flow/job", job_variables=json.dumps(variables) if variables else "", parameters=parameters)

    def run(self, script: str | list[str], deadline: float = PATIENCE, **options) -> Ended:
        """The ended run; a worker is somebody else's to start."""
        return self.ended(self.submit(script, **options), deadline)

    def ended(self, run_id: str, deadline: float = PATIENCE) -> Ended:
        self.env.api.wait_for_end(run_id, deadline)
        return Ended(self.env.api, run_id)

    def wait_output(self, run_id: str, lines: int = 1):
        wait_until(lambda: len(self.env.api.output(run_id)) >= lines, what=f"{lines} lines of {run_id}")

    # What the cluster has of the pool.

    def items(self, resource: str, run_id: str = "") -> list[dict]:
        """Jobs, pods or secrets: of one run, or of all."""
        label = f"forebay.io/run-id={run_id}" if run_id else f"forebay.io/pool-id={self.pool.uid}"
        return self.cluster.get(RESOURCES[resource].format(self.namespace), labelSelector=label)["items"]

    def item(self, resource: str, run_id: str) -> dict:
        """The only one of the run, once it is there."""
        found = wait_until(lambda: self.items(resource, run_id), what=f"{resource} of {run_id}")
        assert len(found) == 1, found
        return found[0]

    def wait_pod(self, run_id: str, condition=lambda pod: True) -> dict:
        """The run's first Pod that the condition is true of."""
        return wait_until(lambda: next(filter(condition, self.items("pods", run_id)), None), what=f"a Pod of {run_id}")

    def delete(self, resource: str, name: str, **options):
        self.cluster.delete(f"{RESOURCES[resource].format(self.namespace)}/{name}", **options)

    def left(self) -> dict[str, list[str]]:
        """The names of all that is there of the pool."""
        found = {resource: [item["metadata"]["name"] for item in self.items(resource)] for resource in RESOURCES}
        return {resource: names for resource, names in found.items() if names}

    def wait_nothing_left(self):
        wait_until(lambda: not self.left(), what="no Job, Pod and Secret of the pool")

    def end_all(self):
        """At the end of a test: what is not over by then goes at once."""
        for resource in ("jobs", "pods"):
            for item in self.items(resource):
                try:
                    self.delete(resource, item["metadata"]["name"], propagationPolicy="Background", gracePeriodSeconds=0)
                except KubernetesError as error:
                    if error.status != 404:
                        raise


def gated(pod: dict) -> bool:
    return bool(pod["spec"].get("schedulingGates"))


def running(pod: dict) -> bool:
    return any("running" in status["state"] for status in pod["status"].get("containerStatuses") or [])
