"""The run's own sign of life, and the way on which it hears of a cancel."""

from __future__ import annotations

import os
import signal
import threading
from typing import Callable, Optional

from ..errors import ForebayError
from ..transport import Transport


class Beat:
    """Beats on a thread from its making to `stop`. `cancelled` is called once, on that thread, when a stop is wanted; so is
    `disowned`, by default the same, when the run is not ours any more."""

    def __init__(
        self,
        transport: Transport,
        run_id: str,
        interval: float,
        cancelled: Callable[[], None],
        disowned: Optional[Callable[[], None]] = None,
    ) -> None:
        self._transport = transport
        self._run_id = run_id
        self._interval = interval
        self._cancelled = cancelled
        self._disowned = disowned or cancelled
        self._over = threading.Event()
        threading.Thread(target=self._loop, name="forebay-beat", daemon=True).start()

    def stop(self) -> None:
        self._over.set()

    def _loop(self) -> None:
        told = False
        while not self._over.wait(self._interval):
            try:
                answer = self._transport.call(
                    "RunService.Heartbeat", {"runId": self._run_id}, repeat=False, timeout=self._interval
                )
            except ForebayError as error:
                if error.code != "unauthenticated":
                    continue
                if not told and not self._over.is_set():
                    self._disowned()
                return
            if answer.get("cancelWanted") and not told and not self._over.is_set():
                told = True
                self._cancelled()


def interrupt_main_thread() -> None:
    """As the worker does when it stops a run."""
    os.kill(os.getpid(), signal.SIGTERM)
