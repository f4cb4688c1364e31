"""Random faults, by a seed, in an installation of two servers, three workers and their database."""

import dataclasses
import random
import signal
import threading
import time
import uuid
from collections.abc import Callable

from google.protobuf import field_mask_pb2

from . import protocol
from .api import Api, ApiError, Submitted
from .environment import Environment
from .gate import TcpGate
from .waiting import PATIENCE, wait_until

# What a caller may see of a fault; it tries again.
PASSING = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "RESOURCE_EXHAUSTED", "ABORTED", "UNKNOWN"}
LIMITS = (2, 4, 8)
# What each deployment does; of some there are more runs than of others.
WORK = {"quick": "quick", "slow": "sleep 1", "lines": "lines 20", "fails": "exit 3"}
SHARES = {"quick": 4, "slow": 2, "lines": 2, "fails": 1}


def passes(error: ApiError) -> bool:
    """INTERNAL without a reason is said by a connection that was cut, not by a server."""
    return error.code in PASSING or (error.code == "INTERNAL" and not error.reason)


class Installation:
    """Everything speaks to everything else through a gate."""

    def __init__(self, env: Environment):
        self.env = env
        self.database_gates = [env.gate_to_database()]
        self.servers = [env.server]
        self.database_gates.append(env.gate_to_database())
        self.servers.append(env.new_server())
        self.server_gates = [env.new_gate(server.address) for server in self.servers]
        self.apis = [env.new_api(gate.address) for gate in self.server_gates]
        env.api.create_pool(
            "alpha", limit=max(LIMITS), lease_ttl=3000, start_deadline=20000, crash_after=60000, cancel_grace=1000
        )
        for name, work in WORK.items():
            env.api.deploy(f"mix/{name}", "alpha", env.marks.command(*work.split()))
        addresses = ",".join(gate.address for gate in self.server_gates)
        self.workers = [env.new_worker("alpha", server=addresses, limit=4) for _ in range(3)]

    def say(self, call: Callable[[Api], object], dice: random.Random) -> bool:
        """Makes the call at one of the servers, once; whether it was answered."""
        try:
            call(dice.choice(self.apis))
        except ApiError as error:
            # A run that is to be cancelled may be over.
            assert passes(error) or error.reason == "RUN_FINISHED", error
            return False
        return True


class Client(threading.Thread):
    """Submits, at whichever server answers, and repeats what failed under the same key; some calls it makes twice."""

    def __init__(self, installation: Installation, seed: int):
        super().__init__(daemon=True)
        self.apis = [installation.env.new_api(api.address) for api in installation.apis]
        self.dice = random.Random(seed)
        self.keys: list[str] = []
        self.failure: Exception | None = None
        self._over = threading.Event()

    @property
    def accepted(self) -> list[Submitted]:
        return [submitted for api in self.apis for submitted in api.submitted]

    def finish(self):
        """Ends once its last call was answered."""
        self._over.set()
        self.join(2 * PATIENCE)
        assert self.failure is None, self.failure
        assert not self.is_alive()

    def run(self):
        try:
            while not self._over.wait(self.dice.uniform(0.0, 0.3)):
                (name,) = self.dice.choices(list(SHARES), weights=list(SHARES.values()))
                self._submit(f"mix/{name}", 2 if self.dice.random() < 0.2 else 1)
        except Exception as failure:  # noqa: BLE001 (told to the test)
            self.failure = failure

    def _submit(self, deployment: str, times: int):
        key = str(uuid.uuid4())
        self.keys.append(key)
        while times:
            try:
                self.dice.choice(self.apis).submit(deployment, idempotency_key=key, timeout=5)
                times -= 1
            except ApiError as error:
                assert passes(error), error
                time.sleep(0.05)


@dataclasses.dataclass
class Fault:
    what: str
    # What it needs for itself while it lasts.
    target: object
    begin: Callable[[], object]
    # None: it is over at once.
    end: Callable[[], object] | None = None


@dataclasses.dataclass(frozen=True)
class Planned:
    """One line of the list: when, for how long, what and with which dice."""

    at: float
    seconds: float
    kind: str
    seed: int


KINDS = {
    "kill worker": 2, "kill server": 2, "pause worker": 2, "pause server": 1, "break gate": 5, "restart database": 1,
    "pause pool": 1, "change limit": 2, "cancel runs": 4,
}  # fmt: skip


def plan(seed: int, seconds: float) -> list[Planned]:
    """The same list for the same seed."""
    dice = random.Random(seed)
    planned = []
    at = dice.uniform(0.5, 1.5)
    while at < seconds:
        (kind,) = dice.choices(list(KINDS), weights=list(KINDS.values()))
        planned.append(Planned(at, dice.uniform(0.1, 5.0), kind, dice.randrange(1 << 30)))
        at += dice.uniform(0.1, 1.5)
    return planned


class Mix:
    """Begins and ends the faults of a list. One whose target is broken already is left out."""

    def __init__(self, installation: Installation, clients: list[Client]):
        self._at = installation
        self._clients = clients
        self._active: list[tuple[float, Fault]] = []
        self._began = time.monotonic()
        self.count = 0

    def run(self, planned: list[Planned]):
        try:
            for entry in planned:
                while (now := time.monotonic() - self._began) < entry.at:
                    self._end_those_due(now)
                    self._keep_up()
                    time.sleep(0.05)
                self._begin(entry)
        finally:
            while self._active:
                self._end(self._active.pop(0)[1])

    def _begin(self, entry: Planned):
        fault = getattr(self, "_" + entry.kind.replace(" ", "_"))(random.Random(entry.seed))
        if any(active.target is fault.target for _, active in self._active):
            return
        self._note(fault.what)
        self.count += 1
        if fault.end is not None:
            self._active.append((entry.at + entry.seconds, fault))
        fault.begin()

    def _end_those_due(self, now: float):
        for due, fault in [entry for entry in self._active if entry[0] <= now]:
            self._active.remove((due, fault))
            self._end(fault)

    def _end(self, fault: Fault):
        self._note(f"{fault.what}: over")
        fault.end()

    def _note(self, what: str):
        print(f"{time.monotonic() - self._began:7.2f} s  {what}")

    def _keep_up(self):
        """As a service manager does: a server that finds no database when it starts ends, and is started again."""
        killed = [fault.target for _, fault in self._active]
        for server in self._at.servers:
            if server not in killed and not server.running:
                assert not server.ready_file.exists(), f"a server that served ended by itself:\n{server.tail()}"
                server.spawn()
        for worker in self._at.workers:
            assert worker in killed or worker.running, f"a worker ended by itself:\n{worker.tail()}"

    def _kill_worker(self, dice: random.Random) -> Fault:
        worker = dice.choice(self._at.workers)
        return Fault(f"kill -9 {worker.name}", worker, worker.kill, worker.spawn)

    def _kill_server(self, dice: random.Random) -> Fault:
        server = dice.choice(self._at.servers)

        def kill():
            server.kill()
            server.ready_file.unlink(missing_ok=True)

        return Fault(f"kill -9 {server.name}", server, kill, server.spawn)

    def _pause_worker(self, dice: random.Random) -> Fault:
        worker = dice.choice(self._at.workers)
        return Fault(f"SIGSTOP {worker.name}", worker, worker.pause, worker.resume)

    def _pause_server(self, dice: random.Random) -> Fault:
        server = dice.choice([server for server in self._at.servers if server.running] or self._at.servers)
        return Fault(f"SIGSTOP {server.name}", server, lambda: server.signal(signal.SIGSTOP), server.resume)

    def _break_gate(self, dice: random.Random) -> Fault:
        gates = {"server": self._at.server_gates, "database": self._at.database_gates}
        where, which = dice.choice(sorted(gates)), dice.randrange(2)
        gate = gates[where][which]
        ways = {"cut": gate.cut, "freeze": gate.freeze, "swallow": gate.swallow_replies, "delay": lambda: gate.delay(0.1)}
        how = dice.choice(sorted(ways))
        return Fault(f"{how} the way to {where} {which + 1}", gate, ways[how], lambda: _open(gate))

    def _restart_database(self, dice: random.Random) -> Fault:
        postgres = self._at.env.postgres
        how = dice.choice(["stop", "crash"])
        return Fault(f"{how} PostgreSQL", postgres, getattr(postgres, how), postgres.start)

    def _pause_pool(self, dice: random.Random) -> Fault:
        pause = lambda api: api.WorkPoolService.PauseWorkPool(name="alpha", timeout=2)  # noqa: E731
        resume = lambda api: api.WorkPoolService.ResumeWorkPool(name="alpha", timeout=2)  # noqa: E731
        return Fault("pause the pool", "pool", lambda: self._at.say(pause, dice), lambda: self._at.say(resume, dice))

    def _change_limit(self, dice: random.Random) -> Fault:
        limit = dice.choice(LIMITS)
        pool = protocol.message("WorkPool")(name="workPools/alpha", concurrency_limit=limit)
        mask = field_mask_pb2.FieldMask(paths=["concurrency_limit"])
        change = lambda api: api.WorkPoolService.UpdateWorkPool(work_pool=pool, update_mask=mask, timeout=2)  # noqa: E731
        return Fault(f"limit {limit}", "limit", lambda: self._at.say(change, dice))

    def _cancel_runs(self, dice: random.Random) -> Fault:
        accepted = dice.choice(dice.choice(self._clients).apis).submitted[-10:]
        chosen = [submitted.run_id for submitted in dice.sample(accepted, min(2, len(accepted)))]
        cancel = lambda name: lambda api: api.FlowRunService.CancelFlowRun(name=name, timeout=2)  # noqa: E731
        return Fault(
            f"cancel {chosen}", "cancel", lambda: [self._at.say(cancel(f"flowRuns/{run_id}"), dice) for run_id in chosen]
        )


def _open(gate: TcpGate):
    gate.delay(0)
    gate.open()


def settle(installation: Installation):
    """After the faults: every server serves, the pool gives out runs."""

    def settled():
        for server in installation.servers:
            if not server.running:
                server.spawn()
        try:
            for api in installation.apis:
                api.ServerService.GetServerStatus(timeout=5)
                api.WorkPoolService.ResumeWorkPool(name="alpha", timeout=5)
        except ApiError as error:
            assert passes(error), error
            return False
        return True

    wait_until(settled, what="everything is up")
