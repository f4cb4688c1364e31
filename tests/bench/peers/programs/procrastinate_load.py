"""The work of the benchmark on Procrastinate: its worker in this process, whoever defers jobs in another. Prints one JSON
object; library_peers.py calls it, with the interpreter that has the package, and checks the database afterwards."""

import argparse
import asyncio
import json
import sys
import time

import procrastinate

# Together with the number some 200 bytes of JSON.
PADDING = "x" * 170
app = procrastinate.App(connector=procrastinate.PsycopgConnector())
# Number of a job to when its handler first began, by the clock of the machine, and how often it did.
started: dict[int, float] = {}
times: dict[int, int] = {}


@app.task(name="no_op", pass_context=False)
async def no_op(number: int, padding: str):
    times[number] = times.get(number, 0) + 1
    started.setdefault(number, time.time())


async def submit(plan, defer) -> dict[str, list[float]]:
    """When the call of each job began and when it was answered."""
    sent, acknowledged = [0.0] * plan.jobs, [0.0] * plan.jobs
    numbers = iter(range(0, plan.jobs, plan.batch))

    async def batches():
        for first in numbers:
            count = min(plan.batch, plan.jobs - first)
            sent[first : first + count] = [time.time()] * count
            await defer([{"number": first + i, "padding": PADDING} for i in range(count)])
            acknowledged[first : first + count] = [time.time()] * count

    async def slowly():
        began = time.time()
        for number in range(plan.jobs):
            await asyncio.sleep(max(0.0, began + number / plan.rate - time.time()))
            sent[number] = time.time()
            await no_op.defer_async(number=number, padding=PADDING)
            acknowledged[number] = time.time()

    await asyncio.gather(*([slowly()] if plan.rate else [batches() for _ in range(plan.submitters)]))
    return {"sent": sent, "acknowledged": acknowledged}


async def submit_alone(plan) -> dict[str, list[float]]:
    async with app.open_async():
        return await submit(plan, lambda jobs: no_op.batch_defer_async(*jobs))


async def submitter_process() -> dict[str, list[float]]:
    """A Python process has one core's worth of Python: who defers jobs usually is another one than who works."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, *sys.argv[1:], "--submit-only", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"the submitter ended with {process.returncode}")
    return json.loads(out)


async def await_end(plan):
    """Until every handler has run and PostgreSQL has every job as done."""
    open_jobs = "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing')) AS open"
    while len(started) < plan.jobs or (await app.connector.execute_query_one_async(open_jobs))["open"]:
        await asyncio.sleep(0.005)


async def run(plan) -> dict:
    async with app.open_async():
        if not (await app.connector.execute_query_one_async("SELECT to_regclass('procrastinate_jobs') AS made"))["made"]:
            await app.schema_manager.apply_schema_async()
        worker = asyncio.create_task(app.run_worker_async(concurrency=plan.concurrency, install_signal_handlers=False))
        began = time.time()
        calls, _ = await asyncio.wait_for(asyncio.gather(submitter_process(), await_end(plan)), plan.patience)
        seconds = time.time() - began
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
    return {
        "accepted": sum(at > 0 for at in calls["acknowledged"]),
        "completed": len(started),
        "doubled": sum(count > 1 for count in times.values()),
        "seconds": seconds,
        **percentiles("pickup", calls["acknowledged"]),
        **percentiles("from_call", calls["sent"]),
    }


def percentiles(name: str, since: list[float]) -> dict[str, float]:
    """Milliseconds until the handler began. It may begin before the answer."""
    waits = sorted(max(0.0, 1000 * (started[number] - at)) for number, at in enumerate(since))
    return {f"{name}_p{share}_ms": waits[int(share / 100 * (len(waits) - 1) + 0.5)] for share in (50, 99)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--rate", type=int, default=0, help="jobs a second, one by one; 0: as fast as it goes, in batches")
    parser.add_argument("--submitters", type=int, default=4)
    parser.add_argument("--concurrency", type=int, default=30)
    parser.add_argument("--patience", type=float, default=60)
    parser.add_argument("--submit-only", action="store_true")
    plan = parser.parse_args()
    connector = procrastinate.PsycopgConnector(conninfo=plan.database_url, min_size=4, max_size=plan.concurrency + 4)
    with app.replace_connector(connector):
        print(json.dumps(asyncio.run(submit_alone(plan) if plan.submit_only else run(plan))))


if __name__ == "__main__":
    main()
