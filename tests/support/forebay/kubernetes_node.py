"""The node of a Kubernetes cluster of the tests: a network of its own on this machine, containerd and the kubelet."""

import contextlib
import json
import pathlib
import socket
import subprocess

from .image_archive import write_archive
from .kubernetes_build import CNI_PROGRAMS, node_program
from .postgres import free_port
from .private_space import PrivateSpace, SpaceProgram
from .waiting import wait_until

PAUSE_IMAGE = "docker.io/forebay-test/pause:1"
MOST_CLUSTERS = 60
CGROUPS = pathlib.Path("/sys/fs/cgroup")


class NodeNetwork:
    """A bridge without a way out of the machine. Pods have addresses of 198.18.2N.0/24 and services of 198.18.(2N+1).0/24,
    a range that is for measurements and is nobody's real network; N is the first that no other cluster has."""

    def __init__(self):
        self._claim, self.number = _claim_number()
        self.bridge = f"fbk{self.number}"
        self.pods = f"198.18.{2 * self.number}.0/24"
        self.services = f"198.18.{2 * self.number + 1}.0/24"
        # This machine, as Pods see it.
        self.gateway = f"198.18.{2 * self.number}.1"
        # What the API server is called in Pods.
        self.api_address = f"198.18.{2 * self.number + 1}.1"

    def start(self):
        self._remove()
        # With an address of its own: else it has that of one Pod or another, and those that are there lose it for a while.
        _ip("link", "add", self.bridge, "address", f"02:fb:00:00:00:{self.number:02x}", "type", "bridge")
        _ip("addr", "add", f"{self.gateway}/24", "dev", self.bridge)
        _ip("addr", "add", f"{self.api_address}/32", "dev", self.bridge)
        _ip("link", "set", self.bridge, "up")

    def stop(self):
        """Also twice: the bridge of this number may be another cluster's then."""
        if self._claim.fileno() >= 0:
            self._remove()
            self._claim.close()

    def _remove(self):
        subprocess.run(["ip", "link", "delete", self.bridge], check=False, capture_output=True)

    def configuration(self, data: pathlib.Path) -> dict:
        """The list of network plugins for the container runtime."""
        address = {"type": "host-local", "dataDir": str(data), "ranges": [[{"subnet": self.pods, "gateway": self.gateway}]],
                   "routes": [{"dst": "0.0.0.0/0", "gw": self.gateway}]}  # fmt: skip
        bridge = {"type": "bridge", "bridge": self.bridge, "isGateway": False, "ipMasq": False, "ipam": address}
        return {"cniVersion": "0.4.0", "name": "forebay", "plugins": [bridge]}


class Node:
    """Everything below `root`. `kubeconfig` is the kubelet's; `authority` that of the API server's certificate."""

    NAME = "localhost"

    def __init__(self, root: pathlib.Path, network: NodeNetwork):
        self.root = root
        self.network = network
        self.port = free_port()
        self.runtime_socket = root / "c.sock"
        self.space = PrivateSpace(root)
        self.containerd: SpaceProgram | None = None
        self.kubelet: SpaceProgram | None = None

    def start_runtime(self):
        self.space.start()
        (self.root / "cni").mkdir()
        configuration = self.network.configuration(self.root / "addresses")
        (self.root / "cni/10-forebay.conflist").write_text(json.dumps(configuration))
        (self.root / "containerd.toml").write_text(self._runtime_configuration())
        self.containerd = self.space.program("containerd", ["containerd", "--config", str(self.root / "containerd.toml")])
        self.containerd.spawn()

    def _runtime_configuration(self) -> str:
        cri = "io.containerd.grpc.v1.cri"
        return f"""
version = 2
root = "{self.root}/containerd"
state = "{self.root}/c"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "{self.runtime_socket}"
[plugins."{cri}"]
  sandbox_image = "{PAUSE_IMAGE}"
  # Where the tests run, nobody may lower the score of a process below that of its parent.
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
[plugins."{cri}".cni]
  bin_dir = "{CNI_PROGRAMS}"
  conf_dir = "{self.root}/cni"
[plugins."{cri}".containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
[plugins."{cri}".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
"""

    def wait_runtime(self):
        wait_until(self._runtime_answers, what="containerd answers")

    def _runtime_answers(self) -> bool:
        assert self.containerd.running, f"containerd ended:\n{self.containerd.tail()}"
        if not self.runtime_socket.exists():
            return False
        return subprocess.run(self._ctr("version"), capture_output=True, check=False).returncode == 0

    def start_kubelet(self, kubeconfig: pathlib.Path, authority: pathlib.Path):
        (self.root / "kubelet.json").write_text(json.dumps(self._kubelet_configuration(authority)))
        self.kubelet = self.space.program("kubelet", [
            str(node_program()), "kubelet", f"--config={self.root}/kubelet.json", f"--kubeconfig={kubeconfig}",
            f"--root-dir={self.root}/kubelet", f"--cert-dir={self.root}/kubelet-tls", f"--hostname-override={self.NAME}",
            f"--node-ip={self.network.gateway}", f"--pod-infra-container-image={PAUSE_IMAGE}",
        ])  # fmt: skip
        self.kubelet.spawn()

    def _kubelet_configuration(self, authority: pathlib.Path) -> dict:
        return {
            "kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "address": "127.0.0.1", "port": self.port, "healthzPort": 0, "readOnlyPort": 0,
            "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": str(authority)}},
            "containerRuntimeEndpoint": f"unix://{self.runtime_socket}", "podLogsDir": f"{self.root}/pod-logs",
            "volumePluginDir": f"{self.root}/volume-plugins", "resolvConf": "", "clusterDNS": [self.network.gateway],
            # No quality-of-service groups and no limits of the node as a whole: it shares the machine with the tests.
            "cgroupDriver": "cgroupfs", "cgroupsPerQOS": False, "enforceNodeAllocatable": [],
            "failSwapOn": False, "failCgroupV1": False, "localStorageCapacityIsolation": False,
            "makeIPTablesUtilChains": False, "evictionHard": {}, "imageGCHighThresholdPercent": 100,
            "maxPods": 250, "registerNode": True,
        }  # fmt: skip

    def _ctr(self, *words: str) -> list[str]:
        return ["ctr", "--address", str(self.runtime_socket), "--namespace", "k8s.io", *words]

    def make_pause_image(self, tree: pathlib.Path):
        """What every Pod's first container is made of."""
        archive = self.root / "pause.tar"
        write_archive(archive, PAUSE_IMAGE, tree, ("ENV PATH=/bin", 'ENTRYPOINT ["/bin/sleep","2147483647"]'))
        subprocess.run(self._ctr("images", "import", str(archive)), check=True, capture_output=True)
        archive.unlink()

    def stop(self):
        """Ends every process of every container at once, and takes away their groups."""
        containers = [path.name for path in self.root.glob("c/io.containerd.runtime.v2.task/k8s.io/*")]
        for program in (self.kubelet, self.containerd, self.space):
            if program is not None:
                program.kill()
        groups = [path for container in containers for path in _groups(f"k8s.io/{container}")]
        wait_until(lambda: all(_removed(path) for path in groups), what="the groups of the containers are empty")
        for path in _groups("k8s.io"):
            _removed(path)


def _groups(name: str) -> list[pathlib.Path]:
    """The folders of a control group: in each hierarchy of the first version, and in that of the second."""
    return [*CGROUPS.glob(f"*/{name}"), *CGROUPS.glob(name)]


def _removed(group: pathlib.Path) -> bool:
    """A group can be removed once the kernel has buried its processes, and if no other cluster has one below it."""
    with contextlib.suppress(OSError):
        group.rmdir()
    return not group.exists()


def _claim_number() -> tuple[socket.socket, int]:
    """A number of which no other process on this machine has a claim; the claim is over when the socket is closed."""
    for number in range(MOST_CLUSTERS):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0forebay-test-kubernetes-{number}")
            return claim, number
        except OSError:
            claim.close()
    raise AssertionError(f"{MOST_CLUSTERS} clusters run on this machine already")


def _ip(*words: str):
    subprocess.run(["ip", *words], check=True, capture_output=True)
