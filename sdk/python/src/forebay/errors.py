"""What goes wrong, as exceptions that say what, why and the next command."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import Mapping, Optional, Type


class ForebayError(Exception):
    """An error of this package or of the server.

    `reason` is for programs (the server's are in docs/reference/errors.md), `code` the Connect protocol's code or
    empty, `metadata` the dynamic parts of the text; the key `next` is the command to type next.
    """

    def __init__(
        self, message: str, reason: str = "", code: str = "", metadata: Optional[Mapping[str, str]] = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.code = code
        self.metadata = dict(metadata or {})

    @property
    def next(self) -> str:
        return self.metadata.get("next", "")

    def __str__(self) -> str:
        return f"{self.message}\nnext: {self.next}" if self.next else self.message


class ServerUnreachable(ForebayError):
    """No server answered."""


class FlowNotFound(ForebayError):
    """An entrypoint leads to no flow: INVALID_ENTRYPOINT, FILE_NOT_FOUND, NOT_A_FLOW, IMPORT_FAILED, DUPLICATE_FLOW."""


class ParameterError(ForebayError):
    """A parameter has the wrong type or is missing: `parameter`, what is `wanted` and what was `got`."""

    def __init__(self, parameter: str, wanted: str, got: str) -> None:
        super().__init__(
            f"parameter `{parameter}` wants {wanted}, got {got}",
            "INVALID_PARAMETERS",
            metadata={"field": f"parameters.{parameter}", "wanted": wanted, "got": got},
        )
        self.parameter = parameter
        self.wanted = wanted
        self.got = got


class TimedOut(ForebayError):
    """A flow or task ran longer than its `timeout_seconds`."""


class CancelledRun(BaseException):
    """Raised in the flow when its run is cancelled or suspended. Like KeyboardInterrupt no `Exception`, so that code
    which catches everything does not swallow it."""


_OURS = os.path.dirname(os.path.abspath(__file__))
_say_others = sys.excepthook


def _say(kind: Type[BaseException], error: BaseException, trace: Optional[TracebackType]) -> None:
    """An error of ours that ends a program says all that there is to say; our frames would only hide it."""
    if isinstance(error, CancelledRun):
        print(f"cancelled: {error}", file=sys.stderr)
        return
    if not isinstance(error, ForebayError):
        _say_others(kind, error, trace)
        return
    place = ""
    while trace is not None:
        path = os.path.abspath(trace.tb_frame.f_code.co_filename)
        if not path.startswith(_OURS):
            place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}: "
        trace = trace.tb_next
    print(f"{place}error: {error}", file=sys.stderr)


sys.excepthook = _say
