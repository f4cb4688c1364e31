"""Runs that are started by hand: where a server is configured, it keeps their states and logs too.

A server that does not answer or refuses changes nothing for the run: a line on standard error says that it is not kept.
FOREBAY_RECORD=off keeps none.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, Callable, Optional

from . import loggers, settings, states
from .errors import CancelledRun, ForebayError, ServerUnreachable
from .run_context import FlowRunContext, flow_run

if TYPE_CHECKING:
    from .engine.log_sender import LogSender
    from .transport import Transport

# How long the begin may take, and how long the end waits for a server that is away.
_BEGIN_SECONDS = 5.0
_PATIENCE = 10.0
_lock = threading.Lock()
# Recordings whose cancel comes as SIGTERM; the first one takes the signal, the last one gives it back.
_listening = 0
# No server answered this program; it is not asked again for every flow.
_nobody_answers = False


def begin(context: FlowRunContext, interrupt: Optional[Callable[[], None]] = None) -> "Optional[Recording]":
    """Nothing where there is nothing to keep it: inside another run, without a server, or when the server does not take it.
    `interrupt` ends the flow on a cancel; without one SIGTERM does, if it runs on the main thread."""
    global _nobody_answers
    inside = context.parent is not None or "FOREBAY_RUN_ID" in os.environ
    if inside or _nobody_answers or os.environ.get("FOREBAY_RECORD") == "off":
        return None
    try:
        found = settings.load()
        return Recording(context, found, interrupt) if found.urls else None
    except (ForebayError, KeyError, ValueError) as error:
        _nobody_answers = isinstance(error, ServerUnreachable)
        loggers.ensure_destination()
        loggers.run_logger().warning("this run is not recorded: %s", getattr(error, "message", error))
        return None


class Recording:
    """From its making to `end`."""

    def __init__(
        self, context: FlowRunContext, found: settings.Settings, interrupt: Optional[Callable[[], None]]
    ) -> None:
        from .transport import Transport

        self._as_user = Transport(found.urls, found.api_key, found.ca_file, 0.0, found.authority)
        begun = self._as_user.call("FlowRunService.BeginFlowRun", _request(context), repeat=False, timeout=_BEGIN_SECONDS)
        self._transport: Transport = Transport(found.urls, begun["runToken"], found.ca_file, _PATIENCE, found.authority)
        interval = float(str(begun["heartbeatInterval"]).rstrip("s"))
        context.id = str(begun["name"]).rpartition("/")[2]
        context.name = begun["displayName"]
        self._context = context
        self._log = self._follow_log()
        self._listen(interval, interrupt)

    def _follow_log(self) -> "LogSender":
        from .engine.log_sender import LogSender

        log = LogSender(self._transport, self._context.id)
        log.addFilter(self._is_ours)
        loggers.send_to_too(log)
        return log

    def _is_ours(self, _: logging.LogRecord) -> bool:
        run = flow_run.get()
        while run is not None and run.parent is not None:
            run = run.parent
        return run is self._context

    def _listen(self, interval: float, interrupt: Optional[Callable[[], None]]) -> None:
        from .engine.beat import Beat, interrupt_main_thread

        self._by_signal = interrupt is None and threading.current_thread() is threading.main_thread() and _take_signal()
        if self._by_signal:
            interrupt = interrupt_main_thread
        self._beat = Beat(self._transport, self._context.id, interval, interrupt or _ignore, self._given_up)

    def _given_up(self) -> None:
        # Whoever was asleep or cut off for long is not interrupted for it.
        loggers.run_logger().warning("the server has given this run up; it goes on, unrecorded")

    def end(self, state: states.State) -> None:
        """Sends what is left and how it ended."""
        self._beat.stop()
        if self._by_signal:
            _give_signal_back()
        loggers.send_no_more_to(self._log)
        self._log.close_and_flush()
        kind = "STATE_TYPE_COMPLETED" if state.is_completed() else "STATE_TYPE_FAILED"
        message = state.message.partition("\n")[0][:4000]
        try:
            self._transport.call(
                "RunService.ReportState", {"runId": self._context.id, "type": kind, "message": message}, repeat=True
            )
        except ForebayError as error:
            if error.code != "unauthenticated" or not self._stands_as(kind):
                loggers.run_logger().warning("how this run ended is not recorded: %s", error.message)

    def _stands_as(self, kind: str) -> bool:
        """A report whose answer was lost has ended the run, and its token with it."""
        try:
            name = f"flowRuns/{self._context.id}"
            run = self._as_user.call("FlowRunService.GetFlowRun", {"name": name}, repeat=False)["flowRun"]
        except (ForebayError, KeyError):
            return False
        return bool(run["state"]["type"] in (kind, "STATE_TYPE_CANCELLED"))

    def end_with(self, error: BaseException) -> None:
        """The same for what is no failure of the flow: an interrupt, an exit."""
        if isinstance(error, SystemExit) and error.code in (None, 0):
            self.end(states.completed(None))
        else:
            self.end(states.State("FAILED", states.describe(error)))


def _request(context: FlowRunContext) -> "dict[str, Any]":
    import json
    import socket

    from .parameters.schema import to_json

    try:
        parameters = json.dumps(to_json(context.parameters, "parameters"))
    except (ForebayError, TypeError, ValueError):
        # A call in Python takes any object; what JSON cannot say is left out.
        parameters = "{}"
    return {
        "flow": context.flow.name,
        "displayName": context.flow.run_name(context) if context.flow.flow_run_name else "",
        "parameters": parameters,
        "program": os.path.basename(sys.argv[0] or "python3")[:200],
        "place": f"{socket.gethostname()}:{os.getpid()}",
    }


def _take_signal() -> bool:
    """Whether SIGTERM is ours now; a handler of the program's own stays."""
    global _listening
    with _lock:
        if _listening == 0 and signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
            return False
        if _listening == 0:
            signal.signal(signal.SIGTERM, _stop)
        _listening += 1
        return True


def _give_signal_back() -> None:
    global _listening
    with _lock:
        _listening -= 1
        if _listening == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _stop(*_: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise CancelledRun("the run was asked to stop")


def _ignore() -> None:
    pass
