"""The double's metrics API, an extension that many clusters do not have: what Pods use, as a test says."""

import dataclasses
import datetime
import threading

from .controllers import key_of
from .errors import not_found
from .resources import METRICS, PODS
from .store import Store

STAMP = "%Y-%m-%dT%H:%M:%SZ"


@dataclasses.dataclass(frozen=True)
class Sample:
    """`containers`: name -> (CPU, memory), as quantities; of the window that ends at the time."""

    containers: dict[str, tuple[str, str]]
    time: datetime.datetime
    window: str


class Metrics:
    """Thread-safe."""

    def __init__(self, store: Store):
        self._store = store
        self._lock = threading.Lock()
        self._samples: list[tuple[str, Sample]] = []
        # Whether the cluster has the API at all.
        self.served = False

    def say(self, name: str, cpu: str, memory: str, time: datetime.datetime, window: str = "1s", container: str = "main"):
        """From now on, of the running Pods with `name` in their name, until something else is said of them."""
        with self._lock:
            self._samples.append((name, Sample({container: (cpu, memory)}, time, window)))
        self.served = True

    def items(self, namespace: str, accepts=lambda item: True) -> list[dict]:
        """PodMetrics; Pods that do not run, or of which nothing was said, have none."""
        pods = self._store.held(PODS, namespace, lambda pod: pod["status"].get("phase") == "Running")[0]
        found = [(pod, self._sample_of(pod["metadata"]["name"])) for pod in pods]
        return [item for item in (_item(pod, sample) for pod, sample in found if sample is not None) if accepts(item)]

    def item(self, namespace: str, name: str) -> dict:
        for item in self.items(namespace):
            if key_of(item) == (namespace, name):
                return {"kind": METRICS.kind, "apiVersion": METRICS.api_version, **item}
        raise not_found(METRICS, name)

    def _sample_of(self, pod: str) -> Sample | None:
        with self._lock:
            return next((sample for name, sample in reversed(self._samples) if name in pod), None)


def _item(pod: dict, sample: Sample) -> dict:
    namespace, name = key_of(pod)
    metadata = {"name": name, "namespace": namespace, "creationTimestamp": sample.time.strftime(STAMP)}
    if labels := pod["metadata"].get("labels"):
        metadata["labels"] = labels
    usage = [{"name": container, "usage": {"cpu": cpu, "memory": memory}} for container, (cpu, memory) in sample.containers.items()]
    return {"metadata": metadata, "timestamp": sample.time.strftime(STAMP), "window": sample.window, "containers": usage}
