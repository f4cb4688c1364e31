"""`@flow`: a function that can be run here, or from afar by way of a deployment."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from typing import TYPE_CHECKING, Any, Callable, Dict, Generic, List, Optional, TypeVar, Union, cast, overload

from . import calls, loggers, states
from .errors import CancelledRun, ForebayError
from .run_context import Entered, FlowRunContext, flow_run

if TYPE_CHECKING:
    from typing_extensions import ParamSpec

    from .client import Client
    from .deployments import Deployment
    from .images import DockerImage

    P = ParamSpec("P")
else:
    P = TypeVar("P")
R = TypeVar("R")
Hook = Callable[["Flow[..., Any]", FlowRunContext, states.State], Any]


class Flow(Generic[P, R]):
    """A flow; made by `@flow`. Calling it runs it here and now.

    name: of the flow; default the function's, `_` turned to `-`.
    description: default the function's docstring. version: default none.
    flow_run_name: name of each run; `{parameter}` stands for a parameter's value.
    retries, retry_delay_seconds: attempts after the first one and the pauses before them (seconds, or a list of
        which the last one repeats). Of a run from afar the server decides them, on any worker.
    timeout_seconds: an attempt that takes longer is stopped and has failed.
    log_prints: `print` in the flow goes to the run's log.
    validate_parameters: values are converted to the types of the signature, and refused if they do not fit.
    on_completion, on_failure, on_cancellation, on_crashed: functions of (flow, run, state), called after the end.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        name: Optional[str] = None,
        description: Optional[str] = None,
        version: str = "",
        flow_run_name: str = "",
        retries: int = 0,
        retry_delay_seconds: calls.Delays = 0,
        timeout_seconds: Optional[float] = None,
        log_prints: bool = False,
        validate_parameters: bool = True,
        on_completion: Optional[List[Hook]] = None,
        on_failure: Optional[List[Hook]] = None,
        on_cancellation: Optional[List[Hook]] = None,
        on_crashed: Optional[List[Hook]] = None,
    ) -> None:
        if not callable(fn):
            raise TypeError(f"@flow is for functions, not for {type(fn).__name__}")
        if not isinstance(retries, int) or retries < 0:
            raise ValueError(f"retries is {retries!r}; it must be a number of attempts, 0 or more")
        if timeout_seconds is not None and timeout_seconds <= 0:
            raise ValueError(f"timeout_seconds is {timeout_seconds!r}; it must be more than 0")
        functools.update_wrapper(cast(Callable[..., Any], self), fn)
        self.fn = fn
        self.name: str = _flow_name(name or str(getattr(fn, "__name__", "")))
        self.description = inspect.getdoc(fn) or "" if description is None else description
        self.version = version
        self.flow_run_name = flow_run_name
        self.retries = retries
        self.retry_delays = calls.delays_of(retry_delay_seconds)
        self.timeout_seconds = timeout_seconds
        self.log_prints = log_prints
        self.validate_parameters = validate_parameters
        self.hooks: Dict[str, List[Hook]] = {
            "COMPLETED": on_completion or [],
            "FAILED": on_failure or [],
            "CANCELLED": on_cancellation or [],
            "CRASHED": on_crashed or [],
        }
        self.is_async = inspect.iscoroutinefunction(fn)
        # What brings the code to where it runs; empty: it is there.
        self.pull_steps: List[Dict[str, Any]] = []
        self._entrypoint: Optional[str] = None

    def __call__(self, *args: Any, return_state: bool = False, **kwargs: Any) -> Any:
        """Runs it in this process. `return_state=True` returns a State instead of the result or the exception."""
        parameters = self.bind(*args, **kwargs)
        context = FlowRunContext(cast("Flow[..., Any]", self), parameters, flow_run.get())
        if self.is_async:
            return self._run_async(context, return_state)
        with _Kept(context) as kept:
            state = kept.state = self.run(context, retries=self.retries)
        return state if return_state else state.result()

    async def _run_async(self, context: FlowRunContext, return_state: bool) -> Any:
        async with _Kept(context) as kept:
            context.name = self.run_name(context)
            with Entered(context):
                state = kept.state = await self._settle_async(context, self.retries)
            self.call_hooks(context, state)
        return state if return_state else state.result()

    def bind(self, *args: Any, **kwargs: Any) -> Dict[str, Any]:
        """The parameters of a call by name, defaults included, converted if the flow asks for it."""
        bound = inspect.signature(self.fn).bind(*args, **kwargs)
        bound.apply_defaults()
        parameters = dict(bound.arguments)
        if not parameters or not self.validate_parameters:
            return parameters
        from .parameters import values

        return values.convert_all(self.fn, parameters)

    def run(self, context: FlowRunContext, retries: int) -> states.State:
        """Runs it to its end within `context`; used by the engine and by calls. A cancel passes through."""
        loggers.ensure_destination()
        if self.log_prints:
            loggers.log_prints()
        context.name = self.run_name(context)
        with Entered(context):
            try:
                state = self._settle(context, retries)
            except CancelledRun as cancelled:
                self.call_hooks(context, states.State("CANCELLED", str(cancelled)))
                raise
            self.call_hooks(context, state)
        return state

    def _settle(self, context: FlowRunContext, retries: int) -> states.State:
        if self.is_async:
            import asyncio

            return asyncio.run(self._settle_async(context, retries))
        what = f"flow {self.name}"
        once = lambda: calls.call(lambda: self._invoke(context), self.timeout_seconds, what)  # noqa: E731
        try:
            return states.completed(calls.with_retries(once, retries, self.retry_delays, self._again(context)))
        except Exception as error:
            return states.failed(error)

    async def _settle_async(self, context: FlowRunContext, retries: int) -> states.State:
        loggers.ensure_destination()
        if self.log_prints:
            loggers.log_prints()
        once = lambda: calls.call_async(  # noqa: E731
            lambda: self._invoke(context), self.timeout_seconds, f"flow {self.name}"
        )
        try:
            value = await calls.with_retries_async(once, retries, self.retry_delays, self._again(context))
            return states.completed(value)
        except Exception as error:
            return states.failed(error)

    def _invoke(self, context: FlowRunContext) -> Any:
        signature = inspect.signature(self.fn)
        bound = signature.bind_partial()
        bound.arguments.update(context.parameters)
        return self.fn(*bound.args, **bound.kwargs)

    def _again(self, context: FlowRunContext) -> calls.Again:
        def tell(retry: int, error: BaseException, pause: float) -> None:
            context.attempt = retry + 1
            loggers.run_logger().warning(
                "%s; tried again in %g s (%d of %d)", states.describe(error), pause, retry, self.retries
            )

        return tell

    def run_name(self, context: FlowRunContext) -> str:
        """By `flow_run_name`; without one as it is called already."""
        if not self.flow_run_name:
            return context.name
        try:
            return self.flow_run_name.format(**context.parameters)
        except (KeyError, IndexError, ValueError) as error:
            raise ForebayError(
                f"flow_run_name {self.flow_run_name!r} of flow {self.name} does not fit its parameters: {error!r}",
                "INVALID_NAME",
            ) from None

    def call_hooks(self, context: FlowRunContext, state: states.State) -> None:
        for hook in self.hooks.get(state.type, []):
            try:
                hook(cast("Flow[..., Any]", self), context, state)
            except Exception as error:
                loggers.run_logger().error("hook %s: %s", getattr(hook, "__name__", hook), states.describe(error))

    def with_options(self, **options: Any) -> "Flow[P, R]":
        """A copy with other options of `@flow`."""
        known: Dict[str, Any] = {
            "name": self.name,
            "description": self.description,
            "version": self.version,
            "flow_run_name": self.flow_run_name,
            "retries": self.retries,
            "retry_delay_seconds": self.retry_delays,
            "timeout_seconds": self.timeout_seconds,
            "log_prints": self.log_prints,
            "validate_parameters": self.validate_parameters,
            "on_completion": self.hooks["COMPLETED"],
            "on_failure": self.hooks["FAILED"],
            "on_cancellation": self.hooks["CANCELLED"],
            "on_crashed": self.hooks["CRASHED"],
        }
        copy = Flow[P, R](self.fn, **{**known, **options})
        copy.pull_steps, copy._entrypoint = self.pull_steps, self._entrypoint
        return copy

    def entrypoint(self) -> str:
        """`file.py:function`, the file relative to the current directory. NOT_A_FLOW for lambdas and nested functions."""
        if self._entrypoint is not None:
            return self._entrypoint
        qualified = getattr(self.fn, "__qualname__", "")
        if "<" in qualified or not qualified:
            raise ForebayError(
                f"flow {self.name} is a lambda or stands inside another function; a worker can only import flows that stand at "
                "the top of a file",
                "NOT_A_FLOW",
            )
        path = inspect.getsourcefile(self.fn) or getattr(sys.modules.get(self.fn.__module__), "__file__", None)
        if not path:
            raise ForebayError(f"flow {self.name} stands in no file", "NOT_A_FLOW")
        return f"{os.path.relpath(path)}:{qualified}"

    def set_origin(self, entrypoint: str, pull_steps: List[Dict[str, Any]]) -> None:
        self._entrypoint, self.pull_steps = entrypoint, pull_steps

    @staticmethod
    def from_source(source: str, entrypoint: str, **options: Any) -> "Flow[..., Any]":
        """The flow `file.py:function` of a git repository or a directory; options as of forebay.sources.from_source."""
        from .sources import from_source

        return cast("Flow[..., Any]", from_source(source, entrypoint, **options))

    def parameter_schema(self) -> Dict[str, Any]:
        """The JSON Schema of its parameters, from the signature and the docstring."""
        from .parameters import schema

        return schema.of(self.fn)

    def to_deployment(self, name: str, **options: Any) -> "Deployment":
        """A deployment of it, not yet known to the server; options as of forebay.deployments.Deployment."""
        from .deployments import Deployment

        return Deployment(cast("Flow[..., Any]", self), name, **options)

    def serve(self, name: str, *, limit: Optional[int] = None, pause_on_shutdown: bool = True, **options: Any) -> None:
        """Makes a deployment of it and runs its runs here, until Ctrl-C; see forebay.serve."""
        from .serving.serve import serve

        serve(self.to_deployment(name, **options), limit=limit, pause_on_shutdown=pause_on_shutdown)

    def deploy(
        self,
        name: str,
        work_pool_name: str,
        *,
        image: "Union[DockerImage, str, None]" = None,
        build: bool = True,
        push: bool = True,
        client: "Optional[Client]" = None,
        **options: Any,
    ) -> str:
        """Builds and pushes the image, if there is one, makes the flow runnable from afar and prints how; `flow/name`.
        See forebay.deploy; other options as of forebay.deployments.Deployment."""
        from .deployments import deploy

        made = self.to_deployment(name, **options)
        return deploy(made, work_pool_name=work_pool_name, image=image, build=build, push=push, client=client)[0]


class _Kept:
    """A run that was started here, kept by the server for the time of a `with` where there is one to keep it."""

    def __init__(self, context: FlowRunContext) -> None:
        self._context = context
        self.state: Optional[states.State] = None

    def __enter__(self) -> "_Kept":
        from . import recording

        self._recording = recording.begin(self._context)
        return self

    def __exit__(self, _: Any, error: Optional[BaseException], __: Any) -> None:
        if self._recording is None:
            return
        if self.state is not None:
            self._recording.end(self.state)
        elif error is not None:
            self._recording.end_with(error)

    async def __aenter__(self) -> "_Kept":
        """The same while the loop goes on; a cancel is one of the flow's task."""
        import asyncio

        from . import recording

        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def interrupt() -> None:
            if task is not None:
                loop.call_soon_threadsafe(task.cancel)

        self._recording = await loop.run_in_executor(None, recording.begin, self._context, interrupt)
        return self

    async def __aexit__(self, kind: Any, error: Optional[BaseException], trace: Any) -> None:
        import asyncio

        await asyncio.get_running_loop().run_in_executor(None, self.__exit__, kind, error, trace)


def _flow_name(name: str) -> str:
    return name.replace("_", "-").lower()


@overload
def flow(__fn: Callable[P, R]) -> Flow[P, R]: ...
@overload
def flow(**options: Any) -> Callable[[Callable[P, R]], Flow[P, R]]: ...
def flow(
    __fn: Optional[Callable[P, R]] = None, **options: Any
) -> Union[Flow[P, R], Callable[[Callable[P, R]], Flow[P, R]]]:
    """Makes a flow of a function: `@flow` or `@flow(name=…, retries=…, …)`; options as of Flow."""
    if __fn is not None:
        return Flow(__fn, **options)
    return lambda fn: Flow(fn, **options)
