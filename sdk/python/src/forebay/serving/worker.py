"""The worker's side of the protocol: registered, polling, beating, until it shall end."""

from __future__ import annotations

import socket
import sys
import threading
import time
import uuid
from typing import Any, Callable, Dict, List, Optional

from .. import __version__
from ..errors import ForebayError
from ..transport import Transport
from .attempt import Attempt

_GRACE = 30.0
# How often the main thread looks for what a signal has asked for.
_LOOK = 0.1


class Worker:
    """One process's worker of a pool: `start`, then `wait_for_end` and `wait_for_runs`."""

    def __init__(self, transport: Transport, pool: str, api_url: str, limit: int, authority: str = "") -> None:
        self._transport = transport
        self._pool = pool
        self._api_url = api_url
        self._authority = authority
        self._limit = limit
        self._changed = threading.Condition()
        self._attempts: Dict[str, Attempt] = {}
        self._ending = False
        self._worker_id = ""
        self._revision = "0"
        self._interval = 5.0

    def register(self) -> None:
        """UNAUTHENTICATED when the worker key is refused."""
        request = {
            "pool": self._pool,
            "name": f"serve on {socket.gethostname()}"[:63],
            "instanceId": str(uuid.uuid4()),
            "type": "process",
            "slots": self._limit,
            "version": __version__,
        }
        answer = self._transport.call("WorkerService.RegisterWorker", request, repeat=True)
        self._worker_id = answer["workerId"]
        self._revision = answer["pool"].get("revision", "0")
        self._interval = min(5.0, float(str(answer.get("heartbeatInterval", "5s")).rstrip("s")))

    def start(self) -> None:
        for loop in (self._poll_loop, self._beat_loop):
            threading.Thread(target=loop, name="forebay-serve", daemon=True).start()

    def end(self) -> None:
        """Takes no new runs. For signal handlers too: it takes no lock."""
        self._ending = True

    def wait_for_end(self) -> int:
        """Until `end` was called; how many runs are under way."""
        while not self._ending:
            time.sleep(_LOOK)
        return len(self._attempts)

    def wait_for_runs(self, enough: Callable[[], bool]) -> bool:
        """Until none is under way, or `enough` answers True; whether none is."""
        while self._attempts and not enough():
            time.sleep(_LOOK)
        return not self._attempts

    def run_ids(self) -> List[str]:
        """Of the runs under way."""
        return [str(attempt.ref["runId"]) for attempt in list(self._attempts.values())]

    def stop_all(self) -> None:
        for attempt in list(self._attempts.values()):
            attempt.stop(_GRACE)

    def deregister(self) -> None:
        try:
            self._transport.call(
                "WorkerService.DeregisterWorker", {"workerId": self._worker_id}, repeat=False, timeout=5.0
            )
        except ForebayError:
            pass

    def _poll_loop(self) -> None:
        request_id, replay = str(uuid.uuid4()), False
        while not self._ending:
            request = {
                "workerId": self._worker_id,
                "freeSlots": self._free_slots(),
                "poolRevision": self._revision,
                "requestId": request_id,
                "replay": replay,
            }
            try:
                answer = self._transport.call("WorkerService.Poll", request, repeat=False, timeout=90.0)
            except ForebayError as error:
                # What was granted in an answer that was lost is asked for again.
                replay = True
                self._recover(error)
                continue
            request_id, replay = str(uuid.uuid4()), False
            self._take(answer)

    def _free_slots(self) -> int:
        with self._changed:
            while len(self._attempts) >= self._limit and not self._ending:
                self._changed.wait(1.0)
            return max(self._limit - len(self._attempts), 0)

    def _take(self, answer: Dict[str, Any]) -> None:
        if "pool" in answer:
            self._revision = answer["pool"].get("revision", self._revision)
        for assignment in answer.get("assignments", []):
            attempt = Attempt(assignment, self._worker_id, self._transport, self._api_url, self._forget, self._authority)
            with self._changed:
                if attempt.name in self._attempts:
                    continue
                self._attempts[attempt.name] = attempt
            print(
                f"{time.strftime('%H:%M:%S')}  {assignment.get('deployment', '')}  {assignment.get('runDisplayName', '')}",
                flush=True,
            )
            attempt.start()
        self._obey(answer.get("stops", []))

    def _forget(self, attempt: Attempt) -> None:
        with self._changed:
            self._attempts.pop(attempt.name, None)
            self._changed.notify_all()

    def _beat_loop(self) -> None:
        while True:
            time.sleep(self._interval)
            with self._changed:
                held = [attempt.ref for attempt in self._attempts.values()]
                if self._ending and not held:
                    return
            try:
                request = {"workerId": self._worker_id, "held": held}
                answer = self._transport.call("WorkerService.Heartbeat", request, repeat=False, timeout=self._interval)
            except ForebayError:
                continue
            self._obey(answer.get("stops", []))

    def _obey(self, stops: List[Dict[str, Any]]) -> None:
        for stop in stops:
            ref = stop["attempt"]
            with self._changed:
                attempt: Optional[Attempt] = self._attempts.get(f"forebay-{ref['runId']}-{ref['attempt']}")
            if attempt is None:
                continue
            at_once = stop.get("reason") in ("STOP_REASON_SUPERSEDED", "STOP_REASON_START_DEADLINE")
            attempt.stop(0.0 if at_once else float(str(stop.get("grace", f"{_GRACE}s")).rstrip("s")))

    def _recover(self, error: ForebayError) -> None:
        """After a failed poll: the server is away, or has given this worker up (its machine slept, say)."""
        if error.code in ("unavailable", "deadline_exceeded", "unknown"):
            time.sleep(0.5)
            return
        if error.code == "unauthenticated":
            print(f"forebay: {error}", file=sys.stderr)
            self.end()
            return
        try:
            self.register()
            self._adopt()
        except ForebayError as again:
            print(f"forebay: {again.message}", file=sys.stderr)
            time.sleep(2.0)

    def _adopt(self) -> None:
        """Under the new registration: the runs that are still here are ours, if nobody else's."""
        with self._changed:
            attempts = list(self._attempts.values())
        if not attempts:
            return
        sightings = [
            {"runId": attempt.ref["runId"], "attempt": attempt.ref["attempt"], "infrastructureName": attempt.name}
            for attempt in attempts
        ]
        answer = self._transport.call(
            "WorkerService.AdoptAttempts", {"workerId": self._worker_id, "sightings": sightings}, repeat=True
        )
        for attempt, adoption in zip(attempts, answer.get("adoptions", [])):
            if adoption.get("verdict") == "ADOPT_VERDICT_ADOPTED":
                attempt.ref, attempt.worker_id = adoption["assignment"]["attempt"], self._worker_id
            elif adoption.get("verdict") == "ADOPT_VERDICT_STALE":
                attempt.stop(0.0)
