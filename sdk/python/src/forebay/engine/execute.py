"""One attempt of a run, from the gate to the report. Its exit code: 0 completed, 1 failed or could not begin, 75 the
gate was not ours, 143 stopped."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any, Dict, List

from .. import loggers, states
from ..errors import CancelledRun, ForebayError
from ..run_context import FlowRunContext
from . import gate
from .beat import Beat, interrupt_main_thread
from .log_sender import LogSender

EXIT_STOPPED = 143


def main() -> int:
    try:
        passed = gate.enter()
    except gate.GateLost as lost:
        print(f"forebay: {lost}", file=sys.stderr)
        return gate.EXIT_GATE_LOST
    except ForebayError as error:
        print(f"forebay: {error}", file=sys.stderr)
        return 1
    return _Attempt(passed).run()


class _Attempt:
    def __init__(self, passed: gate.Passed) -> None:
        self._passed = passed
        self._log = LogSender(passed.transport, passed.run_id)
        loggers.send_to(self._log)
        signal.signal(signal.SIGTERM, self._stop)
        interval = float(str(passed.context.get("heartbeatInterval", "10s")).rstrip("s"))
        self._beat = Beat(passed.transport, passed.run_id, interval, interrupt_main_thread)

    def run(self) -> int:
        try:
            state = self._outcome()
        except CancelledRun as stopped:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            self._beat.stop()
            loggers.run_logger().warning("%s", stopped)
            self._log.close_and_flush()
            return EXIT_STOPPED
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._log.close_and_flush()
        self._report(state)
        self._beat.stop()
        return 0 if state.is_completed() else 1

    def _outcome(self) -> states.State:
        try:
            return self._run_flow()
        except CancelledRun:
            raise
        except SystemExit as error:
            return _of_system_exit(error)
        except BaseException as error:
            return self._not_begun(error)

    def _run_flow(self) -> states.State:
        from . import entrypoint

        context = self._passed.context
        directory = _pull(json.loads(context.get("pullSteps") or "[]"))
        flow = entrypoint.load(context.get("entrypoint", ""), directory)
        parameters = flow.bind(**json.loads(context.get("parameters") or "{}"))
        # Retries are the server's: on any worker, in a fresh process.
        state = flow.run(self._describe(flow, parameters), retries=0)
        error = state.result(raise_on_failure=False)
        if state.is_failed() and isinstance(error, BaseException):
            loggers.run_logger().error("%s", entrypoint.users_trace(error))
        return state

    def _describe(self, flow: Any, parameters: Dict[str, Any]) -> FlowRunContext:
        told = self._passed.context
        run = FlowRunContext(flow, parameters)
        run.id = self._passed.run_id
        run.name = told.get("displayName", run.name)
        run.attempt = int(told.get("attempt", 1))
        run.tags = list(told.get("tags", []))
        run.scheduled_start_time = told.get("scheduledTime")
        run.deployment = told.get("deployment", "")
        run.deployment_version = told.get("version", "")
        return run

    @staticmethod
    def _not_begun(error: BaseException) -> states.State:
        loggers.run_logger().error("%s", error if isinstance(error, ForebayError) else states.describe(error))
        return states.failed(error)

    def _report(self, state: states.State) -> None:
        message = state.message.partition("\n")[0][:4000]
        request = {
            "runId": self._passed.run_id,
            "type": "STATE_TYPE_COMPLETED" if state.is_completed() else "STATE_TYPE_FAILED",
        }
        if message:
            request["message"] = message
        try:
            self._passed.transport.call("RunService.ReportState", request, repeat=True)
        except ForebayError as error:
            print(f"forebay: the outcome could not be reported: {error}", file=sys.stderr)

    @staticmethod
    def _stop(*_: Any) -> None:
        # A second one is the worker's to follow by force.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise CancelledRun("the run was asked to stop")


def _pull(steps: List[Dict[str, Any]]) -> str:
    if not steps:
        return os.getcwd()
    from . import pull

    return pull.run(steps, os.getcwd())


def _of_system_exit(error: SystemExit) -> states.State:
    if error.code in (None, 0):
        return states.completed(None)
    return states.State("FAILED", f"SystemExit: {error.code}", error=error)
