"""What workers cost that wait for runs which never come."""

import contextlib
import json
import pathlib
import subprocess
import time

from cells import Bench, Lost
from forebay.api import Api
from forebay.daemons import Server, admin_api
from forebay.postgres import TestPostgres
from forebay.process import binary
from forebay.statements import statement_stats
from forebay.waiting import wait_until
from meters import cpu_seconds

POOLS = 20
# Statements by which a server finds out whether there is something to hand out.
LOOKS = ("probe_pools", "claim_state", "claim_candidates", "gated_candidates", "next_due", "cancel_collisions")
# A lease of ten minutes is renewed so seldom that parking itself is what is seen.
LONG_LEASE_MS = 600_000


class ParkedPool:
    """Workers of one process of the generator, each of them parked."""

    def __init__(self, folder: pathlib.Path, server: Server, api: Api, name: str, workers: int, connections: int):
        self._workers = workers
        key_file = folder / f"{name}.key"
        key_file.write_text(api.TokenService.CreateWorkerKey(work_pool=f"workPools/{name}").secret)
        self._process = subprocess.Popen(
            [binary("forebay-bench"), "--scene", "parked", "--server", server.address, "--worker-key-file", key_file,
             "--pool", name, "--workers", str(workers), "--connections", str(connections)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def await_parked(self):
        if self._process.stdout.readline() != "parked\n":
            raise Lost("the load generator failed")

    def end(self) -> int:
        """How often they have beaten."""
        rest, _ = self._process.communicate("", timeout=60)
        told = json.loads(rest)
        if (told["parked"], told["faults"]) != (self._workers, 0):
            raise Lost(f"{told}")
        return told["beats"]


class ParkedCells:
    def __init__(self, bench: Bench):
        self._folder = bench.folder

    def parked(self, workers: int, seconds: int) -> dict[str, float]:
        """Each on a connection of its own; on a hundred connections; and the first with leases as they usually are."""
        alone = self._measure(workers, workers, seconds, lease_ttl=LONG_LEASE_MS)
        shared = self._measure(workers, 100, seconds, lease_ttl=LONG_LEASE_MS)
        beating = self._measure(workers, workers, seconds)
        return {
            "rss_mb": alone["rss_mb"],
            "shared_rss_mb": shared["rss_mb"],
            "cpu_percent": alone["cpu_percent"],
            "beating_cpu_percent": beating["cpu_percent"],
            "looks": alone["looks"],
        }

    def _measure(self, workers: int, connections: int, seconds: int, **timeouts_ms: int) -> dict[str, float]:
        postgres = TestPostgres(shared_preload_libraries="pg_stat_statements")
        try:
            return self._measure_on(postgres, workers, connections, seconds, timeouts_ms)
        finally:
            postgres.destroy()

    def _measure_on(self, postgres, workers: int, connections: int, seconds: int, timeouts_ms) -> dict[str, float]:
        database = postgres.create()
        with contextlib.closing(postgres.connect(database)) as connection:
            cursor = connection.cursor()
            cursor.execute("CREATE EXTENSION pg_stat_statements")
            name = f"parking-{postgres.port}"
            server = Server(self._folder, postgres.url(database), name, arguments=("--log-level", "info")).start()
            try:
                pools = self._park(server, workers, connections, timeouts_ms)
                cursor.execute("SELECT pg_stat_statements_reset()")
                used = cpu_seconds(server.pid)
                time.sleep(seconds)
                used = cpu_seconds(server.pid) - used
                rss = server.rss_bytes()
                stats = statement_stats(cursor)
                for pool in pools:
                    pool.end()
            finally:
                server.kill()
        looks = sum(stats[name].calls for name in LOOKS if name in stats)
        return {"rss_mb": rss / 2**20, "cpu_percent": 100 * used / seconds, "looks": looks / POOLS / (seconds / 5)}

    def _park(self, server: Server, workers: int, connections: int, timeouts_ms) -> list[ParkedPool]:
        with contextlib.closing(admin_api(server)) as api:
            names = [f"parked-{number}" for number in range(POOLS)]
            for name in names:
                api.create_pool(name, **timeouts_ms)
            pools = [ParkedPool(self._folder, server, api, name, workers // POOLS, connections // POOLS) for name in names]
        for pool in pools:
            pool.await_parked()
        # What came with the registrations is over.
        wait_until(lambda: calm(server.pid), what="the server has nothing to do any more")
        return pools


def calm(pid: int) -> bool:
    before = cpu_seconds(pid)
    time.sleep(0.5)
    return cpu_seconds(pid) - before < 0.15
