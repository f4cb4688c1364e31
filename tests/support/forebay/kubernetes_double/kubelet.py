"""The double's node: what becomes of a Pod, step by step, as a test says.

A script is a list of steps. Each is a function of the Kubelet and the Pod that returns whether it is done; it is asked again,
in each turn, until it is. `RUN` is the script of a Pod for which there is no other: it runs and does not end by itself."""

import datetime
import threading

from .controllers import key_of, over, record_event
from .resources import PODS
from .store import Store, now

NODE = "node-1"
SIGTERM_EXIT = 143


class Kubelet:
    """Its methods may be called by a test, at any time, for the Pod that it gives: the object, or (namespace, name)."""

    def __init__(self, store: Store):
        self.store = store
        # (part of a Pod's name, its script); the last that fits is taken.
        self.scripts: list[tuple[str, list]] = [("", RUN)]
        # Pods that do not end although they are deleted: parts of their names.
        self.stubborn: set[str] = set()
        # How long a container takes to end after it was told to, in seconds.
        self.termination = 0.0
        self._places: dict[str, list] = {}
        self._ending: dict[str, datetime.datetime] = {}
        self.logs: dict[tuple[str, str, str], list[tuple[datetime.datetime, bytes]]] = {}
        self.logs_changed = threading.Condition(store.changed)

    def script(self, name: str, steps: list):
        """For Pods made from now on with `name` in their name."""
        self.scripts.append((name, steps))

    def step(self) -> bool:
        """One for every Pod; whether there is more to do although nothing changes."""
        pods = self.store.held(PODS)[0]
        for pod in pods:
            if "deletionTimestamp" in pod["metadata"]:
                self._end(pod)
            else:
                self._play(pod)
        for uid in set(self._places) - {pod["metadata"]["uid"] for pod in pods}:
            del self._places[uid]
        return any(self._places.values()) or any("deletionTimestamp" in pod["metadata"] for pod in pods)

    def _play(self, pod: dict):
        uid, name = pod["metadata"]["uid"], pod["metadata"]["name"]
        if uid not in self._places:
            self._places[uid] = list(next(steps for part, steps in reversed(self.scripts) if part in name))
        steps = self._places[uid]
        while steps:
            pod = self.store.find(PODS, *key_of(pod))
            if pod is None or over(pod):
                steps.clear()
            elif steps[0](self, pod):
                steps.pop(0)
            else:
                return

    def _end(self, pod: dict):
        """A Pod that is deleted: its containers end, and then it is let go."""
        uid, name = pod["metadata"]["uid"], pod["metadata"]["name"]
        if pod["metadata"].get("deletionGracePeriodSeconds", 0) == 0 or any(part in name for part in self.stubborn):
            return
        time = datetime.datetime.now(datetime.timezone.utc)
        if time < self._ending.setdefault(uid, time + datetime.timedelta(seconds=self.termination)):
            return
        if not over(pod):
            self.finish(pod, SIGTERM_EXIT)
        self.store.delete(PODS, *key_of(pod), {"gracePeriodSeconds": 0})

    # What a test, or a step, lets happen to a Pod.

    def change(self, pod, **status) -> dict:
        """Sets fields of the status."""

        def changed(found: dict) -> dict:
            found["status"] = {**found["status"], **status}
            return found

        return self.store.update(PODS, *_key(pod), changed)

    def condition(self, pod, kind: str, value: str, reason: str = "", message: str = ""):
        key = _key(pod)
        kept = [c for c in self.store.get(PODS, *key)["status"].get("conditions") or [] if c["type"] != kind]
        condition = {"type": kind, "status": value, "lastTransitionTime": now()}
        condition.update({name: text for name, text in (("reason", reason), ("message", message)) if text})
        self.change(key, conditions=[*kept, condition])

    def schedule(self, pod, node: str = NODE):
        def bound(found: dict) -> dict:
            found["spec"]["nodeName"] = node
            return found

        found = self.store.update(PODS, *_key(pod), bound)
        self.condition(found, "PodScheduled", "True")
        namespace, name = _key(pod)
        self.event(pod, "Scheduled", f"Successfully assigned {namespace}/{name} to {node}")

    def wait(self, pod, reason: str, message: str = ""):
        """Its containers wait: ContainerCreating, ImagePullBackOff, CreateContainerConfigError, …"""
        self._containers(pod, {"waiting": {"reason": reason, **({"message": message} if message else {})}})

    def run(self, pod):
        self.change(pod, phase="Running", startTime=now(), podIP="10.0.0.1")
        self._containers(pod, {"running": {"startedAt": now()}}, ready=True)

    def finish(self, pod, code: int = 0, reason: str = "", message: str = "", signal: int = 0):
        """All containers end so."""
        end = {"exitCode": code, "reason": reason or ("Error" if code else "Completed"), "startedAt": now(), "finishedAt": now()}
        end.update({name: value for name, value in (("message", message), ("signal", signal)) if value})
        self._containers(pod, {"terminated": end})
        self.change(pod, phase="Failed" if code else "Succeeded")

    def fail(self, pod, reason: str, message: str):
        """The Pod as a whole, without a word on its containers: Evicted, NodeLost, DeadlineExceeded, Preempting, …"""
        self.change(pod, phase="Failed", reason=reason, message=message)

    def event(self, pod, reason: str, message: str, kind: str = "Normal"):
        record_event(self.store, self.store.get(PODS, *_key(pod)), kind, reason, message, "kubelet")

    def say(self, pod, *lines: str, container: str = "", time: datetime.datetime | None = None):
        """Lines that the container writes, at this moment or at the time said."""
        namespace, name = _key(pod)
        container = container or self.store.get(PODS, namespace, name)["spec"]["containers"][0]["name"]
        with self.logs_changed:
            log = self.logs.setdefault((namespace, name, container), [])
            for line in lines:
                log.append((time or datetime.datetime.now(datetime.timezone.utc), line.encode()))
            self.logs_changed.notify_all()

    def _containers(self, pod, state: dict, ready: bool = False):
        found = self.store.get(PODS, *_key(pod))
        self.change(pod, containerStatuses=[
            {"name": container["name"], "state": state, "lastState": {}, "ready": ready, "restartCount": 0,
             "image": container["image"], "imageID": "", "started": ready}
            for container in found["spec"]["containers"]
        ])  # fmt: skip


def _key(pod) -> tuple[str, str]:
    return key_of(pod) if isinstance(pod, dict) else pod


# Steps.


def ungated(kubelet: Kubelet, pod: dict) -> bool:
    """Waits until nothing keeps the Pod from being scheduled."""
    if not pod["spec"].get("schedulingGates"):
        return True
    if not pod["status"].get("conditions"):
        message = "Scheduling is blocked due to non-empty scheduling gates"
        kubelet.condition(pod, "PodScheduled", "False", "SchedulingGated", message)
    return False


def annotated(key: str):
    """Waits until the Pod has the annotation."""
    return lambda kubelet, pod: key in (pod["metadata"].get("annotations") or {})


def until(happened: threading.Event):
    """Waits until a test says so."""
    return lambda kubelet, pod: happened.is_set()


def act(name: str, *arguments, **options):
    """One of the Kubelet's methods for the Pod: act("finish", 3)."""

    def step(kubelet: Kubelet, pod: dict) -> bool:
        getattr(kubelet, name)(pod, *arguments, **options)
        return True

    return step


def unschedulable(message: str):
    def step(kubelet: Kubelet, pod: dict) -> bool:
        kubelet.condition(pod, "PodScheduled", "False", "Unschedulable", message)
        kubelet.event(pod, "FailedScheduling", message, "Warning")
        return True

    return step


START = [ungated, act("schedule"), act("wait", "ContainerCreating")]
RUN = [*START, act("run")]


def exits(code: int = 0, *lines: str) -> list:
    """The script of a Pod that runs, writes lines and ends."""
    return [*RUN, act("say", *lines), act("finish", code)]


class Clockwork:
    """Lets the parts of a cluster take their steps, one after another, when something has changed; and now and then,
    oftener while one of them waits for something else."""

    PACE = 0.05
    REST = 0.5

    def __init__(self, store: Store, *parts):
        self._store = store
        self._parts = parts
        self._closing = False
        self.errors: list[Exception] = []
        self._thread = threading.Thread(target=self._turn, daemon=True)
        self._thread.start()

    def _turn(self):
        with self._store.changed:
            while not self._closing:
                before = self._store.version
                waiting = [self._step(part) for part in self._parts]
                if self._store.version == before:
                    self._store.changed.wait(self.PACE if any(waiting) else self.REST)

    def _step(self, part) -> bool:
        try:
            return part.step()
        except Exception as error:
            self.errors.append(error)
            return True

    def close(self):
        with self._store.changed:
            self._closing = True
            self._store.changed.notify_all()
        self._thread.join()
