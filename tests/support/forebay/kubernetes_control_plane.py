"""The control plane of a Kubernetes cluster of the tests: etcd, API server, controllers and scheduler, on loopback."""

import pathlib
import secrets
import subprocess

from .certificates import Authority
from .kubeconfig import write_kubeconfig
from .kubernetes_api import KubernetesApi
from .kubernetes_build import node_program
from .kubernetes_node import Node, NodeNetwork
from .postgres import free_port
from .process import ChildProcess
from .waiting import wait_until

ADMINISTRATOR = "/O=system:masters/CN=admin"


class ControlPlane:
    """Everything below `root`."""

    def __init__(self, root: pathlib.Path, network: NodeNetwork):
        self.root = root
        self.network = network
        self.port = free_port()
        self.server = f"https://127.0.0.1:{self.port}"
        self._etcd_port = free_port()
        # Of an administrator, beside the one that has a certificate.
        self.token = secrets.token_urlsafe(24)
        self.processes: dict[str, ChildProcess] = {}
        self.authority: Authority | None = None
        self.api: KubernetesApi | None = None

    def make_keys(self):
        """Certificates of all parts, and the key that tokens of service accounts are signed with."""
        self.authority = Authority(self.root / "tls", "cluster-ca")
        self.authority.issue("api-server", "/CN=kube-apiserver", (
            "IP:127.0.0.1", f"IP:{self.network.api_address}", "DNS:localhost", "DNS:kubernetes.default.svc"))  # fmt: skip
        self.authority.issue("kubelet-client", "/O=system:masters/CN=kube-apiserver")
        command = ["openssl", "genpkey", "-algorithm", "RSA", "-out", self._tls("accounts.key")]
        subprocess.run(command, check=True, capture_output=True)
        (self.root / "tokens.csv").write_text(f'{self.token},token-admin,1,"system:masters"\n')
        self.api = KubernetesApi(self.server, self.authority.certificate, self.authority.issue("admin", ADMINISTRATOR))

    def _tls(self, name: str) -> str:
        return str(self.root / "tls" / name)

    def kubeconfig(self, name: str, subject: str) -> pathlib.Path:
        """The file of somebody with a certificate."""
        certificate, key = self.authority.issue(name, subject)
        user = {"client-certificate": str(certificate), "client-key": str(key)}
        return write_kubeconfig(self.root / f"kubeconfigs/{name}.yaml", self.server, self.authority.certificate, user)

    def start_store(self):
        peers = f"http://127.0.0.1:{free_port()}"
        clients = f"http://127.0.0.1:{self._etcd_port}"
        self._spawn("etcd", [
            "etcd", f"--data-dir={self.root}/etcd", f"--listen-client-urls={clients}", f"--advertise-client-urls={clients}",
            f"--listen-peer-urls={peers}", f"--initial-advertise-peer-urls={peers}", f"--initial-cluster=default={peers}",
        ])  # fmt: skip

    def start_api_server(self):
        """Also again, after it was killed."""
        self._spawn("kube-apiserver", [
            str(node_program()), "kube-apiserver", f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            "--bind-address=127.0.0.1", f"--secure-port={self.port}", f"--cert-dir={self.root}/tls",
            f"--tls-cert-file={self._tls('api-server.pem')}", f"--tls-private-key-file={self._tls('api-server.key')}",
            f"--client-ca-file={self.authority.certificate}", f"--token-auth-file={self.root}/tokens.csv",
            f"--kubelet-client-certificate={self._tls('kubelet-client.pem')}",
            f"--kubelet-client-key={self._tls('kubelet-client.key')}", "--kubelet-preferred-address-types=Hostname",
            f"--service-account-key-file={self._tls('accounts.key')}",
            f"--service-account-signing-key-file={self._tls('accounts.key')}",
            "--service-account-issuer=https://kubernetes.default.svc", f"--service-cluster-ip-range={self.network.services}",
            "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true",
            "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",
        ])  # fmt: skip

    def wait_api_server(self):
        def ready() -> bool:
            for process in self.processes.values():
                assert process.running, f"{process.name} ended:\n{process.tail()}"
            return self.api.answers()

        wait_until(ready, what="the API server is ready", pause=0.1)

    def start_controllers(self):
        for name, options in (
            ("kube-controller-manager", [
                f"--root-ca-file={self.authority.certificate}", f"--service-account-private-key-file={self._tls('accounts.key')}",
                "--use-service-account-credentials=false",
            ]),
            ("kube-scheduler", []),
        ):  # fmt: skip
            kubeconfig = self.kubeconfig(name, f"/O=system:masters/CN={name}")
            self._spawn(name, [
                str(node_program()), name, f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--bind-address=127.0.0.1",
                f"--secure-port={free_port()}", f"--cert-dir={self.root}/tls-{name}", *options,
            ])  # fmt: skip

    def kubelet_kubeconfig(self) -> pathlib.Path:
        return self.kubeconfig("kubelet", f"/O=system:nodes/CN=system:node:{Node.NAME}")

    def _spawn(self, name: str, argv: list[str]):
        # Ends with the process of the tests, however that ends.
        process = self.processes.get(name) or ChildProcess(name, ["setpriv", "--pdeathsig", "KILL", "--", *argv], self.root)
        self.processes[name] = process.spawn()

    def stop(self):
        for process in reversed(self.processes.values()):
            process.kill()
