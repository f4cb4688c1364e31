"""The work of the benchmark on a Prefect server: flow runs of one deployment created by its client, found in their work pool
and moved through Pending, Running and Completed as its worker and engine do, without starting a process for each. Prints one
JSON object; server_peers.py calls it, with the interpreter that has the package and PREFECT_API_URL set, and checks the
database afterwards."""

import argparse
import asyncio
import datetime
import json
import time

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.settings import PREFECT_WORKER_PREFETCH_SECONDS, PREFECT_WORKER_QUERY_SECONDS
from prefect.states import Completed, Pending, Running
from prefect.types._datetime import now
from prefect.utilities.engine import propose_state

# Together with its name some 200 bytes of JSON.
PARAMETERS = {"padding": "x" * 185}


class Load:
    def __init__(self, plan, client):
        self.plan = plan
        self.client = client
        # Id of a run to when that happened, by the clock of the machine.
        self.sent: dict[str, float] = {}
        self.acknowledged: dict[str, float] = {}
        self.started: dict[str, float] = {}
        self.doubled = 0
        self.completed = 0
        self.backlog: asyncio.Queue = asyncio.Queue()
        self.taken: set[str] = set()

    async def prepare(self):
        await self.client.create_work_pool(WorkPoolCreate(name=self.plan.pool, type="process"))
        flow = await self.client.create_flow_from_name("no-op")
        self.deployment = await self.client.create_deployment(flow, self.plan.pool, work_pool_name=self.plan.pool)

    async def create(self):
        sent = time.time()
        run = await self.client.create_flow_run_from_deployment(self.deployment, parameters=PARAMETERS)
        self.sent[str(run.id)], self.acknowledged[str(run.id)] = sent, time.time()

    async def submit(self):
        left = iter(range(self.plan.jobs))

        async def quickly():
            for _ in left:
                await self.create()

        await asyncio.gather(*(quickly() for _ in range(self.plan.submitters)))

    async def submit_slowly(self):
        began = time.time()
        for number in range(self.plan.jobs):
            await asyncio.sleep(max(0.0, began + number / self.plan.rate - time.time()))
            await self.create()

    async def poll(self):
        """As its worker looks for runs; at once again under load, with its own pause when that is what is measured."""
        while self.completed < self.plan.jobs:
            before = now("UTC") + datetime.timedelta(seconds=PREFECT_WORKER_PREFETCH_SECONDS.value())
            found = await self.client.get_scheduled_flow_runs_for_work_pool(self.plan.pool, scheduled_before=before)
            fresh = [response.flow_run for response in found if str(response.flow_run.id) not in self.taken]
            for run in fresh:
                self.taken.add(str(run.id))
                self.backlog.put_nowait(run)
            if self.plan.rate:
                await asyncio.sleep(PREFECT_WORKER_QUERY_SECONDS.value())
            elif not fresh or self.backlog.qsize() > self.plan.slots:
                await asyncio.sleep(0.1)

    async def work(self):
        while True:
            run = await self.backlog.get()
            run_id = str(run.id)
            pending = await propose_state(self.client, Pending(), flow_run_id=run.id)
            running = await propose_state(self.client, Running(), flow_run_id=run.id)
            assert pending.is_pending() and running.is_running(), f"{run_id}: {pending} {running}"
            self.doubled += run_id in self.started
            self.started[run_id] = time.time()
            await propose_state(self.client, Completed(), flow_run_id=run.id)
            self.completed += 1

    async def run(self) -> dict:
        await self.prepare()
        workers = asyncio.gather(*(self.work() for _ in range(self.plan.slots)))
        began = time.time()
        finished = asyncio.gather(self.submit_slowly() if self.plan.rate else self.submit(), self.poll())
        done, _ = await asyncio.wait({workers, finished}, timeout=self.plan.patience, return_when=asyncio.FIRST_COMPLETED)
        seconds = time.time() - began
        if not done:
            raise TimeoutError(f"{self.completed} of {self.plan.jobs} runs ended within {self.plan.patience} s")
        # The workers come to an end by an error alone.
        done.pop().result()
        workers.cancel()
        await asyncio.wait({workers})
        return self.summary(seconds)

    def summary(self, seconds: float) -> dict:
        return {
            "accepted": len(self.acknowledged),
            "completed": self.completed,
            "doubled": self.doubled,
            "seconds": seconds,
            **self.percentiles("pickup", self.acknowledged),
            **self.percentiles("from_call", self.sent),
        }

    def percentiles(self, name: str, since: dict[str, float]) -> dict[str, float]:
        """Milliseconds until the run began. It may begin before the answer."""
        waits = sorted(max(0.0, 1000 * (self.started[run] - at)) for run, at in since.items())
        return {f"{name}_p{share}_ms": waits[int(share / 100 * (len(waits) - 1) + 0.5)] for share in (50, 99)}


async def run(plan) -> dict:
    async with get_client() as client:
        return await Load(plan, client).run()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", required=True, help="name of the work pool that is made")
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--rate", type=float, default=0, help="runs a second; 0: as fast as it goes")
    parser.add_argument("--submitters", type=int, default=4)
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--patience", type=float, default=120)
    print(json.dumps(asyncio.run(run(parser.parse_args()))))


if __name__ == "__main__":
    main()
