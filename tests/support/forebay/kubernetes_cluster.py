"""A real Kubernetes cluster of one node, in a folder of its own and on loopback: control plane, kubelet, containers."""

import pathlib
import shutil
import tempfile

from .gate import TcpGate
from .images import busybox_tree
from .kubernetes_api import KubernetesApi, KubernetesError
from .kubernetes_client import KubernetesClient
from .kubernetes_control_plane import ADMINISTRATOR, ControlPlane
from .kubernetes_node import Node, NodeNetwork
from .waiting import wait_until

# A socket's path has 107 characters at most, and the longest below the root has 32.
LONGEST_ROOT = 70


class KubernetesCluster(KubernetesClient):
    """start() and stop() by the main thread of one process: the cluster ends with the thread that started it."""

    def __init__(self, root: pathlib.Path | None = None):
        self.root = root or pathlib.Path(tempfile.mkdtemp(prefix="fbk", dir="/tmp"))
        assert len(str(self.root)) <= LONGEST_ROOT, f"{self.root} is too long a path for the sockets below it"
        self.network = NodeNetwork()
        self.control_plane = ControlPlane(self.root, self.network)
        self.node = Node(self.root, self.network)
        self._in_cluster: TcpGate | None = None
        super().__init__(self.root / "kubeconfigs/admin.yaml", self.node.runtime_socket, self.network.gateway)

    @property
    def api(self) -> KubernetesApi:
        """As an administrator."""
        return self.control_plane.api

    def start(self) -> "KubernetesCluster":
        """Returns once the node is ready. AssertionError, with nothing left behind, if that fails."""
        try:
            self._start()
        except BaseException as error:
            logs = self.logs()
            self.stop()
            if isinstance(error, Exception):
                raise AssertionError(f"no cluster: {error}\n{logs}") from error
            raise
        return self

    def _start(self):
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o755)
        self.control_plane.start_store()
        self.control_plane.make_keys()
        self.control_plane.start_api_server()
        self.control_plane.kubeconfig("admin", ADMINISTRATOR)
        self.network.start()
        self.node.start_runtime()
        self.node.wait_runtime()
        with tempfile.TemporaryDirectory() as folder:
            self.node.make_pause_image(busybox_tree(pathlib.Path(folder)))
        self.control_plane.wait_api_server()
        self.control_plane.start_controllers()
        self.node.start_kubelet(self.control_plane.kubelet_kubeconfig(), self.control_plane.authority.certificate)
        # What a Pod takes from its environment for the API server's address.
        self._in_cluster = TcpGate(f"127.0.0.1:{self.control_plane.port}", (self.network.api_address, 443))
        wait_until(self.ready, what="the node is ready", pause=0.1)

    def ready(self) -> bool:
        """Whether Pods are run: the node is ready, and there is the account that they have."""
        try:
            node = self.api.get(f"/api/v1/nodes/{Node.NAME}")
            self.api.get("/api/v1/namespaces/default/serviceaccounts/default")
        except KubernetesError as error:
            if error.status == 404:
                return False
            raise
        tainted = "taints" in node["spec"]
        return not tainted and any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"]["conditions"])

    def stop(self):
        """Ends all processes and removes the folder. Also after a start that failed, and twice."""
        if self._in_cluster is not None:
            self._in_cluster.close()
            self._in_cluster = None
        self.node.stop()
        self.control_plane.stop()
        self.network.stop()
        if self.root.exists():
            shutil.rmtree(self.root)

    def logs(self, lines: int = 15) -> str:
        """The last lines of each part."""
        return "\n".join(
            "\n".join([f"--- {log.name}", *log.read_text(errors="replace").splitlines()[-lines:]])
            for log in sorted(self.root.glob("*.log"))
        )
