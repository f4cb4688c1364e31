"""How a run or task ended."""

from __future__ import annotations

from typing import Any, Optional


class State:
    """`type` is COMPLETED, FAILED, CRASHED or CANCELLED; `message` says why for people."""

    __slots__ = ("type", "message", "_value", "_error")

    def __init__(self, type: str, message: str = "", value: Any = None, error: Optional[BaseException] = None) -> None:
        self.type = type
        self.message = message
        self._value = value
        self._error = error

    @property
    def name(self) -> str:
        return self.type.capitalize()

    def is_completed(self) -> bool:
        return self.type == "COMPLETED"

    def is_failed(self) -> bool:
        return self.type in ("FAILED", "CRASHED")

    def is_cancelled(self) -> bool:
        return self.type == "CANCELLED"

    def result(self, raise_on_failure: bool = True) -> Any:
        """What the function returned. Raises what it raised, unless told to return that."""
        if self._error is None or not raise_on_failure:
            return self._value if self._error is None else self._error
        raise self._error

    def __repr__(self) -> str:
        return f"{self.name}({self.message!r})" if self.message else f"{self.name}()"


def completed(value: Any) -> State:
    return State("COMPLETED", value=value)


def failed(error: BaseException) -> State:
    return State("FAILED", describe(error), error=error)


def describe(error: BaseException) -> str:
    """`ValueError: text`, as the last line of a traceback has it."""
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
