"""`python -m forebay flow serve`: `flow.serve()` of a file that does not call it; started by `forebay flow serve`."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from typing import Any, Dict, List

from ..engine import entrypoint as entrypoints
from ..errors import ForebayError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def main(words: List[str]) -> int:
    given = _arguments(words)
    try:
        _serve(given)
        return 0
    except (ForebayError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _serve(given: argparse.Namespace) -> None:
    os.environ["FOREBAY_RECORD"] = "off"
    flow = entrypoints.load(given.entrypoint)
    flow.set_origin(given.entrypoint, [])
    flow.serve(
        given.name,
        limit=given.limit,
        pause_on_shutdown=not given.keep_schedules,
        cron=given.cron,
        interval=None if given.interval is None else _seconds(given.interval),
        rrule=given.rrule,
        timezone=given.timezone,
        paused=given.paused,
        parameters=_parameters(given.param),
        tags=given.tag,
        description=given.description,
        version=given.version,
    )


def _arguments(words: List[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="forebay flow serve")
    parser.add_argument("entrypoint")
    parser.add_argument("--name", default="default")
    parser.add_argument("--cron")
    parser.add_argument("--interval")
    parser.add_argument("--rrule")
    parser.add_argument("--timezone", default="")
    parser.add_argument("--description")
    parser.add_argument("--version")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--tag", action="append", default=[])
    parser.add_argument("--param", action="append", default=[])
    parser.add_argument("--paused", action="store_true")
    parser.add_argument("--keep-schedules", action="store_true")
    return parser.parse_args(words)


def _parameters(assignments: List[str]) -> Dict[str, Any]:
    """`key=value`, the value as JSON if it is JSON, else as text."""
    found: Dict[str, Any] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not key or not equals:
            raise ForebayError(f"--param '{assignment}' is not key=value", "USAGE")
        try:
            found[key] = json.loads(text)
        except ValueError:
            found[key] = text
    return found


def _seconds(text: str) -> float:
    """`90`, `90s`, `1h30m`."""
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)([smhd])", text)
    if "".join(number + unit for number, unit in parts) == text and parts:
        return sum(float(number) * _UNITS[unit] for number, unit in parts)
    try:
        return float(text)
    except ValueError:
        raise ForebayError(f"--interval '{text}' is no duration like 90s or 1h30m", "USAGE") from None
