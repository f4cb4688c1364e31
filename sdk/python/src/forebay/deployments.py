"""Deployments: flows that can be run from afar, by name, by schedule, on the infrastructure of a work pool."""

from __future__ import annotations

import datetime
import json
import os
import sys
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, Union

from .client import Client
from .errors import ForebayError
from .images.docker_image import DockerImage
from .schedules import Cron, Interval, RRule, Schedule

if TYPE_CHECKING:
    from .flows import Flow

# What users of other systems know it as.
DeploymentImage = DockerImage

_ENGINE = ["-m", "forebay", "flow-run", "execute"]


class Deployment:
    """A flow and how it shall be run.

    cron, interval, rrule: one schedule in short; `schedules`: several. paused: they make no runs until resumed.
    parameters: defaults of its runs. job_variables: over the pool's defaults. tags, description, version: for people.
    concurrency_limit: runs at once. work_queue_name: default "default".
    """

    def __init__(
        self,
        flow: "Flow[..., Any]",
        name: str,
        *,
        cron: Optional[str] = None,
        interval: Union[float, datetime.timedelta, None] = None,
        rrule: Optional[str] = None,
        schedules: Sequence[Schedule] = (),
        timezone: str = "",
        paused: bool = False,
        parameters: Optional[Mapping[str, Any]] = None,
        job_variables: Optional[Mapping[str, Any]] = None,
        tags: Sequence[str] = (),
        description: Optional[str] = None,
        version: Optional[str] = None,
        concurrency_limit: Optional[int] = None,
        work_queue_name: str = "",
    ) -> None:
        if not name or "/" in name:
            raise ValueError(f"a deployment's name is {name!r}; it must not be empty nor hold a '/'")
        self.flow = flow
        self.name = name
        self.schedules = _schedules(cron, interval, rrule, schedules, timezone)
        for schedule in self.schedules:
            schedule.paused = schedule.paused or paused
        self.parameters = dict(parameters or {})
        self.job_variables = dict(job_variables or {})
        self.tags = list(tags)
        self.description = flow.description if description is None else description
        self.version = flow.version if version is None else version
        self.concurrency_limit = concurrency_limit
        self.work_queue_name = work_queue_name

    @property
    def full_name(self) -> str:
        return f"{self.flow.name}/{self.name}"

    def to_message(self, pool: Mapping[str, Any], image: Optional[DockerImage] = None) -> Dict[str, Any]:
        """As forebay.v1.Deployment, for that work pool; `image` is one that holds its code."""
        from .parameters.schema import to_json

        flow = self.flow
        entrypoint, pull_steps, in_image = flow.entrypoint(), flow.pull_steps, {}
        if image is not None:
            from .images import placement

            entrypoint, pull_steps = placement.in_image(flow, image)
            in_image = {"image": image.reference}
        message: Dict[str, Any] = {
            "name": self.full_name,
            "flow": flow.name,
            "workPool": pool["name"],
            "workQueue": self.work_queue_name,
            "entrypoint": entrypoint,
            "pullSteps": json.dumps(pull_steps),
            "parameterSchema": json.dumps(flow.parameter_schema()),
            "parameters": json.dumps(to_json(self.parameters, "parameters")),
            "jobVariables": json.dumps({**self._job_variables(pool), **in_image}),
            "description": self.description,
            "version": self.version,
            "tags": self.tags,
        }
        if pool.get("type") == "process" and not flow.pull_steps:
            # The same host, so the same interpreter with all that is installed in it.
            message["command"] = [sys.executable, *_ENGINE]
        if self.concurrency_limit is not None:
            message["concurrencyLimit"] = self.concurrency_limit
        if flow.timeout_seconds is not None:
            message["timeout"] = f"{max(1.0, flow.timeout_seconds):.3f}s"
        if flow.retries:
            message["retry"] = {"retries": flow.retries, "delays": [f"{delay:.3f}s" for delay in flow.retry_delays]}
        return message

    def _job_variables(self, pool: Mapping[str, Any]) -> Dict[str, Any]:
        """Process runs start in a fresh directory; who deploys from a directory means that one."""
        variables = dict(self.job_variables)
        if pool.get("type") != "process" or self.flow.pull_steps or "working_dir" in variables:
            return variables
        if "working_dir" in _variables(pool):
            variables["working_dir"] = os.getcwd()
        return variables


def _schedules(
    cron: Optional[str],
    interval: Union[float, datetime.timedelta, None],
    rrule: Optional[str],
    schedules: Sequence[Schedule],
    timezone: str,
) -> List[Schedule]:
    short: List[Schedule] = []
    if cron is not None:
        short.append(Cron(cron, timezone))
    if interval is not None:
        short.append(Interval(interval, timezone=timezone))
    if rrule is not None:
        short.append(RRule(rrule, timezone=timezone))
    if len(short) > 1 or (short and schedules):
        raise ValueError("give one of cron, interval, rrule and schedules")
    return short or list(schedules)


def deploy(
    *deployments: Deployment,
    work_pool_name: str,
    image: Union[DockerImage, str, None] = None,
    build: bool = True,
    push: bool = True,
    client: Optional[Client] = None,
    quiet: bool = False,
) -> List[str]:
    """Makes all of them runnable from afar, in the order given; prints a table and the next command unless `quiet`.

    image: what their runs start from. It is built of the current directory and pushed before anything is registered, unless
        `build` or `push` is False; a name in short, or a DockerImage.
    What is wrong with one is found before any is built or registered, as far as it can be known here.
    """
    client = client or Client()
    pool = client.work_pool(work_pool_name)
    made = _image(image, build)
    for deployment in deployments:
        _check_source(deployment, pool, made)
        if made is not None and build and not push:
            _keep_to_this_machine(deployment, pool)
    requests = [(deployment, deployment.to_message(pool, made)) for deployment in deployments]
    _refuse_twins(deployments)
    for deployment, message in requests:
        client.apply_deployment(message, _schedules_of(deployment), replace_schedules=True, validate_only=True)
    if made is not None and build:
        made.build()
        if push:
            made.push()
    rows = []
    for deployment, message in requests:
        answer = client.apply_deployment(message, _schedules_of(deployment), replace_schedules=True)
        rows.append((deployment.full_name, "created" if answer.get("created") else "updated"))
    if not quiet:
        _say(rows, pool)
    return [deployment.full_name for deployment in deployments]


def _schedules_of(deployment: Deployment) -> List[Dict[str, Any]]:
    return [schedule.to_message() for schedule in deployment.schedules]


def _refuse_twins(deployments: "tuple[Deployment, ...]") -> None:
    names = [deployment.full_name for deployment in deployments]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ForebayError(f"{twice} stands there twice; give one of them another name", "DUPLICATE_DEPLOYMENT")


def _image(image: Union[DockerImage, str, None], build: bool) -> Optional[DockerImage]:
    if image is None:
        return None
    made = DockerImage.of(image)
    if build:
        made.check()
    return made


def _check_source(deployment: Deployment, pool: Mapping[str, Any], image: Optional[DockerImage]) -> None:
    """Refuses what a run could not find its code by: IMAGE_NOT_DECLARED, SOURCE_MISSING."""
    pool_name = str(pool["name"]).rpartition("/")[2]
    variables = _variables(pool)
    if image is not None and "image" not in variables:
        raise ForebayError(
            f"pool {pool_name} is of type {pool.get('type')} and its job template declares no variable `image`; it has "
            f"{', '.join(sorted(variables)) or 'none'}",
            "IMAGE_NOT_DECLARED",
            metadata={"next": "forebay work-pool create --type docker my-docker-pool"},
        )
    bare = image is None and pool.get("type") != "process" and "image" not in deployment.job_variables
    if bare and not deployment.flow.pull_steps and ".py:" in deployment.flow.entrypoint():
        raise ForebayError(
            f"flow {deployment.flow.name} lies in a file of this machine, which the runs of pool {pool_name} do not see: give "
            'image="name:tag" to build it into one, or take it from a repository by from_source(…)',
            "SOURCE_MISSING",
            metadata={"next": "forebay deploy --help"},
        )


def _variables(pool: Mapping[str, Any]) -> Dict[str, Any]:
    template = json.loads(pool.get("baseJobTemplate") or "{}")
    return dict(template.get("variables", {}).get("properties", {}))


def _keep_to_this_machine(deployment: Deployment, pool: Mapping[str, Any]) -> None:
    """No registry has the image, so none shall be asked, as one would be for a tag like `latest`; unless somebody said so."""
    variable = _variables(pool).get("image_pull_policy", {"default": ""})
    if variable.get("default") is None and "image_pull_policy" not in deployment.job_variables:
        deployment.job_variables["image_pull_policy"] = "IfNotPresent"


def _say(rows: "List[tuple[str, str]]", pool: Mapping[str, Any]) -> None:
    width = max([len(name) for name, _ in rows] + [4])
    print(f"{'NAME':{width}}  STATUS")
    for name, status in rows:
        print(f"{name:{width}}  {status}")
    pool_name = str(pool["name"]).rpartition("/")[2]
    if not pool.get("onlineWorkers"):
        print(f"\nNo worker is online in pool {pool_name}. Start one:\n\n    forebay worker start --pool {pool_name}")
    print(f"\nRun it:\n\n    forebay deployment run '{rows[0][0]}' --watch")


def run_deployment(
    name: str,
    parameters: Optional[Mapping[str, Any]] = None,
    *,
    timeout: Optional[float] = None,
    job_variables: Optional[Mapping[str, Any]] = None,
    tags: Sequence[str] = (),
    idempotency_key: str = "",
    client: Optional[Client] = None,
) -> Dict[str, Any]:
    """Runs `flow/deployment` from afar and waits for its end, at most `timeout` seconds (0: not at all). The run as of
    forebay.v1.FlowRun."""
    from .parameters.schema import to_json

    if "/" not in name:
        raise ForebayError(
            f"deployment '{name}' is not flow/deployment", "INVALID_NAME", metadata={"next": "forebay deployment ls"}
        )
    client = client or Client()
    run = client.create_flow_run(
        name, to_json(dict(parameters or {}), "parameters"), job_variables, tags, idempotency_key
    )
    if timeout == 0:
        return run
    return client.wait_for_flow_run(str(run["name"]).rpartition("/")[2], timeout)
