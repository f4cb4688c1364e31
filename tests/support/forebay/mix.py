"""Two servers, three workers, their database and clients, for random faults in and between them (mix_faults)."""

import random
import threading
import time
import uuid
from collections.abc import Callable

from .api import Api, ApiError, Submitted
from .environment import Environment
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
