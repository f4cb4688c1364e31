"""The server's API for Python programs."""

from __future__ import annotations

import asyncio
import functools
import json
import time
import uuid
from typing import Any, Callable, List, Mapping, Optional, Sequence, TypeVar

from . import settings as _settings
from .errors import ForebayError, TimedOut
from .transport import Message, Transport

TERMINAL = ("STATE_TYPE_COMPLETED", "STATE_TYPE_FAILED", "STATE_TYPE_CANCELLED", "STATE_TYPE_CRASHED")
_T = TypeVar("_T")


class Client:
    """Blocking calls. Thread-safe. Raises ForebayError."""

    def __init__(self, settings: Optional[_settings.Settings] = None) -> None:
        found = settings or _settings.load()
        if not found.urls:
            raise ForebayError(
                "no server is configured: set FOREBAY_SERVER, or make a context",
                "SERVER_UNKNOWN",
                metadata={"next": "forebay dev"},
            )
        self._transport = Transport(found.urls, found.api_key, found.ca_file, authority=found.authority)

    def call(self, method: str, message: Mapping[str, Any], *, repeat: bool = False, timeout: float = 30.0) -> Message:
        """Any method of the API: `call("WorkPoolService.GetWorkPool", {"name": "workPools/p"})`."""
        return self._transport.call(method, message, repeat=repeat, timeout=timeout)

    def server_version(self) -> str:
        return str(self.call("ServerService.GetVersion", {}, repeat=True).get("version", ""))

    def work_pool(self, name: str) -> Message:
        """WORK_POOL_NOT_FOUND, with the command that makes it."""
        answer = self.call("WorkPoolService.GetWorkPool", {"name": f"workPools/{name}"}, repeat=True)
        return dict(answer["workPool"])

    def apply_deployment(
        self,
        deployment: Mapping[str, Any],
        schedules: Sequence[Mapping[str, Any]] = (),
        replace_schedules: bool = False,
        validate_only: bool = False,
    ) -> Message:
        """Creates or replaces it with its schedules, in one transaction; `validate_only` only checks whether it could."""
        request = {
            "deployment": deployment,
            "schedules": list(schedules),
            "replaceSchedules": replace_schedules,
            "validateOnly": validate_only,
        }
        return self.call("DeploymentService.ApplyDeployment", request, repeat=True)

    def create_flow_run(
        self,
        deployment: str,
        parameters: Optional[Mapping[str, Any]] = None,
        job_variables: Optional[Mapping[str, Any]] = None,
        tags: Sequence[str] = (),
        idempotency_key: str = "",
    ) -> Message:
        """One run of `flow/deployment`; repeated calls of this one make one run."""
        request = {
            "deployment": deployment,
            "parameters": json.dumps(dict(parameters or {})),
            "jobVariables": json.dumps(dict(job_variables or {})),
            "tags": list(tags),
            "idempotencyKey": idempotency_key or str(uuid.uuid4()),
        }
        return dict(self.call("FlowRunService.CreateFlowRun", request, repeat=True)["flowRun"])

    def flow_run(self, run_id: str) -> Message:
        return dict(self.call("FlowRunService.GetFlowRun", {"name": f"flowRuns/{run_id}"}, repeat=True)["flowRun"])

    def cancel_flow_run(self, run_id: str) -> None:
        self.call("FlowRunService.CancelFlowRun", {"name": f"flowRuns/{run_id}"}, repeat=True)

    def wait_for_flow_run(self, run_id: str, timeout: Optional[float] = None) -> Message:
        """The run once it is over. TimedOut after `timeout` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        version: Any = 0
        while True:
            left = 30.0 if end is None else max(0.0, min(30.0, end - time.monotonic()))
            request = {"name": f"flowRuns/{run_id}", "knownVersion": version, "wait": f"{left:.3f}s"}
            answer = self.call("FlowRunService.WatchFlowRun", request, repeat=True, timeout=left + 20)
            run = dict(answer["flowRun"])
            version = run.get("version", 0)
            if run["state"]["type"] in TERMINAL:
                return run
            if end is not None and time.monotonic() >= end:
                raise TimedOut(f"flow run {run_id} is not over after {timeout} s", "WAIT_TIMED_OUT")

    def log_lines(self, run_id: str) -> List[str]:
        lines: List[str] = []
        while True:
            request = {"flowRun": f"flowRuns/{run_id}", "offset": len(lines)}
            answer = self.call("LogService.ListLogLines", request, repeat=True)
            fresh = [line["entry"].get("text", "") for line in answer.get("lines", [])]
            lines += fresh
            if not fresh:
                return lines


class AsyncClient:
    """The same methods as coroutines; each call runs in a thread."""

    def __init__(self, settings: Optional[_settings.Settings] = None) -> None:
        self._client = Client(settings)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        async def run(*args: Any, **kwargs: Any) -> Any:
            return await asyncio.get_running_loop().run_in_executor(None, functools.partial(method, *args, **kwargs))

        return run


def is_configured() -> bool:
    """Whether there is a server to talk to."""
    return bool(_settings.load().urls)
