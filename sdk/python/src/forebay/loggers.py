"""The log of a run: on standard error for runs that no server knows, in the run's log on the server else."""

from __future__ import annotations

import builtins
import logging
import sys
from typing import Any, Optional

from .run_context import FlowRunContext, flow_run, task_name

_logger = logging.getLogger("forebay.runs")
_plain_print = builtins.print


class _WithRun(logging.LoggerAdapter):  # type: ignore[type-arg]
    def process(self, msg: Any, kwargs: Any) -> Any:
        task = task_name.get()
        return (f"[{task}] {msg}" if task else msg), kwargs


class _Local(logging.StreamHandler):  # type: ignore[type-arg]
    """To what standard error is when a line is written, not when the handler was made."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def get_run_logger() -> "logging.LoggerAdapter[logging.Logger]":
    """The logger of the flow run or task run that calls it. RuntimeError outside of one."""
    if flow_run.get() is None:
        raise RuntimeError("get_run_logger() is for flows and tasks while they run; elsewhere use the logging module")
    return _WithRun(_logger, {})


def run_logger() -> "logging.LoggerAdapter[logging.Logger]":
    """The same for this package's own words."""
    return _WithRun(_logger, {})


def send_to(handler: logging.Handler) -> None:
    """From now on the log of runs goes there."""
    for known in list(_logger.handlers):
        _logger.removeHandler(known)
    _logger.addHandler(handler)
    _logger.setLevel(logging.INFO)
    _logger.propagate = False


def send_to_too(handler: logging.Handler) -> None:
    """Also there."""
    ensure_destination()
    _logger.addHandler(handler)


def send_no_more_to(handler: logging.Handler) -> None:
    _logger.removeHandler(handler)


def ensure_destination() -> None:
    if not _logger.handlers:
        send_to(_Local())


def _logging_print(
    *values: Any, sep: Optional[str] = " ", end: Optional[str] = "\n", file: Any = None, flush: bool = False
) -> None:
    context: Optional[FlowRunContext] = flow_run.get()
    if context is None or not context.flow.log_prints or file not in (None, sys.stdout, sys.stderr):
        _plain_print(*values, sep=sep, end=end, file=file, flush=flush)
        return
    text = (" " if sep is None else sep).join(str(value) for value in values)
    for line in text.split("\n"):
        run_logger().info("%s", line)


def log_prints() -> None:
    """Lets `print` go to the log of the run, in flows that ask for it. Once is enough."""
    builtins.print = _logging_print
