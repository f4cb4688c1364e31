"""A worker that speaks the protocol and launches nothing: each call is made, repeated or left out by the test."""

import concurrent.futures
import threading
import uuid

from . import protocol
from .api import Api, ApiError

Ref = protocol.message("AttemptRef")
Report = protocol.message("AttemptReport")
VERDICTS = {number: name for name, number in protocol.enum("ReportVerdict").items()}
STOPS = {number: name for name, number in protocol.enum("StopReason").items()}
ADOPTIONS = {number: name for name, number in protocol.enum("AdoptVerdict").items()}


def infrastructure_name(ref) -> str:
    return f"forebay-{ref.run_id}-{ref.attempt}"


class FakeWorker:
    def __init__(self, api: Api, pool: str, slots: int = 16, name: str = "fake", queues=(), type: str = "process",
                 replaces=(), instance_id: str = "", beating: bool = False):  # fmt: skip
        self.api = api
        self.instance_id = instance_id or str(uuid.uuid4())
        answer = api.WorkerService.RegisterWorker(
            pool=pool, name=name, instance_id=self.instance_id, type=type, slots=slots, queues=queues, version="test",
            replaces=replaces,
        )  # fmt: skip
        self.worker_id = answer.worker_id
        self.pool = answer.pool
        self._threads = concurrent.futures.ThreadPoolExecutor(4)
        self._ended = threading.Event()
        if beating:
            threading.Thread(target=self._beat, daemon=True).start()

    def _beat(self):
        """Keeps the lease while the worker has nothing else to say."""
        while not self._ended.wait(0.5):
            try:
                self.heartbeat()
            except ApiError:
                return

    def close(self):
        self._ended.set()

    def poll(self, free_slots: int = 1, request_id: str = "", replay: bool = False, timeout: float = 60.0):
        """The whole answer."""
        return self.api.WorkerService.Poll(**self._poll(free_slots, request_id, replay), timeout=timeout)

    def start_poll(self, free_slots: int = 1, request_id: str = "", replay: bool = False, timeout: float = 120.0):
        """A poll in flight: grpc's future."""
        method = protocol.POOL.FindServiceByName("forebay.v1.WorkerService").methods_by_name["Poll"]
        request = protocol.message("PollRequest")(**self._poll(free_slots, request_id, replay))
        return self.api.start(method, request, timeout)

    def _poll(self, free_slots, request_id, replay) -> dict:
        return {
            "worker_id": self.worker_id, "free_slots": free_slots, "pool_revision": self.pool.revision,
            "request_id": request_id or str(uuid.uuid4()), "replay": replay,
        }  # fmt: skip

    def take(self, count: int = 1, free_slots: int = 0) -> list:
        """Assignments, polling until there are so many."""
        taken = []
        while len(taken) < count:
            answer = self.poll(max(free_slots, count) - len(taken))
            taken += answer.assignments
            if answer.HasField("pool"):
                self.pool = answer.pool
        return taken

    def start_take(self, count: int = 1, free_slots: int = 0) -> concurrent.futures.Future:
        """The same in the background."""
        return self._threads.submit(self.take, count, free_slots)

    def report(self, *reports) -> list[str]:
        """The verdicts' names."""
        answer = self.api.WorkerService.ReportAttempts(worker_id=self.worker_id, reports=reports)
        return [VERDICTS[result.verdict] for result in answer.results]

    def heartbeat(self, *held):
        return self.api.WorkerService.Heartbeat(worker_id=self.worker_id, held=held)

    def adopt(self, *refs) -> list:
        sightings = [
            protocol.message("Sighting")(
                run_id=ref.run_id, attempt=ref.attempt, infrastructure_name=infrastructure_name(ref), infrastructure_id="1"
            )
            for ref in refs
        ]
        return self.api.WorkerService.AdoptAttempts(worker_id=self.worker_id, sightings=sightings).adoptions

    def append(self, ref, first_sequence: int, *lines: str):
        """One AppendResult."""
        logs = protocol.message("AttemptLogs")(attempt=ref, first_sequence=first_sequence)
        stdout = protocol.enum("LogStream")["STDOUT"]
        for line in lines:
            logs.entries.add(time_micros=1, stream=stdout, text=line)
        return self.api.WorkerService.AppendAttemptLogs(worker_id=self.worker_id, logs=[logs]).results[0]

    def complete(self, assignment, exit_code: int = 0) -> list[str]:
        """The whole life of an attempt in one batch."""
        return self.report(*whole_life(assignment, exit_code))

    def complete_all(self, assignments) -> list[str]:
        """The same for many, in one call."""
        return self.report(*(report for assignment in assignments for report in whole_life(assignment)))


def whole_life(assignment, exit_code: int = 0) -> list:
    ref = assignment.attempt
    return [launching(ref), launched(ref), gate(assignment), exited(ref, exit_code)]


def launching(ref):
    return _report(ref, launching=protocol.message("Launching")(infrastructure_name=infrastructure_name(ref)))


def launched(ref, infrastructure_id: str = "1"):
    return _report(ref, launched=protocol.message("Launched")(infrastructure_id=infrastructure_id))


def gate(assignment):
    return _report(assignment.attempt, gate=protocol.message("Gate")(launch_ticket=assignment.launch_ticket))


def exited(ref, exit_code: int | None = 0, reason: str = "EXITED", signal: int = 0, log_lines: int = 0):
    fact = protocol.message("Exited")(reason=reason, signal=signal, log_lines=log_lines)
    if exit_code is not None:
        fact.exit_code = exit_code
    return _report(ref, exited=fact)


def launch_failed(ref, reason: str, retryable: bool):
    return _report(ref, launch_failed=protocol.message("LaunchFailed")(reason=reason, message="x", retryable=retryable))


def _report(ref, **fact):
    report = Report(attempt=ref, **fact)
    report.time.GetCurrentTime()
    return report
