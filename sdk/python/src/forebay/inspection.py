"""What a deployment of a flow needs to know of it, as JSON on standard output; errors too, as {"error": …}."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any, Dict

from .engine import entrypoint as entrypoints
from .errors import ForebayError


def describe(entrypoint: str) -> Dict[str, Any]:
    # A script that calls its flows while it is imported runs nothing that is worth keeping.
    os.environ["FOREBAY_RECORD"] = "off"
    # What the file prints while it is imported is not the answer.
    with contextlib.redirect_stdout(sys.stderr):
        flow = entrypoints.load(entrypoint)
        flow.set_origin(entrypoint, [])
        return {
            "name": flow.name,
            "entrypoint": entrypoint,
            "interpreter": sys.executable,
            "description": flow.description,
            "version": flow.version,
            "parameter_schema": flow.parameter_schema(),
            "retries": flow.retries,
            "retry_delays": flow.retry_delays,
            "timeout_seconds": flow.timeout_seconds,
        }


def main(entrypoint: str) -> int:
    try:
        print(json.dumps(describe(entrypoint)))
        return 0
    except ForebayError as error:
        print(json.dumps({"error": {"reason": error.reason, "message": error.message}}))
        return 1
