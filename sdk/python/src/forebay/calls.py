"""One call of user code: with its time limit, tried again as often as it may be, synchronous or not."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any, Awaitable, Callable, List, Optional, Sequence, Union

from .errors import TimedOut

Delays = Union[float, int, Sequence[float]]


def delays_of(value: Delays) -> List[float]:
    """Seconds before the first, second, … retry; the last one repeats."""
    many = list(value) if isinstance(value, (list, tuple)) else [value]
    for delay in many:
        if not isinstance(delay, (int, float)) or delay < 0:
            raise ValueError(f"retry_delay_seconds is {value!r}; it must be a number of seconds or a list of them")
    return [float(delay) for delay in many]


def delay_before(retry: int, delays: Sequence[float]) -> float:
    return delays[min(retry, len(delays)) - 1] if delays else 0.0


class Limit:
    """Raises TimedOut in the calling thread when the time is over. On the main thread by SIGALRM, which interrupts
    also a wait in a system call; elsewhere as soon as the thread runs Python code again."""

    def __init__(self, seconds: Optional[float], what: str) -> None:
        self._seconds = seconds
        self._error = TimedOut(f"{what} ran longer than its timeout of {seconds} s", "TIMED_OUT")
        self._timer: Optional[threading.Timer] = None
        self._by_signal = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> "Limit":
        if self._seconds is None:
            return self
        if self._by_signal:
            self._previous = signal.signal(signal.SIGALRM, self._raise)
            signal.setitimer(signal.ITIMER_REAL, self._seconds)
        else:
            thread = threading.get_ident()
            self._timer = threading.Timer(self._seconds, self._interrupt, (thread,))
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if self._seconds is None:
            return
        if self._by_signal:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._previous)
        elif self._timer is not None:
            self._timer.cancel()
        if kind is _Interrupted:
            raise self._error from None

    def _raise(self, *_: Any) -> None:
        raise self._error

    def _interrupt(self, thread: int) -> None:
        import ctypes

        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(_Interrupted))


class _Interrupted(BaseException):
    pass


def call(function: Callable[[], Any], timeout: Optional[float], what: str) -> Any:
    with Limit(timeout, what):
        return function()


async def call_async(function: Callable[[], Any], timeout: Optional[float], what: str) -> Any:
    import asyncio

    try:
        return await asyncio.wait_for(function(), timeout)
    except asyncio.TimeoutError:
        if timeout is None:
            raise
        raise TimedOut(f"{what} ran longer than its timeout of {timeout} s", "TIMED_OUT") from None


Again = Callable[[int, BaseException, float], None]


def with_retries(once: Callable[[], Any], retries: int, delays: Sequence[float], again: Again) -> Any:
    """Calls `once` up to `retries` times more while it raises; tells `again` before each pause."""
    retry = 0
    while True:
        try:
            return once()
        except Exception as error:
            retry += 1
            if retry > retries:
                raise
            pause = delay_before(retry, delays)
            again(retry, error, pause)
            time.sleep(pause)


async def with_retries_async(
    once: Callable[[], Awaitable[Any]], retries: int, delays: Sequence[float], again: Again
) -> Any:
    import asyncio

    retry = 0
    while True:
        try:
            return await once()
        except Exception as error:
            retry += 1
            if retry > retries:
                raise
            pause = delay_before(retry, delays)
            again(retry, error, pause)
            await asyncio.sleep(pause)
