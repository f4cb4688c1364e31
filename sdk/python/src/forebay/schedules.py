"""When a deployment runs by itself: `Cron("0 1 * * *", timezone="Europe/Berlin")`, `Interval(90)`, `RRule("FREQ=DAILY")`."""

from __future__ import annotations

import datetime
import json
from typing import Any, Dict, Mapping, Optional, Union


class Schedule:
    """One rule; made by the classes below.

    timezone: IANA name, default UTC. slug: its name in the deployment, default made from the rule. paused: makes no
    runs until it is resumed. parameters, job_variables: laid over the deployment's, key by key.
    """

    def __init__(
        self,
        rule: Dict[str, Any],
        timezone: str = "",
        slug: str = "",
        paused: bool = False,
        parameters: Optional[Mapping[str, Any]] = None,
        job_variables: Optional[Mapping[str, Any]] = None,
    ) -> None:
        self._rule = rule
        self.timezone = timezone
        self.slug = slug
        self.paused = paused
        self.parameters = dict(parameters or {})
        self.job_variables = dict(job_variables or {})

    def to_message(self) -> Dict[str, Any]:
        """As forebay.v1.Schedule."""
        message: Dict[str, Any] = {**self._rule, "timeZone": self.timezone, "slug": self.slug, "paused": self.paused}
        if self.parameters:
            from .parameters.schema import to_json

            message["parameters"] = json.dumps(to_json(self.parameters, "parameters"))
        if self.job_variables:
            message["jobVariables"] = json.dumps(self.job_variables)
        return message


class Cron(Schedule):
    """Five fields, or `@daily` and its like. `day_or=False`: both a restricted day of month and day of week must match."""

    def __init__(self, cron: str, timezone: str = "", day_or: bool = True, **options: Any) -> None:
        rule: Dict[str, Any] = {"expression": cron}
        if not day_or:
            rule["dayAnd"] = True
        super().__init__({"cron": rule}, timezone, **options)


class Interval(Schedule):
    """Every so often: seconds or a timedelta. `anchor`: one of its times; default now."""

    def __init__(
        self,
        interval: Union[float, datetime.timedelta],
        anchor: Optional[datetime.datetime] = None,
        timezone: str = "",
        **options: Any,
    ) -> None:
        seconds = interval.total_seconds() if isinstance(interval, datetime.timedelta) else float(interval)
        rule: Dict[str, Any] = {"every": f"{seconds:.3f}s"}
        if anchor is not None:
            rule["anchor"] = _instant(anchor)
        super().__init__({"interval": rule}, timezone, **options)


class RRule(Schedule):
    """RFC 5545: `FREQ=…` alone, or lines RRULE, RDATE, EXDATE, DTSTART."""

    def __init__(
        self, rrule: str, anchor: Optional[datetime.datetime] = None, timezone: str = "", **options: Any
    ) -> None:
        rule: Dict[str, Any] = {"text": rrule}
        if anchor is not None:
            rule["anchor"] = _instant(anchor)
        super().__init__({"recurrence": rule}, timezone, **options)


def _instant(moment: datetime.datetime) -> str:
    """A moment without a zone counts as local time."""
    return moment.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
