"""The objects of the double, their versions, and what became of them, for those who watch."""

import collections
import copy
import dataclasses
import datetime
import random
import string
import threading
import uuid

from . import validation
from .errors import already_exists, bad_request, conflict, expired, invalid, modified, not_found
from .resources import JOBS, NAMESPACES, PODS, Resource

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
POLICIES = ("Foreground", "Background", "Orphan")
# As many changes can be watched from, if no test says that history is short.
HISTORY = 100_000


@dataclasses.dataclass(frozen=True)
class Change:
    version: int
    kind: str
    resource: Resource
    item: dict
    # Before the change.
    old: dict | None


def now(fraction: bool = False) -> str:
    time = datetime.datetime.now(datetime.timezone.utc)
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if fraction else "%Y-%m-%dT%H:%M:%SZ")


def random_suffix() -> str:
    return "".join(random.choices(string.ascii_lowercase + string.digits, k=5))


class Store:
    """Thread-safe. Objects that it gives out are the caller's own, and what it holds is never changed in place."""

    def __init__(self):
        self.changed = threading.Condition(threading.RLock())
        self.version = 1000
        # Watches from before it are told that it is gone.
        self.oldest = self.version
        self._items: dict[tuple[str, str, str], dict] = {}
        self._history: collections.deque[Change] = collections.deque(maxlen=HISTORY)

    def get(self, resource: Resource, namespace: str, name: str) -> dict:
        with self.changed:
            return copy.deepcopy(self._present(resource, namespace, name))

    def find(self, resource: Resource, namespace: str, name: str) -> dict | None:
        with self.changed:
            return copy.deepcopy(self._items.get((resource.plural, namespace, name)))

    def _present(self, resource: Resource, namespace: str, name: str) -> dict:
        item = self._items.get((resource.plural, namespace, name))
        if item is None:
            raise not_found(resource, name)
        return item

    def items(self, resource: Resource, namespace: str = "", accepts=lambda item: True) -> tuple[list[dict], int]:
        """(those of a namespace, or of all, in the order of their names; the version that this is of)."""
        found, version = self.held(resource, namespace, accepts)
        return copy.deepcopy(found), version

    def held(self, resource: Resource, namespace: str = "", accepts=lambda item: True) -> tuple[list[dict], int]:
        """The same, but the objects themselves, which nobody may change."""
        with self.changed:
            keys = sorted(key for key in self._items if key[0] == resource.plural and namespace in ("", key[1]))
            return [item for item in map(self._items.get, keys) if accepts(item)], self.version

    def create(self, resource: Resource, namespace: str, item: dict, dry_run: bool = False) -> dict:
        """What was made of it. ApiError for an object that is refused, or is there."""
        validation.check_shape(resource, item)
        item = copy.deepcopy(item)
        metadata = item.setdefault("metadata", {})
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + random_suffix()
        if not metadata.get("name"):
            raise invalid(resource, "", "metadata.name", "Required value: name or generateName is required")
        if resource.namespaced and metadata.setdefault("namespace", namespace) != namespace:
            raise bad_request(f"the namespace of the provided object does not match the namespace sent on the request: {namespace}")
        with self.changed:
            if resource.namespaced:
                self._present(NAMESPACES, "", namespace)
            if (resource.plural, namespace, metadata["name"]) in self._items:
                raise already_exists(resource, metadata["name"])
            self._stamp(resource, item)
            validation.complete(resource, item)
            return copy.deepcopy(item if dry_run else self._write(resource, item, "ADDED"))

    def _stamp(self, resource: Resource, item: dict):
        metadata = item["metadata"]
        metadata.update({"uid": str(uuid.uuid4()), "creationTimestamp": now(), "generation": 1})
        for name in ("resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds"):
            metadata.pop(name, None)
        item.update({"kind": resource.kind, "apiVersion": resource.api_version})
        if resource is JOBS:
            self._label_job(item)
        if resource is PODS:
            item["status"] = {"phase": "Pending", "qosClass": "BestEffort"}
        elif "status" in item or resource is JOBS:
            item["status"] = {}
        if resource is NAMESPACES:
            item["status"] = {"phase": "Active"}

    @staticmethod
    def _label_job(job: dict):
        """As a server does: the Pods of a Job are selected by its uid, and a Job without labels has those of its Pods."""
        labels = {f"{prefix}{key}": value for prefix in ("", "batch.kubernetes.io/")
                  for key, value in (("controller-uid", job["metadata"]["uid"]), ("job-name", job["metadata"]["name"]))}  # fmt: skip
        metadata = job["spec"].setdefault("template", {}).setdefault("metadata", {})
        metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
        if not job["metadata"].get("labels"):
            job["metadata"]["labels"] = dict(metadata["labels"])
        job["spec"]["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": job["metadata"]["uid"]}}

    def update(self, resource: Resource, namespace: str, name: str, change, by_client: bool = False, dry_run: bool = False) -> dict:
        """What `change`, a function from an object to another, made of it. A client's is checked: the version that it
        names must be the present one, and of the spec only so much may change; it has no say in the status."""
        with self.changed:
            old = self._present(resource, namespace, name)
            new = change(copy.deepcopy(old))
            if new["metadata"].get("resourceVersion", old["metadata"]["resourceVersion"]) != old["metadata"]["resourceVersion"]:
                raise modified(resource, name)
            if by_client:
                validation.check_shape(resource, new)
                new["status"] = old.get("status", {})
                validation.complete(resource, new)
                validation.check_change(resource, old, new)
            if dry_run or new == old:
                return copy.deepcopy(new)
            if new.get("spec") != old.get("spec"):
                new["metadata"]["generation"] = old["metadata"]["generation"] + 1
            if self._is_over(new):
                return copy.deepcopy(self._forget(resource, new))
            return copy.deepcopy(self._write(resource, new, "MODIFIED"))

    @staticmethod
    def _is_over(item: dict) -> bool:
        metadata = item["metadata"]
        waits = metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds")
        return "deletionTimestamp" in metadata and not waits

    def delete(self, resource: Resource, namespace: str, name: str, options: dict | None = None) -> tuple[dict, bool]:
        """(the object as it is or last was, whether it is gone). `options` as of DeleteOptions."""
        options = options or {}
        with self.changed:
            item = copy.deepcopy(self._present(resource, namespace, name))
            metadata = item["metadata"]
            self._check_preconditions(resource, item, options.get("preconditions") or {})
            finalizer = self._finalizer(resource, options)
            if finalizer in (metadata.get("finalizers") or []):
                finalizer = ""
            if finalizer:
                metadata["finalizers"] = [*(metadata.get("finalizers") or []), finalizer]
            grace = self._grace(resource, item, options)
            if "deletionTimestamp" in metadata and grace >= metadata.get("deletionGracePeriodSeconds", 0) and not finalizer:
                return item, False
            metadata.update({"deletionTimestamp": now(), "deletionGracePeriodSeconds": grace})
            if self._is_over(item):
                return copy.deepcopy(self._forget(resource, item)), True
            return copy.deepcopy(self._write(resource, item, "MODIFIED")), False

    @staticmethod
    def _check_preconditions(resource: Resource, item: dict, wanted: dict):
        metadata = item["metadata"]
        for field, word in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
            if wanted.get(field) not in (None, metadata[field]):
                raise conflict(resource, metadata["name"], f"the {word} in the precondition ({wanted[field]}) does not match"
                               f" the {word} in record ({metadata[field]}). The object might have been deleted and then recreated")  # fmt: skip

    @staticmethod
    def _finalizer(resource: Resource, options: dict) -> str:
        policy = options.get("propagationPolicy")
        if policy not in (None, *POLICIES):
            raise invalid(resource, "", "propagationPolicy", f'Unsupported value: "{policy}": supported values: "Foreground", "Background", "Orphan"')  # fmt: skip
        # Who deletes a Job and says nothing leaves its Pods.
        if policy is None and (options.get("orphanDependents") or (resource is JOBS and "orphanDependents" not in options)):
            policy = "Orphan"
        return {"Foreground": FOREGROUND, "Orphan": ORPHAN}.get(policy, "")

    @staticmethod
    def _grace(resource: Resource, item: dict, options: dict) -> int:
        """Seconds that the object stays for a kubelet to end it."""
        if resource is not PODS or not item["spec"].get("nodeName") or item["status"].get("phase") in ("Succeeded", "Failed"):
            return 0
        grace = options.get("gracePeriodSeconds")
        return item["spec"]["terminationGracePeriodSeconds"] if grace is None else grace

    def remove(self, resource: Resource, namespace: str, name: str):
        """At once, whatever finalizers it has: what only happens when somebody forces it."""
        with self.changed:
            self._forget(resource, copy.deepcopy(self._present(resource, namespace, name)))

    def _write(self, resource: Resource, item: dict, kind: str) -> dict:
        key = (resource.plural, item["metadata"].get("namespace", ""), item["metadata"]["name"])
        old = self._items.get(key)
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        self._items[key] = item
        self._tell(Change(self.version, kind, resource, item, old))
        return item

    def _forget(self, resource: Resource, item: dict) -> dict:
        old = self._items.pop((resource.plural, item["metadata"].get("namespace", ""), item["metadata"]["name"]))
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        self._tell(Change(self.version, "DELETED", resource, item, old))
        return item

    def _tell(self, change: Change):
        if len(self._history) == HISTORY:
            self.oldest = self._history[0].version
        self._history.append(change)
        self.changed.notify_all()

    def forget_history(self):
        """Who watches from before now is told that its version is too old."""
        with self.changed:
            self.version += 1
            self.oldest = self.version
            self._history.clear()
            self.changed.notify_all()

    def changes_after(self, version: int) -> list[Change]:
        """With the lock held. ApiError 410 when some of them are forgotten."""
        if version < self.oldest:
            raise expired(version, self.oldest)
        if not self._history or self._history[-1].version <= version:
            return []
        first = next(n for n in range(len(self._history), 0, -1) if n == 1 or self._history[n - 2].version <= version)
        return [self._history[n] for n in range(first - 1, len(self._history))]
