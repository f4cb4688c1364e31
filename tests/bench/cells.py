"""The cells of the benchmark. Each answers {metric: number} and fails when a run was lost or doubled."""

import datetime
import json
import pathlib
import statistics
import subprocess
import time

from forebay.api import Api
from forebay.checker import Checker
from forebay.daemons import Cli, Server, Worker
from forebay.docker_engine import DockerEngine
from forebay.fake_worker import FakeWorker
from forebay.images import BUSYBOX, make_test_images
from forebay.postgres import TestPostgres
from forebay.process import binary
from forebay.waiting import wait_until
from meters import Meter, cpu_seconds
from payload import PARAMETERS

WORKERS, SLOTS = 64, 16


class Lost(Exception):
    """A run was lost, doubled or ended otherwise than it should."""


def started_at(container: dict) -> float:
    """When the engine says that it began, in seconds since the epoch."""
    text = container["State"]["StartedAt"].removesuffix("Z")
    whole, _, fraction = text.partition(".")
    return datetime.datetime.fromisoformat(whole + "+00:00").timestamp() + float(f"0.{fraction or 0}")


class Bench:
    """One PostgreSQL, one server, and what the cells need on them."""

    def __init__(self, folder: pathlib.Path, wrapper: tuple[str, ...] = (), **settings: str):
        """`wrapper`: words before the server's command line; `settings`: more of PostgreSQL's."""
        self.folder = folder
        self.postgres = TestPostgres(shared_buffers="256MB", max_wal_size="4GB", **settings)
        self.database = self.postgres.create()
        self.database_url = self.postgres.url(self.database)
        self.server = Server(folder, self.database_url, arguments=("--log-level", "info"))
        self.server.argv[:0] = wrapper
        self.server.start()
        self.key = self.server.admin_key_file.read_text().strip()
        self.api = Api(self.server.address, self.key)
        self.checker = Checker(self.database_url)
        self._pools = 0
        self._seen = 0

    def close(self):
        self.checker.close()
        self.server.terminate()
        self.postgres.destroy()

    def tidy(self):
        """What loads so far have left to autovacuum and to the next checkpoint is done now, not at the cost of the next load."""
        for statement in ("VACUUM (ANALYZE)", "CHECKPOINT"):
            self.postgres.execute(statement, self.database)

    def fresh_name(self, word: str) -> str:
        self._pools += 1
        return f"{word}-{self._pools}"

    def new_pool(self) -> tuple[str, pathlib.Path]:
        """A pool with the deployment bench/<pool>, and a file with a worker key for it."""
        pool = self.fresh_name("pool")
        self.api.create_pool(pool)
        self.api.deploy(f"bench/{pool}", pool, ["true"])
        key_file = self.folder / f"{pool}.key"
        key_file.write_text(self.worker_key(pool))
        return pool, key_file

    def worker_key(self, pool: str) -> str:
        return self.api.TokenService.CreateWorkerKey(work_pool=f"workPools/{pool}").secret

    def load(self, runs: int, **plan: int) -> dict[str, float]:
        """One run of the load generator, checked."""
        pool, key_file = self.new_pool()
        before = self.checker.value("SELECT count(*) FROM flow_runs")
        meter = Meter(self.server.pid, self.postgres.process.pid, self.checker)
        command = self.generator(pool, key_file, runs=runs, **plan)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode != 0:
            raise Lost(f"the load generator failed: {done.stderr}")
        used = meter.per_run(runs)
        result = json.loads(done.stdout)
        self.check_load(pool, runs, before, result)
        return {**result, **used, "rate": result["completed"] / result["seconds"]}

    def generator(self, pool: str, key_file: pathlib.Path, **plan: int) -> list[str]:
        """The command of the load generator; it prints one JSON object."""
        options = {"workers": WORKERS, "slots": SLOTS, "calls-in-flight": 1, **plan}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        return [
            binary("forebay-bench"), "--server", self.server.address, "--key-file", str(self.server.admin_key_file),
            "--worker-key-file", str(key_file), "--pool", pool, "--deployment", f"bench/{pool}",
            "--parameters", PARAMETERS, *words,
        ]  # fmt: skip

    def check_load(self, pool: str, runs: int, before: int, result: dict):
        told = (result["accepted"], result["completed"], result["doubled"], result["refused"], result["faults"])
        if told != (runs, runs, 0, 0, 0):
            raise Lost(f"{result}")
        stored = self.checker.rows(
            """SELECT count(*), count(*) FILTER (WHERE f.state = 'COMPLETED'), coalesce(sum(f.attempts), 0),
                      count(DISTINCT f.id)
               FROM flow_runs f JOIN work_pools p ON p.id = f.pool_id WHERE p.name = %s""",
            pool,
        )[0]
        total = self.checker.value("SELECT count(*) FROM flow_runs") - before
        if tuple(map(int, stored)) != (runs, runs, runs, runs) or total != runs:
            raise Lost(f"{runs} runs were accepted; in the database: {stored}, {total} in all")

    def batched(self, runs: int) -> dict[str, float]:
        self.tidy()
        return self.load(runs, **{"batch": 100, "calls-in-flight": 16})

    def single(self, runs: int) -> dict[str, float]:
        self.tidy()
        return self.load(runs, **{"calls-in-flight": 512})

    def idle_pickup(self, runs: int) -> dict[str, float]:
        return self.load(runs, rate=50)

    def loaded_pickup(self, rate: int, seconds: int) -> dict[str, float]:
        return self.load(rate * seconds, **{"rate": rate, "calls-in-flight": 1000})

    def sql_limit(self, runs: int) -> dict[str, float]:
        """The same statements, 500 runs a commit, straight into PostgreSQL."""
        self.tidy()
        words = []
        for which in ("a", "b"):
            pool, _ = self.new_pool()
            deployment, pool_id, queue_id, team, user = self.checker.rows(
                """SELECT d.id::text, d.pool_id::text, d.queue_id::text, d.team_id::text, d.creator_id::text
                   FROM deployments d JOIN work_pools p ON p.id = d.pool_id WHERE p.name = %s""",
                pool,
            )[0]
            words += [f"--deployment-{which}", deployment, f"--pool-{which}", pool_id, f"--queue-{which}", queue_id]
        worker = FakeWorker(Api(self.server.address, self.worker_key(pool)), pool)
        self.checker.rows(
            "UPDATE worker_leases SET deadline = clock_timestamp() + interval '1 hour' WHERE worker_id = %s RETURNING 1",
            worker.worker_id,
        )
        before = self.checker.value("SELECT count(*) FROM flow_runs WHERE state = 'COMPLETED'")
        meter = Meter(self.server.pid, self.postgres.process.pid, self.checker)
        done = subprocess.run(
            [binary("forebay-bench-sql"), "--database-url", self.database_url, "--team", team, "--user", user, "--worker",
             worker.worker_id, "--parameters", PARAMETERS, "--runs", str(runs), *words],
            capture_output=True, text=True, check=True, timeout=300,
        )  # fmt: skip
        result = json.loads(done.stdout)
        ended = self.checker.value("SELECT count(*) FROM flow_runs WHERE state = 'COMPLETED'") - before
        if ended != runs:
            raise Lost(f"{runs} runs were replayed, {ended} ended")
        return {"rate": runs / result["seconds"], **meter.per_run(runs)}

    def process_launch(self, runs: int) -> dict[str, float]:
        """From the grant (the database's clock) to the first instruction of a launched command, one at a time."""
        pool, _ = self.new_pool()
        self.api.deploy("bench/stamp", pool, [binary("forebay-bench-stamp")])
        worker = Worker(self.folder, self.server.address, pool, self.worker_key(pool), arguments=("--log-level", "info")).start()
        waits = []
        for _ in range(runs):
            run_id = self.api.submit("bench/stamp")
            self.api.wait_for_state(run_id, "COMPLETED")
            granted = self.checker.value("SELECT extract(epoch FROM granted_at) * 1000 FROM attempts WHERE run_id = %s", run_id)
            waits.append(int(self.api.output(run_id)[0]) / 1e6 - float(granted))
        worker.terminate()
        waits.sort()
        return {"launch_p50_ms": statistics.median(waits), "launch_p99_ms": waits[int(len(waits) * 0.99)]}

    def docker(self, runs: int, burst: int) -> dict[str, float]:
        """Containers: what a launch costs beyond the engine's own create and start, in turns with them; and a burst."""
        engine = DockerEngine().start()
        try:
            make_test_images(engine)
            return self._docker_launch(engine, runs) | self._docker_burst(engine, burst)
        finally:
            engine.stop()

    def _docker_pool(self, engine: DockerEngine, script: str, slots: int) -> tuple[str, Worker]:
        pool = self.fresh_name("docker")
        self.api.create_pool(pool, "docker")
        box = {"image": BUSYBOX, "image_pull_policy": "Never", "network_mode": "none", "auto_remove": True}
        self.api.deploy(f"bench/{pool}", pool, ["/bin/sh", "-c", script], job_variables=json.dumps(box))
        arguments = ("--log-level", "info", "--docker-host", engine.address)
        return pool, Worker(self.folder, self.server.address, pool, self.worker_key(pool), limit=slots, arguments=arguments).start()

    def _docker_launch(self, engine: DockerEngine, runs: int) -> dict[str, float]:
        pool, worker = self._docker_pool(engine, "true", 1)
        own, ours = [], []
        for turn in range(runs):
            name = f"own-{turn}"
            began = time.time()
            engine.create(name, BUSYBOX, ["true"], HostConfig={"NetworkMode": "none"})
            engine.start_container(name)
            own.append(1000 * (started_at(engine.inspect(name)) - began))
            engine.wait_for_exit(name)
            engine.remove(name)
            ours.append(self._one_container(engine, pool))
        worker.terminate()
        median = statistics.median(own)
        return {"engine_p50_ms": median, "overhead_p50_ms": statistics.median(ours) - median}

    def _one_container(self, engine: DockerEngine, pool: str) -> float:
        """Milliseconds from grant to the start of the container."""
        run_id = self.api.submit(f"bench/{pool}", job_variables='{"auto_remove": false}')
        self.api.wait_for_state(run_id, "COMPLETED")
        granted = self.checker.value("SELECT extract(epoch FROM granted_at) FROM attempts WHERE run_id = %s", run_id)
        name = f"forebay-{run_id}-1"
        started = started_at(engine.inspect(name))
        engine.remove(name)
        return 1000 * (started - float(granted))

    def _docker_burst(self, engine: DockerEngine, count: int) -> dict[str, float]:
        """`count` containers at once on one worker: all end, each line once, none is left."""
        pool, worker = self._docker_pool(engine, "echo here; sleep 1; echo there", count)
        began = time.time()
        run_ids = self.api.submit_many(f"bench/{pool}", count)
        for run_id in run_ids:
            if not self.api.wait_for_end(run_id, deadline=600).state.name == "Completed":
                raise Lost(f"{run_id} did not complete: {self.api.run(run_id).state.message}")
            if self.api.output(run_id) != ["here", "there"]:
                raise Lost(f"{run_id} wrote {self.api.output(run_id)}")
        spent = time.time() - began
        wait_until(lambda: not engine.containers(), what="every container to be removed")
        worker.terminate()
        return {"burst_rate": count / spent}

    def idle(self, seconds: int) -> dict[str, float]:
        """Memory and processor time of a fresh server and a worker with nothing to do."""
        server = Server(self.folder, self.database_url, name="idle-server", arguments=("--log-level", "info")).start()
        pool, _ = self.new_pool()
        key = self.worker_key(pool)
        worker = Worker(self.folder, server.address, pool, key, name="idle-worker", arguments=("--log-level", "info")).start()
        time.sleep(2)
        before = cpu_seconds(server.pid) + cpu_seconds(worker.pid)
        time.sleep(seconds)
        used = cpu_seconds(server.pid) + cpu_seconds(worker.pid) - before
        result = {
            "server_rss_mb": server.rss_bytes() / 2**20,
            "worker_rss_mb": worker.rss_bytes() / 2**20,
            "idle_cpu_percent": used / seconds * 100,
        }
        worker.terminate()
        server.terminate()
        return result

    def command_line(self, times: int) -> dict[str, float]:
        cli = Cli(self.folder, self.server.address, self.key)

        def median_ms(*words: str) -> float:
            spent = []
            for _ in range(times):
                began = time.perf_counter()
                assert cli(*words).code == 0
                spent.append((time.perf_counter() - began) * 1000)
            return statistics.median(spent)

        return {"help_ms": median_ms("--help"), "ls_ms": median_ms("flow-run", "ls")}
