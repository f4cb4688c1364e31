"""Forebay: flows for work pools. `from forebay import flow, task, get_run_logger`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import runtime as runtime
    from .client import AsyncClient as AsyncClient, Client as Client
    from .deployments import Deployment as Deployment, deploy as deploy, run_deployment as run_deployment
    from .errors import CancelledRun as CancelledRun, ForebayError as ForebayError, ParameterError as ParameterError
    from .flows import Flow as Flow, flow as flow
    from .images import DockerImage as DockerImage
    from .loggers import get_run_logger as get_run_logger
    from .serving.serve import serve as serve
    from .schedules import Cron as Cron, Interval as Interval, RRule as RRule
    from .states import State as State
    from .tasks import Task as Task, task as task, unmapped as unmapped, wait as wait

__version__ = "0.1.0"

# Loaded when first asked for: a program that only runs flows waits for nothing else.
_WHERE = {
    "AsyncClient": "client",
    "Client": "client",
    "Deployment": "deployments",
    "DockerImage": "images",
    "deploy": "deployments",
    "run_deployment": "deployments",
    "CancelledRun": "errors",
    "ForebayError": "errors",
    "ParameterError": "errors",
    "Flow": "flows",
    "flow": "flows",
    "get_run_logger": "loggers",
    "Cron": "schedules",
    "Interval": "schedules",
    "RRule": "schedules",
    "serve": "serving.serve",
    "State": "states",
    "Task": "tasks",
    "task": "tasks",
    "unmapped": "tasks",
    "wait": "tasks",
}
__all__ = sorted([*_WHERE, "runtime"])


def __getattr__(name: str) -> Any:
    if name == "runtime":
        return importlib.import_module(".runtime", __name__)
    if name not in _WHERE:
        raise AttributeError(f"forebay has no {name!r}; it has {', '.join(__all__)}")
    value = getattr(importlib.import_module("." + _WHERE[name], __name__), name)
    globals()[name] = value
    return value
