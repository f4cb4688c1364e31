"""One run in a process of its own: started, its output sent, its end reported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import IO, Any, Callable, Dict, List, Optional

from ..errors import ForebayError
from ..transport import Transport
from .home import environment_of

_MOST_LINE = 64 << 10
_MOST_LINES = 2000
_BREATH = 0.1


class Attempt:
    """Lives on a thread from `start` to its last report; then `ended` is called with it."""

    def __init__(
        self,
        assignment: Dict[str, Any],
        worker_id: str,
        transport: Transport,
        api_url: str,
        ended: "Callable[[Attempt], None]",
        authority: str = "",
    ) -> None:
        self.ref: Dict[str, Any] = assignment["attempt"]
        self.worker_id = worker_id
        self._assignment = assignment
        self._transport = transport
        self._api_url = api_url
        self._authority = authority
        self._ended = ended
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._lock = threading.Lock()
        self._output: List[Dict[str, Any]] = []
        self._sent = 0
        self._stopped = False

    @property
    def name(self) -> str:
        return f"forebay-{self.ref['runId']}-{self.ref['attempt']}"

    def start(self) -> None:
        threading.Thread(target=self._live, name=self.name, daemon=True).start()

    def stop(self, grace: float) -> None:
        """Asks it to end, and ends it by force after `grace` seconds; 0: at once."""
        with self._lock:
            first, self._stopped = not self._stopped, True
        if not first and grace > 0:
            return
        if grace > 0:
            self._signal(signal.SIGTERM)
        timer = threading.Timer(grace, self._signal, (signal.SIGKILL,))
        timer.daemon = True
        timer.start()

    def _signal(self, number: int) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                pass

    def _live(self) -> None:
        try:
            self._report({"launching": {"infrastructureName": self.name}})
            exited = self._run()
            self._send_output()
            self._report(exited)
        except ForebayError as error:
            # Not ours any more, or the server was away for longer than it waits for us.
            print(f"forebay: {self.name}: {error.message}", file=sys.stderr)
            self._signal(signal.SIGKILL)
        finally:
            self._ended(self)

    def _run(self) -> Dict[str, Any]:
        with self._lock:
            if self._stopped:
                return {"exited": {"reason": "NEVER_STARTED", "message": "stopped before it began"}}
            try:
                self._process = process = self._spawn()
            except OSError as error:
                return {"launchFailed": {"reason": "COMMAND_NOT_FOUND", "message": str(error)}}
        self._report({"launched": {"infrastructureId": str(process.pid)}})
        readers = [
            threading.Thread(target=self._read, args=(stream, name), daemon=True)
            for stream, name in ((process.stdout, "LOG_STREAM_STDOUT"), (process.stderr, "LOG_STREAM_STDERR"))
        ]
        for reader in readers:
            reader.start()
        while process.poll() is None:
            try:
                process.wait(_BREATH)
            except subprocess.TimeoutExpired:
                pass
            self._send_output()
        # What it left running may hold the pipes open.
        for reader in readers:
            reader.join(2.0)
        return {"exited": _exit_of(process.returncode)}

    def _spawn(self) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, **environment_of(self._assignment)}
        for name in ("FOREBAY_API_KEY", "FOREBAY_SERVER", "FOREBAY_CONTEXT"):
            environment.pop(name, None)
        environment.update(
            FOREBAY_RUN_ID=self.ref["runId"],
            FOREBAY_LAUNCH_TICKET=self._assignment["launchTicket"],
            FOREBAY_API_URL=self._api_url,
        )
        if self._authority:
            environment["FOREBAY_CA_PEM"] = self._authority
        return subprocess.Popen(
            [sys.executable, "-m", "forebay", "flow-run", "execute"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # A Ctrl-C in the terminal is for the served process.
            start_new_session=True,
        )

    def _read(self, stream: Optional[IO[bytes]], name: str) -> None:
        assert stream is not None
        while line := stream.readline(_MOST_LINE):
            partial = not line.endswith(b"\n") and len(line) == _MOST_LINE
            text = line.rstrip(b"\n").decode("utf-8", "replace")
            entry = {"timeMicros": time.time_ns() // 1000, "stream": name, "text": text, "partial": partial}
            with self._lock:
                self._output.append(entry)

    def _send_output(self) -> None:
        while True:
            with self._lock:
                batch = self._output[:_MOST_LINES]
            if not batch:
                return
            logs = {"attempt": self.ref, "firstSequence": self._sent, "entries": batch}
            answer = self._call("WorkerService.AppendAttemptLogs", {"logs": [logs]})
            if answer["results"][0]["verdict"] == "REPORT_VERDICT_STALE":
                raise ForebayError("this attempt is over or held by another", "STALE")
            with self._lock:
                del self._output[: len(batch)]
            self._sent += len(batch)

    def _report(self, fact: Dict[str, Any]) -> None:
        if "exited" in fact:
            fact["exited"]["logLines"] = self._sent
        answer = self._call("WorkerService.ReportAttempts", {"reports": [{"attempt": self.ref, **fact}]})
        result = answer["results"][0]
        if result["verdict"] == "REPORT_VERDICT_STALE":
            raise ForebayError("this attempt is over or held by another", "STALE")
        if result["verdict"] == "REPORT_VERDICT_STOP":
            self.stop(30.0)

    def _call(self, method: str, message: Dict[str, Any]) -> Dict[str, Any]:
        # What the server knows already a repeat does not change.
        return self._transport.call(method, {"workerId": self.worker_id, **message}, repeat=True, patience=600.0)


def _exit_of(code: int) -> Dict[str, Any]:
    if code < 0:
        return {"signal": -code, "reason": "SIGNALED"}
    return {"exitCode": code, "reason": "EXITED"}
