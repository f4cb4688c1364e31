"""`@task`: a step of a flow, with retries and a time limit of its own; alone or many at once."""

from __future__ import annotations

import concurrent.futures
import contextvars
import functools
import inspect
import os
import threading
from typing import Any, Callable, Dict, Generic, Iterable, List, Optional, Sequence, TypeVar, Union, cast, overload

from . import calls, loggers, states
from .run_context import task_name

R = TypeVar("R")
_MOST_THREADS = 64
_pool_lock = threading.Lock()
_pool: Optional[concurrent.futures.ThreadPoolExecutor] = None


class Future(Generic[R]):
    """A task run that was submitted. Given to another task it stands for its result."""

    def __init__(self, future: "concurrent.futures.Future[states.State]", name: str) -> None:
        self._future = future
        self.name = name

    def wait(self, timeout: Optional[float] = None) -> None:
        """Until it is over, or so many seconds."""
        concurrent.futures.wait([self._future], timeout)

    def result(self, timeout: Optional[float] = None, raise_on_failure: bool = True) -> R:
        return cast(R, self._future.result(timeout).result(raise_on_failure))

    def done(self) -> bool:
        return self._future.done()

    @property
    def state(self) -> Optional[states.State]:
        """How it ended; None while it runs."""
        return self._future.result() if self._future.done() else None


class Task(Generic[R]):
    """A task; made by `@task`. Calling it runs it; `submit` runs it on a thread, `map` once for each element.

    name: default the function's. retries, retry_delay_seconds, timeout_seconds: as of a flow, in this process.
    tags: for people and logs.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        name: Optional[str] = None,
        retries: int = 0,
        retry_delay_seconds: calls.Delays = 0,
        timeout_seconds: Optional[float] = None,
        tags: Sequence[str] = (),
    ) -> None:
        if not callable(fn):
            raise TypeError(f"@task is for functions, not for {type(fn).__name__}")
        functools.update_wrapper(cast(Callable[..., Any], self), fn)
        self.fn = fn
        self.name: str = name or str(getattr(fn, "__name__", "task"))
        self.retries = retries
        self.retry_delays = calls.delays_of(retry_delay_seconds)
        self.timeout_seconds = timeout_seconds
        self.tags = list(tags)
        self.is_async = inspect.iscoroutinefunction(fn)

    def __call__(self, *args: Any, return_state: bool = False, **kwargs: Any) -> Any:
        """Runs it and returns its result (a coroutine of it for an async function), or its State if asked for."""
        if self.is_async:
            return self._call_async(args, kwargs, return_state)
        state = self._settle(args, kwargs)
        return state if return_state else state.result()

    def submit(self, *args: Any, wait_for: Iterable["Future[Any]"] = (), **kwargs: Any) -> Future[R]:
        """Runs it on a thread, once the futures among its arguments and in `wait_for` are over. If one of them failed,
        it fails the same way."""
        context = contextvars.copy_context()
        before = list(wait_for)

        def run() -> states.State:
            try:
                for future in before:
                    future.result()
                values, named = _resolved(args), {name: _value_of(value) for name, value in kwargs.items()}
            except Exception as error:
                return states.failed(error)
            return context.run(self._settle, values, named)

        return Future(_threads().submit(run), self.name)

    def map(self, *args: Any, wait_for: Iterable["Future[Any]"] = (), **kwargs: Any) -> List[Future[R]]:
        """One run for each element of the lists among the arguments; what is no list (or is `unmapped`) goes to each."""
        columns = [*args, *kwargs.values()]
        lengths = {len(column) for column in columns if _is_many(column)}
        if len(lengths) != 1:
            raise ValueError(f"map wants lists of one length among its arguments, got lengths {sorted(lengths)}")
        return [
            self.submit(
                *(_element(value, index) for value in args),
                wait_for=wait_for,
                **{name: _element(value, index) for name, value in kwargs.items()},
            )
            for index in range(lengths.pop())
        ]

    def with_options(self, **options: Any) -> "Task[R]":
        """A copy with other options of `@task`."""
        known: Dict[str, Any] = {
            "name": self.name,
            "retries": self.retries,
            "retry_delay_seconds": self.retry_delays,
            "timeout_seconds": self.timeout_seconds,
            "tags": self.tags,
        }
        return Task(self.fn, **{**known, **options})

    def _settle(self, args: Sequence[Any], kwargs: Dict[str, Any]) -> states.State:
        if self.is_async:
            import asyncio

            return asyncio.run(self._settle_async(args, kwargs))
        token = task_name.set(self.name)
        try:
            once = lambda: calls.call(lambda: self.fn(*args, **kwargs), self.timeout_seconds, f"task {self.name}")  # noqa: E731
            return states.completed(calls.with_retries(once, self.retries, self.retry_delays, self._again))
        except Exception as error:
            return states.failed(error)
        finally:
            task_name.reset(token)

    async def _settle_async(self, args: Sequence[Any], kwargs: Dict[str, Any]) -> states.State:
        token = task_name.set(self.name)
        try:
            once = lambda: calls.call_async(  # noqa: E731
                lambda: self.fn(*args, **kwargs), self.timeout_seconds, f"task {self.name}"
            )
            return states.completed(await calls.with_retries_async(once, self.retries, self.retry_delays, self._again))
        except Exception as error:
            return states.failed(error)
        finally:
            task_name.reset(token)

    async def _call_async(self, args: Sequence[Any], kwargs: Dict[str, Any], return_state: bool) -> Any:
        state = await self._settle_async(args, kwargs)
        return state if return_state else state.result()

    def _again(self, retry: int, error: BaseException, pause: float) -> None:
        loggers.run_logger().warning(
            "%s; tried again in %g s (%d of %d)", states.describe(error), pause, retry, self.retries
        )


class unmapped(Generic[R]):  # noqa: N801 (reads as a word of the call)
    """Around a list that `map` shall hand to each run as a whole."""

    def __init__(self, value: R) -> None:
        self.value = value


def wait(futures: Iterable[Future[Any]], timeout: Optional[float] = None) -> None:
    """Until all are over, or so many seconds."""
    concurrent.futures.wait([future._future for future in futures], timeout)


def _threads() -> concurrent.futures.ThreadPoolExecutor:
    global _pool
    with _pool_lock:
        if _pool is None:
            most = int(os.environ.get("FOREBAY_TASK_THREADS", "0")) or _MOST_THREADS
            _pool = concurrent.futures.ThreadPoolExecutor(most, thread_name_prefix="forebay-task")
        return _pool


def _value_of(value: Any) -> Any:
    if isinstance(value, Future):
        return value.result()
    if isinstance(value, (list, tuple)) and any(isinstance(element, Future) for element in value):
        return type(value)(_value_of(element) for element in value)
    return value


def _resolved(values: Sequence[Any]) -> List[Any]:
    return [_value_of(value) for value in values]


def _is_many(value: Any) -> bool:
    return isinstance(value, (list, tuple, range))


def _element(value: Any, index: int) -> Any:
    if isinstance(value, unmapped):
        return value.value
    return value[index] if _is_many(value) else value


@overload
def task(__fn: Callable[..., R]) -> Task[R]: ...
@overload
def task(**options: Any) -> Callable[[Callable[..., R]], Task[R]]: ...
def task(
    __fn: Optional[Callable[..., R]] = None, **options: Any
) -> Union[Task[R], Callable[[Callable[..., R]], Task[R]]]:
    """Makes a task of a function: `@task` or `@task(retries=…, …)`; options as of Task."""
    if __fn is not None:
        return Task(__fn, **options)
    return lambda fn: Task(fn, **options)
