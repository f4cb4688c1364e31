"""The run's log on its way to the server: in order, in batches, by a thread of its own, so that user code does not wait."""

from __future__ import annotations

import collections
import logging
import threading
import time
from typing import Any, Deque, Dict, List

from ..errors import ForebayError
from ..transport import Transport

# Where the order of a batch's lines ends and the next one begins.
_MOST_LINES = 5000
_MOST_BYTES = 1 << 20
_BREATH = 0.05
# Beyond it user code waits for the server: nothing is lost, and memory has an end.
_MOST_WAITING = 200_000
_MOST_TEXT = 64 << 10


class LogSender(logging.Handler):
    """A destination of the logging module. `close_and_flush` before the end."""

    def __init__(self, transport: Transport, run_id: str) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(message)s"))
        self._transport = transport
        self._run_id = run_id
        self._waiting: Deque[Dict[str, Any]] = collections.deque()
        self._sent = 0
        self._changed = threading.Condition()
        self._closing = False
        self._busy = False
        self._dead = False
        self._thread = threading.Thread(target=self._loop, name="forebay-log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if record.levelno != logging.INFO:
            text = f"{record.levelname}: {text}"
        stream = "LOG_STREAM_STDERR" if record.levelno >= logging.WARNING else "LOG_STREAM_STDOUT"
        self.add(text, stream, int(record.created * 1e6))

    def add(self, text: str, stream: str, time_micros: int) -> None:
        entries = [
            {"timeMicros": time_micros, "stream": stream, **piece}
            for line in text.split("\n")
            for piece in _pieces(line)
        ]
        with self._changed:
            while len(self._waiting) >= _MOST_WAITING and not self._dead:
                self._changed.wait(1.0)
            self._waiting.extend(entries)
            if not self._busy:
                self._changed.notify_all()

    def close_and_flush(self) -> None:
        """Until everything has arrived, or the server does not want it any more."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _loop(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closing:
                    self._changed.wait()
                if not self._waiting:
                    return
                self._busy = True
                hurry = self._closing or len(self._waiting) >= _MOST_LINES
            if not hurry:
                time.sleep(_BREATH)
            try:
                self._send(self._next_batch())
            except ForebayError:
                # The attempt is not ours any more, or nobody has answered for ten minutes.
                with self._changed:
                    self._dead = True
                    self._waiting.clear()
                    self._changed.notify_all()
                return
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _next_batch(self) -> List[Dict[str, Any]]:
        batch: List[Dict[str, Any]] = []
        size = 0
        with self._changed:
            while self._waiting and len(batch) < _MOST_LINES and size < _MOST_BYTES:
                batch.append(self._waiting.popleft())
                size += len(batch[-1]["text"]) + 32
        return batch

    def _send(self, batch: List[Dict[str, Any]]) -> None:
        # What the server knows already it ignores, so a repeat after a lost answer adds nothing.
        request = {"runId": self._run_id, "firstSequence": self._sent, "entries": batch}
        self._transport.call("RunService.AppendLogs", request, repeat=True)
        self._sent += len(batch)


def _pieces(line: str) -> List[Dict[str, Any]]:
    if len(line) * 4 <= _MOST_TEXT or len(line.encode("utf-8", "replace")) <= _MOST_TEXT:
        return [{"text": line.encode("utf-8", "replace").decode()}]
    width = _MOST_TEXT // 4
    pieces: List[Dict[str, Any]] = [
        {"text": line[at : at + width], "partial": True} for at in range(0, len(line), width)
    ]
    pieces[-1]["partial"] = False
    return pieces
