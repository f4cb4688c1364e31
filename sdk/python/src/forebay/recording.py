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
from typing import TYPE_CHECKING, Any, Optional

from . import loggers, settings, states
from .errors import CancelledRun, ForebayError
from .run_context import FlowRunContext, flow_run

if TYPE_CHECKING:
    from .engine.log_sender import LogSender
    from .transport import Transport

# How long the begin may take, and how long the end waits for a server that is away.
_BEGIN_SECONDS = 5.0
_PATIENCE = 10.0


def begin(context: FlowRunContext) -> "Optional[Recording]":
    """Nothing where there is nothing to keep it: inside another run, without a server, or when the server does not take it."""
    if context.parent is not None or "FOREBAY_RUN_ID" in os.environ or os.environ.get("FOREBAY_RECORD") == "off":
        return None
    try:
        found = settings.load()
        return Recording(context, found) if found.urls else None
    except ForebayError as error:
        loggers.run_logger().warning("this run is not recorded: %s", error.message)
        return None


class Recording:
    """From its making to `end`."""

    def __init__(self, context: FlowRunContext, found: settings.Settings) -> None:
        from .transport import Transport

        begun = Transport(found.urls, found.api_key, found.ca_file, patience=0.0).call(
            "FlowRunService.BeginFlowRun", _request(context), repeat=False, timeout=_BEGIN_SECONDS
        )
        context.id = str(begun["name"]).rpartition("/")[2]
        context.name = begun["displayName"]
        self._context = context
        self._transport: Transport = Transport(found.urls, begun["runToken"], found.ca_file, patience=_PATIENCE)
        self._log = self._follow_log()
        self._listen(float(str(begun["heartbeatInterval"]).rstrip("s")))

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

    def _listen(self, interval: float) -> None:
        """A cancel interrupts the flow if it runs on the main thread; no other can be interrupted while it waits."""
        from .engine.beat import Beat, interrupt_main_thread

        self._before: Any = None
        self._on_main_thread = threading.current_thread() is threading.main_thread()
        if self._on_main_thread:
            self._before = signal.signal(signal.SIGTERM, _stop)
        self._beat = Beat(
            self._transport, self._context.id, interval, interrupt_main_thread if self._on_main_thread else _ignore
        )

    def end(self, state: states.State) -> None:
        """Sends what is left and how it ended."""
        self._beat.stop()
        if self._on_main_thread:
            signal.signal(signal.SIGTERM, self._before)
        loggers.send_no_more_to(self._log)
        self._log.close_and_flush()
        kind = "STATE_TYPE_COMPLETED" if state.is_completed() else "STATE_TYPE_FAILED"
        message = state.message.partition("\n")[0][:4000]
        try:
            self._transport.call(
                "RunService.ReportState", {"runId": self._context.id, "type": kind, "message": message}, repeat=True
            )
        except ForebayError as error:
            # After a repeat the token is gone with the run that it ended.
            if error.code != "unauthenticated":
                loggers.run_logger().warning("how this run ended is not recorded: %s", error.message)

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


def _stop(*_: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise CancelledRun("the run was asked to stop")


def _ignore() -> None:
    pass
