"""The API as a program sees it: every method by its name, keyword arguments for the request's fields."""

import dataclasses
import functools

import grpc

from . import protocol
from .waiting import PATIENCE, wait_until

DETAILS = "grpc-status-details-bin"


class ApiError(Exception):
    """An answer that is not OK: canonical code, sentence, reason and metadata."""

    def __init__(self, error: grpc.RpcError):
        self.code = error.code().name
        self.text = error.details() or ""
        self.reason, self.metadata = _detail(error)
        super().__init__(f"{self.code} {self.reason}: {self.text} {self.metadata}")


def _detail(error) -> tuple[str, dict[str, str]]:
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS:
            status = protocol.message("RpcStatus").FromString(value)
            for packed in status.details:
                info = protocol.message("ErrorInfo").FromString(packed.value)
                return info.reason, dict(info.metadata)
    return "", {}


class _Service:
    def __init__(self, api: "Api", descriptor):
        self._api = api
        self._descriptor = descriptor

    def __getattr__(self, method: str):
        if method not in self._descriptor.methods_by_name:
            raise AttributeError(f"{self._descriptor.name} has no method {method}")
        return functools.partial(self._api.call, self._descriptor.methods_by_name[method])


@dataclasses.dataclass
class Submitted:
    """A submission that the server acknowledged."""

    run_id: str
    key: str


class Api:
    """One credential's view of one server. Thread-safe. `api.FlowRunService.GetFlowRun(name=…)`."""

    def __init__(self, address: str, token: str = ""):
        self.address = address
        self.token = token
        self.channel = grpc.insecure_channel(
            address,
            options=[
                ("grpc.use_local_subchannel_pool", 1),
                # By this name gRPC means how long one attempt to connect may take.
                ("grpc.min_reconnect_backoff_ms", 5000),
                ("grpc.initial_reconnect_backoff_ms", 50),
                ("grpc.max_reconnect_backoff_ms", 500),
                ("grpc.max_receive_message_length", -1),
            ],
        )
        self.submitted: list[Submitted] = []
        self._services = {service.name: _Service(self, service) for service in protocol.services()}

    def __getattr__(self, name: str):
        try:
            return self.__dict__["_services"][name]
        except KeyError:
            raise AttributeError(name) from None

    def close(self):
        self.channel.close()

    def with_token(self, token: str) -> "Api":
        return Api(self.address, token)

    def start(self, method, request, timeout: float = PATIENCE, token: str | None = None):
        """Starts the call and returns grpc's future."""
        token = self.token if token is None else token
        call = self.channel.unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=protocol.message_class(method.output_type).FromString,
        )
        metadata = [("authorization", f"Bearer {token}")] if token else []
        return call.future(request, timeout=timeout, metadata=metadata)

    def call(self, method, request=None, *, timeout: float = PATIENCE, **fields):
        if request is None:
            request = protocol.message_class(method.input_type)(**fields)
        try:
            return self.start(method, request, timeout).result()
        except grpc.RpcError as error:
            raise ApiError(error) from None

    def wait_until_served(self):
        """Until calls come through again: after a restart the channel has to notice first."""

        def served():
            try:
                return self.ServerService.GetVersion(timeout=2).version
            except ApiError as error:
                assert error.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED"), error

        wait_until(served, what="the server answers")

    # Words for what most tests do.

    def create_pool(self, name: str, type: str = "process", limit: int | None = None, **timeouts_ms):
        """`lease_ttl=2000` and the like set the pool's timeouts in milliseconds."""
        pool = protocol.message("WorkPool")(name=f"workPools/{name}", type=type)
        if limit is not None:
            pool.concurrency_limit = limit
        for field, milliseconds in timeouts_ms.items():
            getattr(pool.timeouts, field).FromMilliseconds(milliseconds)
        return self.WorkPoolService.CreateWorkPool(work_pool=pool).work_pool

    def deploy(self, name: str, pool: str, command, queue: str = "", **fields):
        """`name` is flow/deployment."""
        flow, deployment = name.split("/")
        return self.DeploymentService.ApplyDeployment(
            deployment=protocol.message("Deployment")(
                name=f"teams/default/flows/{flow}/deployments/{deployment}",
                work_pool=f"workPools/{pool}",
                work_queue=queue,
                command=command,
                **fields,
            )
        ).deployment

    def submit(self, deployment: str, **fields) -> str:
        """Accepts one run; its id."""
        answer = self.FlowRunService.CreateFlowRun(deployment=deployment, **fields)
        run_id = answer.flow_run.name.removeprefix("flowRuns/")
        self.submitted.append(Submitted(run_id, fields.get("idempotency_key", "")))
        return run_id

    def submit_many(self, deployment: str, count: int, **fields) -> list[str]:
        request = protocol.message("CreateFlowRunRequest")(deployment=deployment, **fields)
        run_ids = []
        while len(run_ids) < count:
            batch = min(1000, count - len(run_ids))
            answer = self.FlowRunService.BatchCreateFlowRuns(requests=[request] * batch)
            refused = [item for item in answer.items if item.error_code]
            assert not refused, refused[0]
            run_ids += [item.name.removeprefix("flowRuns/") for item in answer.items]
        self.submitted += [Submitted(run_id, "") for run_id in run_ids]
        return run_ids

    def run(self, run_id: str, full: bool = False):
        view = protocol.enum("RunView")["FULL" if full else "BASIC"]
        return self.FlowRunService.GetFlowRun(name=f"flowRuns/{run_id}", view=view).flow_run

    def state(self, run_id: str) -> str:
        return protocol.STATES[self.run(run_id).state.type]

    def cancel(self, run_id: str):
        return self.FlowRunService.CancelFlowRun(name=f"flowRuns/{run_id}").flow_run

    def wait_for_state(self, run_id: str, *states: str, deadline: float = PATIENCE):
        """The run, once it is in one of the states."""

        def reached():
            run = self.run(run_id)
            return run if protocol.STATES[run.state.type] in states else None

        return wait_until(reached, deadline, f"run {run_id} in {states}")

    def wait_for_end(self, run_id: str, deadline: float = PATIENCE):
        return self.wait_for_state(run_id, *protocol.TERMINAL, deadline=deadline)

    def log(self, run_id: str) -> list:
        """Every line of the run's log."""
        lines, offset = [], 0
        while True:
            page = self.LogService.ListLogLines(flow_run=f"flowRuns/{run_id}", offset=offset, max_lines=10000)
            lines += page.lines
            if page.next_offset == offset or not page.lines:
                return lines
            offset = page.next_offset

    def output(self, run_id: str) -> list[str]:
        """What user code wrote, line by line."""
        system = protocol.enum("LogStream")["SYSTEM"]
        return [line.entry.text for line in self.log(run_id) if line.entry.stream != system]
