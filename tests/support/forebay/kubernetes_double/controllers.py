"""What a cluster does by itself with Jobs, and with what belongs to something that is deleted."""

import copy
import datetime

from .errors import ApiError
from .resources import EVENTS, JOBS, PODS, SECRETS
from .store import FOREGROUND, ORPHAN, Store, now, random_suffix

TRACKED = "batch.kubernetes.io/job-tracking"


def key_of(item: dict) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def record_event(store: Store, item: dict, kind: str, reason: str, message: str, source: str = "double"):
    """An event about an object."""
    namespace, name = key_of(item)
    about = {"kind": item["kind"], "namespace": namespace, "name": name, "uid": item["metadata"]["uid"],
             "apiVersion": item["apiVersion"], "resourceVersion": item["metadata"]["resourceVersion"]}  # fmt: skip
    store.create(EVENTS, namespace, {
        "metadata": {"name": f"{name}.{random_suffix()}{random_suffix()}"}, "involvedObject": about, "type": kind,
        "reason": reason, "message": message, "source": {"component": source}, "count": 1,
        "firstTimestamp": now(), "lastTimestamp": now(), "reportingComponent": source, "reportingInstance": "",
    })  # fmt: skip


def without(item: dict, finalizer: str) -> dict:
    left = [name for name in item["metadata"].get("finalizers") or [] if name != finalizer]
    item["metadata"].pop("finalizers", None)
    if left:
        item["metadata"]["finalizers"] = left
    return item


class GarbageCollector:
    """Deletes what has an owner that is gone, and lets go an owner that waits for that. One step at a time, with the
    store's lock held; a step says whether there is more to do although nothing changes."""

    def __init__(self, store: Store):
        self._store = store

    def step(self) -> bool:
        owners = {item["metadata"]["uid"]: item for item in self._store.held(JOBS)[0]}
        dependents = [(resource, item) for resource in (PODS, SECRETS) for item in self._store.held(resource)[0]]
        for resource, item in dependents:
            references = item["metadata"].get("ownerReferences") or []
            if references and not any(reference["uid"] in owners for reference in references):
                self._delete(resource, item)
        for owner in owners.values():
            for finalizer in owner["metadata"].get("finalizers") or []:
                own = [pair for pair in dependents if _belongs(pair[1], owner)]
                if finalizer == FOREGROUND:
                    self._delete_first(owner, own)
                elif finalizer == ORPHAN:
                    self._orphan(owner, own)
        return False

    def _delete(self, resource, item: dict):
        if "deletionTimestamp" not in item["metadata"]:
            self._store.delete(resource, *key_of(item), {"propagationPolicy": "Background"})

    def _delete_first(self, owner: dict, own: list):
        for resource, item in own:
            self._delete(resource, item)
        blocking = [item for resource, item in own if _blocks(item, owner) and self._store.find(resource, *key_of(item))]
        if not blocking:
            self._store.update(JOBS, *key_of(owner), lambda job: without(job, FOREGROUND))

    def _orphan(self, owner: dict, own: list):
        for resource, item in own:
            self._store.update(resource, *key_of(item), lambda found: _disowned(found, owner))
        self._store.update(JOBS, *key_of(owner), lambda job: without(job, ORPHAN))


def _belongs(item: dict, owner: dict) -> bool:
    return any(reference["uid"] == owner["metadata"]["uid"] for reference in item["metadata"].get("ownerReferences") or [])


def _blocks(item: dict, owner: dict) -> bool:
    return any(reference["uid"] == owner["metadata"]["uid"] and reference.get("blockOwnerDeletion")
               for reference in item["metadata"].get("ownerReferences") or [])  # fmt: skip


def _disowned(item: dict, owner: dict) -> dict:
    left = [ref for ref in item["metadata"]["ownerReferences"] if ref["uid"] != owner["metadata"]["uid"]]
    item["metadata"].pop("ownerReferences")
    if left:
        item["metadata"]["ownerReferences"] = left
    return item


class JobController:
    """One Pod at a time for each Job, and the Job's status. One step at a time, with the store's lock held."""

    def __init__(self, store: Store):
        self._store = store
        # So long as it is something, no Pod is made, and an event says this.
        self.refusal = ""
        # Does nothing while it is set: what a client sees of a controller that lags.
        self.paused = False
        self._refused: set[str] = set()

    def step(self) -> bool:
        if self.paused:
            return True
        jobs = {job["metadata"]["uid"]: job for job in self._store.held(JOBS)[0]}
        pods: dict[str, list[dict]] = {uid: [] for uid in jobs}
        for pod in self._store.held(PODS)[0]:
            owner = controller_of(pod)
            if owner in jobs:
                pods[owner].append(pod)
            if owner not in jobs or "deletionTimestamp" in jobs[owner]["metadata"]:
                self._let_go(pod)
        for uid, job in jobs.items():
            if "deletionTimestamp" not in job["metadata"]:
                self._step(job, pods[uid])
        return bool(self.refusal) or any(_waits_for_time(job) for job in jobs.values())

    def _let_go(self, pod: dict):
        """No Job counts it any more."""
        if TRACKED in (pod["metadata"].get("finalizers") or []):
            self._store.update(PODS, *key_of(pod), lambda found: without(found, TRACKED))

    def _step(self, job: dict, pods: list[dict]):
        status = copy.deepcopy(job["status"])
        if finished(job):
            self._expire(job)
            return
        status.setdefault("startTime", now())
        for pod in pods:
            if TRACKED in (pod["metadata"].get("finalizers") or []) and (over(pod) or "deletionTimestamp" in pod["metadata"]):
                outcome = "succeeded" if pod["status"].get("phase") == "Succeeded" else "failed"
                status[outcome] = status.get(outcome, 0) + 1
                self._let_go(pod)
        active = [pod for pod in pods if not over(pod) and "deletionTimestamp" not in pod["metadata"]]
        status = self._conclude(job, status, active)
        if not finished({"status": status}) and not active and not job["spec"]["suspend"]:
            active += self._make_pod(job)
        status["active"] = len(active)
        if not status["active"]:
            del status["active"]
        self._write_status(job, status)

    def _conclude(self, job: dict, status: dict, active: list[dict]) -> dict:
        if status.get("succeeded", 0) >= job["spec"]["completions"]:
            status["completionTime"] = now()
            status = _with_condition(status, "SuccessCriteriaMet", "CompletionsReached")
            return _with_condition(status, "Complete", "CompletionsReached")
        if status.get("failed", 0) > job["spec"]["backoffLimit"]:
            return _failed(status, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
        limit = job["spec"].get("activeDeadlineSeconds")
        if limit is not None and _age(status["startTime"]) >= limit:
            for pod in active:
                self._store.delete(PODS, *key_of(pod))
            return _failed(status, "DeadlineExceeded", "Job was active longer than specified deadline")
        return status

    def _write_status(self, job: dict, status: dict):
        def change(found: dict) -> dict:
            found["status"] = status
            return found

        if status != job["status"]:
            self._store.update(JOBS, *key_of(job), change)

    def _expire(self, job: dict):
        lifetime = job["spec"].get("ttlSecondsAfterFinished")
        if lifetime is None:
            return
        end = max(condition["lastTransitionTime"] for condition in job["status"]["conditions"])
        if _age(end) >= lifetime:
            self._store.delete(JOBS, *key_of(job), {"propagationPolicy": "Foreground"})

    def _make_pod(self, job: dict) -> list[dict]:
        namespace, name = key_of(job)
        try:
            if self.refusal:
                raise ApiError(403, "Forbidden", self.refusal)
            pod = self._store.create(PODS, namespace, pod_of(job))
        except ApiError as error:
            if job["metadata"]["uid"] not in self._refused:
                self._refused.add(job["metadata"]["uid"])
                record_event(self._store, job, "Warning", "FailedCreate", f"Error creating: {error.message}", "job-controller")
            return []
        made = f"Created pod: {pod['metadata']['name']}"
        record_event(self._store, job, "Normal", "SuccessfulCreate", made, "job-controller")
        return [pod]


def _waits_for_time(job: dict) -> bool:
    return job["spec"].get("ttlSecondsAfterFinished" if finished(job) else "activeDeadlineSeconds") is not None


def pod_of(job: dict) -> dict:
    namespace, name = key_of(job)
    template = copy.deepcopy(job["spec"]["template"])
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": job["metadata"]["uid"], "controller": True,
             "blockOwnerDeletion": True}  # fmt: skip
    metadata = {**template.get("metadata", {}), "generateName": f"{name}-", "namespace": namespace,
                "ownerReferences": [owner], "finalizers": [TRACKED]}  # fmt: skip
    return {"metadata": metadata, "spec": template["spec"]}


def controller_of(pod: dict) -> str:
    """The uid of the Job that has it, if one does."""
    references = pod["metadata"].get("ownerReferences") or []
    return next((reference["uid"] for reference in references if reference.get("controller")), "")


def over(pod: dict) -> bool:
    return pod["status"].get("phase") in ("Succeeded", "Failed")


def finished(job: dict) -> bool:
    conditions = job["status"].get("conditions") or []
    return any(condition["type"] in ("Complete", "Failed") and condition["status"] == "True" for condition in conditions)


def _failed(status: dict, reason: str, message: str) -> dict:
    return _with_condition(_with_condition(status, "FailureTarget", reason, message), "Failed", reason, message)


def _with_condition(status: dict, kind: str, reason: str, message: str = "") -> dict:
    condition = {"type": kind, "status": "True", "reason": reason, "message": message,
                 "lastProbeTime": now(), "lastTransitionTime": now()}  # fmt: skip
    return {**status, "conditions": [*(status.get("conditions") or []), condition]}


def _age(time: str) -> float:
    begun = datetime.datetime.fromisoformat(time.replace("Z", "+00:00"))
    return (datetime.datetime.now(datetime.timezone.utc) - begun).total_seconds()
