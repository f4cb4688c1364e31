"""What a second server on the same database brings."""

import json
import subprocess

from cells import SLOTS, WORKERS, Bench, Lost
from forebay.daemons import Server
from forebay.process import binary
from payload import PARAMETERS


class ReplicaCells:
    def __init__(self, bench: Bench):
        self._bench = bench

    def split(self, runs: int) -> dict[str, float]:
        """Batched lifecycles with workers and submissions split over two servers, beside the same all on one of them."""
        bench = self._bench
        bench.tidy()
        other = Server(bench.folder, bench.database_url, name="replica", arguments=("--log-level", "info")).start()
        try:
            one = self._rate(bench.server.address, runs)
            two = self._rate(other.address, runs)
        finally:
            other.terminate()
        return {"one_rate": one, "two_rate": two, "replicas_percent": 100 * two / one}

    def _rate(self, other: str, runs: int) -> float:
        bench = self._bench
        pool, key_file = bench.new_pool()
        done = subprocess.run(
            [binary("forebay-bench"), "--scene", "replicas", "--server", bench.server.address, "--other-server", other,
             "--key-file", bench.server.admin_key_file, "--worker-key-file", key_file, "--pool", pool,
             "--deployment", f"bench/{pool}", "--workers", str(WORKERS), "--slots", str(SLOTS), "--runs", str(runs),
             "--batch", "100", "--calls-in-flight", "16", "--parameters", PARAMETERS],
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        if done.returncode != 0:
            raise Lost(f"the load generator failed: {done.stderr}")
        told = json.loads(done.stdout)
        if [told[name] for name in ("accepted", "completed", "doubled", "refused", "faults")] != [runs, runs, 0, 0, 0]:
            raise Lost(f"{told}")
        stored = bench.checker.rows(
            """SELECT count(*), count(*) FILTER (WHERE f.state = 'COMPLETED' AND f.attempts = 1)
               FROM flow_runs f JOIN work_pools p ON p.id = f.pool_id WHERE p.name = %s""",
            pool,
        )[0]
        if stored != (runs, runs):
            raise Lost(f"{runs} runs were accepted; in the database: {stored}")
        return runs / told["seconds"]
