"""What a flow may know of its own run: `from forebay import runtime; runtime.flow_run.id`.

`flow_run`: id, name, attempt, parameters, tags, scheduled_start_time, flow_name, parent_flow_run_id.
`deployment`: name (`flow/deployment`), version, parameters. Outside a run every value is None, an empty list or dict.
"""

from __future__ import annotations

from typing import Any, Callable, Dict

from .run_context import FlowRunContext, flow_run as _current


class _Facts:
    def __init__(self, facts: Dict[str, "tuple[Callable[[FlowRunContext], Any], Any]"]) -> None:
        self._facts = facts

    def __getattr__(self, name: str) -> Any:
        if name not in self._facts:
            raise AttributeError(f"runtime has {', '.join(sorted(self._facts))}, but no {name}")
        read, outside = self._facts[name]
        context = _current.get()
        return outside if context is None else read(context)

    def __dir__(self) -> "list[str]":
        return sorted(self._facts)


flow_run = _Facts(
    {
        "id": (lambda run: run.id, None),
        "name": (lambda run: run.name, None),
        "attempt": (lambda run: run.attempt, None),
        "parameters": (lambda run: dict(run.parameters), {}),
        "tags": (lambda run: list(run.tags), []),
        "scheduled_start_time": (lambda run: run.scheduled_start_time, None),
        "flow_name": (lambda run: run.flow.name, None),
        "parent_flow_run_id": (lambda run: run.parent.id if run.parent else None, None),
    }
)
deployment = _Facts(
    {
        "name": (lambda run: run.deployment or None, None),
        "version": (lambda run: run.deployment_version or None, None),
        "parameters": (lambda run: dict(run.parameters), {}),
    }
)
