"""The start gate: a single-use ticket for the right to run, once. Source: proto/forebay/v1/run_protocol.proto."""

from __future__ import annotations

import os
from typing import Any, Dict, NamedTuple

from ..errors import ForebayError
from ..transport import Transport

# The exit code that says: the gate was not ours.
EXIT_GATE_LOST = 75
# How long a server that is away is waited for: as long as a worker may take to start a run.
_PATIENCE = 25.0


class Passed(NamedTuple):
    run_id: str
    transport: Transport
    context: Dict[str, Any]


class GateLost(Exception):
    """Another attempt, a stop or a lost answer: exit 75 before any user code."""


def enter(environment: "os._Environ[str]" = os.environ) -> Passed:
    """Exchanges the ticket. It is taken out of the environment first, so that user code never sees it."""
    run_id, ticket = environment.get("FOREBAY_RUN_ID", ""), environment.pop("FOREBAY_LAUNCH_TICKET", "")
    urls = [url for url in environment.get("FOREBAY_API_URL", "").split(",") if url]
    if not (run_id and ticket and urls):
        raise ForebayError(
            "this is started by a worker, with FOREBAY_RUN_ID, FOREBAY_LAUNCH_TICKET and FOREBAY_API_URL; to run a flow by hand, call it",
            "NOT_LAUNCHED",
        )
    authority = environment.get("FOREBAY_CA_PEM", "")
    try:
        # Repeating is safe: if the answer was lost, the repeat is told TICKET_USED, and nothing has begun.
        context = Transport(urls, ticket, authority=authority).call(
            "RunService.StartAttempt", {"runId": run_id}, repeat=True, patience=_PATIENCE
        )
    except ForebayError as error:
        if error.code in ("failed_precondition", "unauthenticated"):
            raise GateLost(f"{error.reason}: {error.message}") from None
        raise
    return Passed(run_id, Transport(urls, context.pop("runToken"), authority=authority, patience=600.0), context)
