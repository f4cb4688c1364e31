"""What a served process needs on the server: a pool of its own, a worker key for it, its deployments."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
from typing import Any, Dict, List, Sequence

from .. import settings
from ..client import Client
from ..deployments import Deployment
from ..errors import ForebayError


class Home:
    def __init__(self, client: Client, pool: str, deployments: Sequence[Deployment]) -> None:
        self.client = client
        self.pool = pool
        self._deployments = list(deployments)
        self._schedules: List[str] = []

    def prepare(self) -> None:
        """Makes the pool if it is not there, and the deployments with their schedules, which run from now on."""
        try:
            request = {
                "workPool": {"name": f"workPools/{self.pool}", "type": "process", "description": "made by serve()"}
            }
            self.client.call("WorkPoolService.CreateWorkPool", request)
        except ForebayError as error:
            if error.code != "already_exists":
                raise
        pool = self.client.work_pool(self.pool)
        for deployment in self._deployments:
            message = deployment.to_message(pool)
            schedules = [schedule.to_message() for schedule in deployment.schedules]
            answer = self.client.apply_deployment(message, schedules, replace_schedules=True)
            if not any(schedule.paused for schedule in deployment.schedules):
                self._schedules += [schedule["name"] for schedule in answer["deployment"].get("schedules", [])]
        self._set_schedules("Resume")

    def pause_schedules(self) -> int:
        self._set_schedules("Pause")
        return len(self._schedules)

    def cancel(self, run_ids: Sequence[str]) -> None:
        """So that their end counts as what was asked for and not as a crash. One that is over meanwhile stays so."""
        for run_id in run_ids:
            try:
                self.client.cancel_flow_run(run_id)
            except ForebayError as error:
                if error.code != "failed_precondition":
                    raise

    def _set_schedules(self, verb: str) -> None:
        for name in self._schedules:
            self.client.call(f"ScheduleService.{verb}Schedule", {"name": name}, repeat=True)

    def worker_key(self, fresh: bool = False) -> str:
        """Kept in the configuration's directory, readable by its owner only; `fresh` when the kept one is refused."""
        path = self._key_path()
        if not fresh:
            try:
                with open(path, encoding="utf-8") as file:
                    return file.read().strip()
            except OSError:
                pass
        request = {"workPool": f"workPools/{self.pool}", "description": f"serve() on {socket.gethostname()}"}
        key = str(self.client.call("TokenService.CreateWorkerKey", request)["secret"])
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(key + "\n")
        return key

    def _key_path(self) -> str:
        server = hashlib.sha256(",".join(settings.load().urls).encode()).hexdigest()[:16]
        return os.path.join(os.path.dirname(settings.config_file()), "serve", server, f"{self.pool}.key")


def pool_name(deployment: Deployment) -> str:
    """A resource name, so at most 63 of [a-z0-9-_]; of long names the end is a hash of the whole."""
    text = re.sub(r"[^a-z0-9_-]", "-", f"served-{deployment.flow.name}-{deployment.name}".lower())
    return text if len(text) <= 63 else f"{text[:54]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def environment_of(assignment: Dict[str, Any]) -> Dict[str, str]:
    """`env` of the job variables, the run's over the deployment's; null takes a name away."""
    found: Dict[str, Any] = {}
    for layer in ("deploymentJobVariables", "runJobVariables"):
        variables = json.loads(assignment.get(layer) or "{}")
        found.update(variables.get("env") or {})
        found.update({name[4:]: value for name, value in variables.items() if name.startswith("env.")})
    return {name: str(value) for name, value in found.items() if value is not None and not name.startswith("FOREBAY_")}
