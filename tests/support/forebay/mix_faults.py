"""What the mix does to an installation: a list of faults, made from a seed, and what plays it."""

import dataclasses
import random
import signal
import time
from collections.abc import Callable

from google.protobuf import field_mask_pb2

from . import protocol
from .gate import TcpGate
from .mix import LIMITS, Client, Installation


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
                self._wait_for(entry)
                self._begin(entry)
        finally:
            while self._active:
                self._end(self._active.pop(0)[1])

    def _wait_for(self, entry: Planned):
        """Ends those due however late it is: a call into a broken installation takes seconds, and no fault may last as
        long as all calls behind it, or a run is lost rightly."""
        while True:
            now = time.monotonic() - self._began
            self._end_those_due(now)
            self._keep_up()
            if now >= entry.at:
                return
            time.sleep(0.05)

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
