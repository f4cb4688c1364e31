"""`serve(flow.to_deployment("a"), …)` and `flow.serve("a")`: from here to Ctrl-C."""

from __future__ import annotations

import signal
import sys
from typing import Any, Optional

from .. import settings
from ..client import Client
from ..deployments import Deployment
from ..errors import ForebayError
from ..transport import Transport
from .home import Home, pool_name
from .worker import Worker

_DEFAULT_LIMIT = 10
_MOST_AUTHORITY = 64 << 10


def serve(
    *deployments: Deployment,
    limit: Optional[int] = None,
    pause_on_shutdown: bool = True,
    print_starting_message: bool = True,
) -> None:
    """Makes the deployments, listens for their runs and runs each in a process of its own, at most `limit` at once
    (default 10), until Ctrl-C or SIGTERM: then their schedules are paused (unless `pause_on_shutdown=False`) and what runs is
    finished. A second Ctrl-C cancels what runs. Needs a key of role operator or higher."""
    if not deployments:
        raise ValueError("serve() wants one deployment at least: flow.to_deployment(name)")
    if limit is not None and limit < 1:
        raise ValueError(f"limit is {limit}; it must be 1 or more")
    found = settings.load()
    home = Home(Client(found), pool_name(deployments[0]), deployments)
    home.prepare()
    worker = _registered(home, found, limit or _DEFAULT_LIMIT)
    if print_starting_message:
        _say(deployments)
    _run(worker, home, pause_on_shutdown)


def _registered(home: Home, found: settings.Settings, limit: int) -> Worker:
    for fresh in (False, True):
        transport = Transport(found.urls, home.worker_key(fresh), found.ca_file, authority=found.authority)
        worker = Worker(transport, home.pool, ",".join(found.urls), limit, _authority(found))
        try:
            worker.register()
            return worker
        except ForebayError as error:
            if fresh or error.code not in ("unauthenticated", "permission_denied"):
                raise
    raise AssertionError("unreachable")


def _authority(found: settings.Settings) -> str:
    """For the runs, in their environment, which takes no more than that of one variable."""
    if not found.ca_file:
        return found.authority
    with open(found.ca_file, encoding="utf-8") as file:
        text = file.read()
    if len(text) > _MOST_AUTHORITY:
        raise ForebayError(
            f"tls_ca_file {found.ca_file} has {len(text)} bytes; runs take at most {_MOST_AUTHORITY}: name the authority of the "
            "server alone, not all that the system trusts",
            "TOO_LARGE",
        )
    return text


def _say(deployments: "tuple[Deployment, ...]") -> None:
    names = ", ".join(deployment.full_name for deployment in deployments)
    print(f"Serving {names}. Ctrl-C ends it.\n\nRun it from another terminal:\n", flush=True)
    for deployment in deployments:
        print(f"    forebay deployment run '{deployment.full_name}' --watch", flush=True)
    print(flush=True)


def _run(worker: Worker, home: Home, pause: bool) -> None:
    asked = 0

    def stop(*_: Any) -> None:
        nonlocal asked
        asked += 1
        worker.end()

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        worker.start()
        under_way = worker.wait_for_end()
        if pause and home.pause_schedules():
            say("\nPaused the schedules; serving again resumes them.")
        if under_way:
            say(f"Finishing {under_way} run{'' if under_way == 1 else 's'}; Ctrl-C again cancels.")
        if not worker.wait_for_runs(lambda: asked > 1):
            home.cancel(worker.run_ids())
            worker.stop_all()
            worker.wait_for_runs(lambda: False)
        worker.deregister()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
