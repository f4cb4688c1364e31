"""What tests do with a Kubernetes cluster, whoever started it: kubectl, namespaces, users with few rights, images."""

import contextlib
import dataclasses
import functools
import pathlib
import subprocess
import tempfile
import uuid

from .image_archive import write_archive
from .kubeconfig import api_of, write_kubeconfig
from .kubernetes_api import KubernetesApi, KubernetesError
from .process import clean_environment
from .waiting import wait_until

RBAC = "/apis/rbac.authorization.k8s.io/v1"


@dataclasses.dataclass
class Rule:
    """May use `verbs` on `resources` of an API group ("" has pods and secrets, "batch" jobs)."""

    group: str
    resources: list[str]
    verbs: list[str]


class KubernetesClient:
    """`kubeconfig` is an administrator's; `runtime` the socket of the node's containerd, where images are loaded."""

    def __init__(self, kubeconfig: pathlib.Path, runtime: pathlib.Path | None = None, gateway: str = ""):
        self.kubeconfig = kubeconfig
        self.runtime = runtime
        # This machine, as Pods see it: what listens on this address can be reached by them.
        self.gateway = gateway

    @functools.cached_property
    def api(self) -> KubernetesApi:
        return api_of(self.kubeconfig)

    def kubectl(self, *words: str, kubeconfig: pathlib.Path | None = None, stdin: str | None = None) -> str:
        """The standard output; CalledProcessError, with what it said in `stderr`, when it fails."""
        # A home of its own, without a cache that another user may not write.
        with tempfile.TemporaryDirectory() as home:
            return subprocess.run(
                ["kubectl", "--kubeconfig", str(kubeconfig or self.kubeconfig), *words],
                input=stdin, check=True, capture_output=True, text=True, env=clean_environment(HOME=home),
            ).stdout  # fmt: skip

    # Namespaces and users.

    def make_namespace(self, prefix: str = "test", pod_security: str = "") -> str:
        """The name of a new one in which Pods can be made; `pod_security`: the standard enforced in it ("restricted")."""
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        labels = {"pod-security.kubernetes.io/enforce": pod_security} if pod_security else {}
        self.api.post("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
        wait_until(lambda: self.exists(f"/api/v1/namespaces/{name}/serviceaccounts/default"), what=f"{name} has its account")
        return name

    def remove_namespace(self, name: str):
        """Begins to; the cluster takes some seconds, for which nobody has to wait."""
        with contextlib.suppress(KubernetesError):
            self.api.delete(f"/api/v1/namespaces/{name}")

    def wait_namespace_gone(self, name: str):
        """Everything that was in it is over when this returns."""
        wait_until(lambda: not self.exists(f"/api/v1/namespaces/{name}"), what=f"namespace {name} is gone")

    def exists(self, path: str) -> bool:
        try:
            self.api.get(path)
        except KubernetesError as error:
            if error.status == 404:
                return False
            raise
        return True

    def make_account(self, namespace: str, name: str, rules: list[Rule], seconds: int = 7200) -> str:
        """A token of a new service account that may do what the rules say in its namespace, and nothing else."""
        self.api.post(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}})
        self.grant(namespace, name, rules)
        return self.token_of(namespace, name, seconds)

    def grant(self, namespace: str, account: str, rules: list[Rule], of: str = ""):
        """Lets an account (of the namespace `of`, if it is another) do more in a namespace."""
        name = f"{account}-{uuid.uuid4().hex[:8]}"
        written = [{"apiGroups": [rule.group], "resources": rule.resources, "verbs": rule.verbs} for rule in rules]
        self.api.post(f"{RBAC}/namespaces/{namespace}/roles", {"metadata": {"name": name}, "rules": written})
        self.api.post(f"{RBAC}/namespaces/{namespace}/rolebindings", {
            "metadata": {"name": name}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": of or namespace}],
        })  # fmt: skip

    def token_of(self, namespace: str, account: str, seconds: int = 7200) -> str:
        """A new one; the server makes none for less than 600 seconds."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": seconds}}
        return self.api.post(path, request)["status"]["token"]

    def write_kubeconfig(self, path: pathlib.Path, user: dict, namespace: str = "", server: str = "") -> pathlib.Path:
        """For the same API server, unless told another way to it; `user` as in a kubeconfig: {"token": …}."""
        return write_kubeconfig(path, server or self.api.server, self.api.authority, user, namespace)

    # Jobs and Pods.

    def pods_of(self, namespace: str, job: str) -> list[dict]:
        listing = self.api.get(f"/api/v1/namespaces/{namespace}/pods", labelSelector=f"batch.kubernetes.io/job-name={job}")
        return listing["items"]

    def wait_pod(self, namespace: str, job: str, condition=lambda pod: True) -> dict:
        """The Job's first Pod that the condition is true of."""
        return wait_until(lambda: next(filter(condition, self.pods_of(namespace, job)), None), what=f"a Pod of Job {job}")

    # Images.

    def has_image(self, name: str) -> bool:
        return _full(name) in self._ctr("images", "list", "-q").split()

    def import_image(self, name: str, tree: pathlib.Path, changes: tuple[str, ...] = ()):
        """Makes an image of one layer of the files below `tree`; `changes` as in a Dockerfile. For Pods whose image is not
        pulled (imagePullPolicy Never, or IfNotPresent). With has_image, all that images.py needs of an engine."""
        with tempfile.TemporaryDirectory() as folder:
            archive = pathlib.Path(folder) / "image.tar"
            write_archive(archive, _full(name), tree, changes)
            self.load_image(archive)

    def load_image(self, archive: pathlib.Path):
        """All images of a docker archive."""
        self._ctr("images", "import", str(archive))

    def _ctr(self, *words: str) -> str:
        assert self.runtime is not None, "images cannot be loaded into a cluster that is not the tests' own"
        command = ["ctr", "--address", str(self.runtime), "--namespace", "k8s.io", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _full(image: str) -> str:
    return f"docker.io/{image}" if "/" in image else f"docker.io/library/{image}"
