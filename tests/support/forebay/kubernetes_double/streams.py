"""Answers that go on: watches and logs."""

import copy
import datetime
import json
import time

from .errors import ApiError, bad_request
from .kubelet import Kubelet
from .resources import PODS, Resource, Target
from .store import Store


class Streams:
    """What a test does to all watches and logs that are open, or will be. Thread-safe."""

    def __init__(self, store: Store):
        self._store = store
        # Each so many seconds a watch that asked for it is told the version that it has seen all of.
        self.bookmark_interval = 1.0
        self._frozen = False
        # How often all were closed: those begun before it are over.
        self._closed = {"watch": 0, "log": 0}
        self._error: ApiError | None = None
        self.closing = False

    def close_watches(self):
        """Ends those that are open, without a word."""
        self._close("watch")

    def close_logs(self):
        """Cuts those that are being followed."""
        self._close("log")

    def fail_watches(self, code: int, reason: str, message: str = "told to fail"):
        """Ends those that are open with an ERROR event."""
        self._error = ApiError(code, reason, message)
        self._close("watch")

    def freeze(self, frozen: bool = True):
        """While it lasts, watches stay open and say nothing, bookmarks included."""
        with self._store.changed:
            self._frozen = frozen
            self._store.changed.notify_all()

    def _close(self, kind: str):
        with self._store.changed:
            self._closed[kind] += 1
            self._store.changed.notify_all()

    def end(self):
        """Everything is over: the double closes."""
        with self._store.changed:
            self.closing = True
            self._store.changed.notify_all()

    def watch(self, target: Target, accepts, version: int | None, bookmarks: bool, seconds: float):
        """The lines of a watch: of what changes after a version, or first of what is there, when none is named."""
        begun = self._closed["watch"]
        end = time.monotonic() + seconds
        if version is None:
            items, version = self._store.held(target.resource, target.namespace, accepts)
            yield from (_line("ADDED", item) for item in items)
        marked = time.monotonic()
        while True:
            with self._store.changed:
                changes = self._next(version, begun, end, marked if bookmarks else None)
            if isinstance(changes, ApiError):
                yield _line("ERROR", changes.status())
                return
            if changes is None:
                return
            for change in changes:
                version = change.version
                if (line := _change_line(change, target, accepts)) is not None:
                    yield line
            if bookmarks and time.monotonic() >= marked + self.bookmark_interval:
                marked = time.monotonic()
                yield _line("BOOKMARK", _bookmark(target.resource, version))

    def _next(self, version: int, begun: int, end: float, marked: float | None):
        """The changes to tell, none when a bookmark is due; an ApiError or None when the watch is over."""
        while True:
            if self.closing or time.monotonic() >= end:
                return None
            if self._closed["watch"] != begun:
                error, self._error = self._error, None
                return error
            due = end if marked is None or self._frozen else min(end, marked + self.bookmark_interval)
            if not self._frozen:
                try:
                    changes = self._store.changes_after(version)
                except ApiError as error:
                    return error
                if changes or time.monotonic() >= due:
                    return changes
            self._store.changed.wait(max(0.0, min(due - time.monotonic(), 1.0)))

    def log(self, kubelet: Kubelet, target: Target, query: dict):
        """The pieces of a log. ApiError for a container that has none."""
        container = self._container(target, query.get("container", ""))
        since = _time(query["sinceTime"]) if "sinceTime" in query else None
        begun = self._closed["log"]
        lines = kubelet.logs.setdefault((target.namespace, target.name, container), [])
        told = 0
        if "tailLines" in query:
            told = max(0, len(lines) - int(query["tailLines"]))
        return self._log_lines(kubelet, target, lines, told, since, begun, query)

    def _container(self, target: Target, container: str) -> str:
        pod = self._store.get(PODS, target.namespace, target.name)
        names = [item["name"] for item in pod["spec"]["containers"]]
        if not container and len(names) > 1:
            raise bad_request(f"a container name must be specified for pod {target.name}, choose one of: [{' '.join(names)}]")
        container = container or names[0]
        if container not in names:
            raise bad_request(f"container {container} is not valid for pod {target.name}")
        statuses = pod["status"].get("containerStatuses") or []
        state = next((item["state"] for item in statuses if item["name"] == container), {"waiting": {}})
        if "waiting" in state:
            why = state["waiting"].get("reason")
            raise bad_request(f'container "{container}" in pod "{target.name}" is waiting to start' + (f": {why}" if why else ""))
        return container

    def _log_lines(self, kubelet: Kubelet, target: Target, lines: list, told: int, since, begun: int, query: dict):
        stamped, follows = query.get("timestamps") == "true", query.get("follow") == "true"
        left = int(query.get("limitBytes", 1 << 40))
        while True:
            with kubelet.logs_changed:
                ended = self._ended(target)
                if told == len(lines) and follows and not ended and self._closed["log"] == begun and not self.closing:
                    kubelet.logs_changed.wait(0.2)
                new, told = lines[told:], len(lines)
            if self._closed["log"] != begun or self.closing:
                return
            for when, text in new:
                if since is None or when >= since:
                    piece = _log_line(when, text, stamped)[:left]
                    left -= len(piece)
                    yield piece
            if left <= 0 or not follows or (ended and not new):
                return

    def _ended(self, target: Target) -> bool:
        pod = self._store.find(PODS, target.namespace, target.name)
        return pod is None or pod["status"].get("phase") in ("Succeeded", "Failed")


def _line(kind: str, item: dict) -> bytes:
    return json.dumps({"type": kind, "object": item}).encode() + b"\n"


def _change_line(change, target: Target, accepts) -> bytes | None:
    """As a watcher of a part of the objects sees it: what comes into the part is new, what leaves it is gone."""
    item = change.item
    if change.resource is not target.resource or target.namespace not in ("", item["metadata"].get("namespace", "")):
        return None
    is_in = change.kind != "DELETED" and accepts(item)
    was_in = change.old is not None and accepts(change.old)
    if is_in:
        return _line("MODIFIED" if was_in else "ADDED", item)
    if not was_in:
        return None
    gone = copy.deepcopy(item if change.kind == "DELETED" else change.old)
    gone["metadata"]["resourceVersion"] = str(change.version)
    return _line("DELETED", gone)


def _bookmark(resource: Resource, version: int) -> dict:
    return {"kind": resource.kind, "apiVersion": resource.api_version,
            "metadata": {"resourceVersion": str(version), "creationTimestamp": None}}  # fmt: skip


def _log_line(when: datetime.datetime, text: bytes, stamped: bool) -> bytes:
    stamp = when.strftime("%Y-%m-%dT%H:%M:%S.%f000Z ").encode() if stamped else b""
    return stamp + text + b"\n"


def _time(text: str) -> datetime.datetime:
    """To the second before: a real server passes on no part of one."""
    try:
        time_of_day = text.replace("Z", "+00:00")
        seconds, _, rest = time_of_day.partition(".")
        zone = rest.lstrip("0123456789") if rest else ""
        return datetime.datetime.fromisoformat(seconds + zone)
    except ValueError:
        raise bad_request(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse') from None


