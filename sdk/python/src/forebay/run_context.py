"""What the code that runs now belongs to: the flow run, and the task run inside it."""

from __future__ import annotations

import contextvars
import os
from typing import TYPE_CHECKING, Any, Dict, List, Optional

if TYPE_CHECKING:
    from .flows import Flow


def _random_uuid() -> str:
    """Version 4 of RFC 9562. The module uuid costs a program more than the rest of this one."""
    octets = bytearray(os.urandom(16))
    octets[6], octets[8] = octets[6] & 0x0F | 0x40, octets[8] & 0x3F | 0x80
    text = octets.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


class FlowRunContext:
    """One run of a flow. `attempt` counts from 1; the last fields are empty for runs that no server knows."""

    def __init__(
        self, flow: "Flow[..., Any]", parameters: Dict[str, Any], parent: "Optional[FlowRunContext]" = None
    ) -> None:
        self.flow = flow
        self.parameters = parameters
        self.parent = parent
        self.id = _random_uuid()
        self.name: str = flow.name
        self.attempt: int = 1
        self.tags: List[str] = []
        self.scheduled_start_time: Optional[str] = None
        self.deployment: str = ""
        self.deployment_version: str = ""


flow_run: "contextvars.ContextVar[Optional[FlowRunContext]]" = contextvars.ContextVar("forebay_flow_run", default=None)
task_name: "contextvars.ContextVar[str]" = contextvars.ContextVar("forebay_task", default="")


class Entered:
    """The context for the time of a `with`."""

    def __init__(self, context: FlowRunContext) -> None:
        self._context = context

    def __enter__(self) -> FlowRunContext:
        self._token = flow_run.set(self._context)
        return self._context

    def __exit__(self, *_: Any) -> None:
        flow_run.reset(self._token)
