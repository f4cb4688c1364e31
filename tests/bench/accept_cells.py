"""How fast runs are accepted while nobody takes them: what a backlog grows by."""

import json
import subprocess

from cells import Bench, Lost
from forebay.process import binary
from payload import PARAMETERS


class AcceptCells:
    def __init__(self, bench: Bench):
        self._bench = bench

    def accept(self, singles: int, batched: int) -> dict[str, float]:
        rates = {
            "single_rate": self._accept(singles, 1, 256),
            "batched_rate": self._accept(batched, 100, 16),
        }
        # What waits now would stand before the runs of the next cell.
        self._bench.checker.rows("TRUNCATE queued_runs, flow_runs; SELECT 1")
        return rates

    def _accept(self, runs: int, batch: int, calls: int) -> float:
        bench = self._bench
        pool, _ = bench.new_pool()
        done = subprocess.run(
            [binary("forebay-bench"), "--scene", "accept", "--server", bench.server.address, "--key-file",
             bench.server.admin_key_file, "--deployment", f"bench/{pool}", "--runs", str(runs), "--batch", str(batch),
             "--calls-in-flight", str(calls), "--parameters", PARAMETERS],
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        if done.returncode != 0:
            raise Lost(f"the load generator failed: {done.stderr}")
        told = json.loads(done.stdout)
        stored = bench.checker.rows(
            """SELECT count(*), count(w.run_id) FROM flow_runs f JOIN work_pools p ON p.id = f.pool_id
               LEFT JOIN queued_runs w ON w.run_id = f.id WHERE p.name = %s""",
            pool,
        )[0]
        if (told["accepted"], told["refused"], *stored) != (runs, 0, runs, runs):
            raise Lost(f"{told}; {runs} were submitted, in the database: {stored}")
        return runs / told["seconds"]
