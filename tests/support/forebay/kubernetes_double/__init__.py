"""A Kubernetes API server that misbehaves as told, with a small cluster behind it: what a healthy one cannot show."""

import contextlib
import pathlib
import socket
import ssl
import threading

from ..certificates import Authority
from ..kubeconfig import write_kubeconfig
from ..kubernetes_api import KubernetesApi
from .access import Access, Call
from .controllers import GarbageCollector, JobController
from .faults import Faults
from .kubelet import Clockwork, Kubelet
from .metrics import Metrics
from .resources import EVENTS, JOBS, NAMESPACES, PODS, SECRETS
from .server import Server
from .store import Store
from .streams import Streams

__all__ = ["EVENTS", "JOBS", "NAMESPACES", "PODS", "SECRETS", "KubernetesDouble"]

ADMIN_TOKEN = "admin-token"


class KubernetesDouble:
    """Strict: unknown fields, wrong types, unknown parameters and objects that a real server refuses are refused.

    store      the objects, to be looked at and changed behind a client's back
    kubelet    what becomes of Pods: scripts for those to come, and all that can happen to one
    jobs       the Job controller: `refusal`, `paused`
    faults     what goes wrong with calls: refused, lost, cut, slow, held
    streams    what goes wrong with watches and logs: closed, failed, frozen
    access     tokens, and who may do what
    metrics    the metrics API, which is not there until a test says something of it
    """

    def __init__(self, folder: pathlib.Path, tls: bool = True, port: int = 0):
        self.folder = folder
        self.store = Store()
        self.kubelet = Kubelet(self.store)
        self.jobs = JobController(self.store)
        self.faults = Faults()
        self.streams = Streams(self.store)
        self.access = Access()
        self.metrics = Metrics(self.store)
        self.access.tokens[ADMIN_TOKEN] = "admin"
        self.authority = Authority(folder / "tls", "double-ca") if tls else None
        self.calls: list[Call] = []
        self._lock = threading.Lock()
        self._server = Server(self, self._context(), port)
        self.clockwork = Clockwork(self.store, GarbageCollector(self.store), self.jobs, self.kubelet)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        for name in ("default", "kube-system"):
            self.make_namespace(name)

    def _context(self) -> ssl.SSLContext | None:
        if self.authority is None:
            return None
        certificate, key = self.authority.issue("server", "/CN=double", ("IP:127.0.0.1", "DNS:localhost"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(self.authority.certificate)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    @property
    def address(self) -> str:
        return f"{'https' if self.authority else 'http'}://127.0.0.1:{self._server.server_port}"

    def api(self, token: str = ADMIN_TOKEN) -> KubernetesApi:
        return KubernetesApi(self.address, self.authority and self.authority.certificate, None, token)

    def kubeconfig(self, name: str = "admin", user: dict | None = None, namespace: str = "") -> pathlib.Path:
        """A file for it; with the administrator's token, unless told another credential (as in a kubeconfig)."""
        authority = self.authority.certificate if self.authority else None
        return write_kubeconfig(self.folder / f"{name}.yaml", self.address, authority, user or {"token": ADMIN_TOKEN}, namespace)

    def make_namespace(self, name: str) -> str:
        self.store.create(NAMESPACES, "", {"metadata": {"name": name}})
        return name

    def empty(self, namespace: str):
        """Removes everything that was in a namespace."""
        for resource in (JOBS, PODS, SECRETS, EVENTS):
            for item in self.store.items(resource, namespace)[0]:
                self.store.remove(resource, namespace, item["metadata"]["name"])

    def record(self, call: Call):
        with self._lock:
            self.calls.append(call)

    def calls_of(self, verb: str, resource: str) -> list[Call]:
        with self._lock:
            return [call for call in self.calls if (call.verb, call.resource) == (verb, resource)]

    def pods_of(self, namespace: str, job: str) -> list[dict]:
        return self.store.items(PODS, namespace, lambda pod: (pod["metadata"].get("labels") or {}).get("job-name") == job)[0]

    def cut_connections(self):
        """Resets all that are open, whatever is going on on them."""
        with self._server.lock:
            open_now = list(self._server.connections)
        for connection in open_now:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        """AssertionError when something went wrong in the double itself."""
        self.faults.clear()
        self.streams.end()
        self._server.shutdown()
        self.cut_connections()
        self._server.server_close()
        self._thread.join()
        self.clockwork.close()
        assert not self.clockwork.errors, self.clockwork.errors
