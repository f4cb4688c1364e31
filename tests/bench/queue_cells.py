"""Cells about waiting runs: what a claim costs with much behind it, and how fast a freed slot goes to the next run."""

import statistics
import time

import psycopg2
from cells import Bench, Lost
from forebay.api import Api
from forebay.daemons import Server
from forebay.fake_worker import FakeWorker
from forebay.waiting import wait_until

CLAIM = 100
CLAIMS = 30
# What one worker takes and ends at a time (its reports fill one call) where the point is how much goes through the queue.
GULP, REFILL = 250, 20_000


def fill(bench: Bench, deployment: str, runs: int, due: str = "clock_timestamp()"):
    """Waiting runs as rows; a million of them through the API would take minutes."""
    flow, name = deployment.split("/")
    bench.checker.rows(
        f"""WITH target AS (
             SELECT d.id, d.pool_id, d.queue_id, d.team_id, d.creator_id, d.gated FROM deployments d
             JOIN flows f ON f.id = d.flow_id WHERE f.name = %s AND d.name = %s AND d.deleted_at IS NULL
           ), made AS (
             SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text || %s), 1, 3)
                     || 'a' || substr(md5(n::text || %s || 'x'), 1, 15))::uuid AS id, {due} AS due
             FROM generate_series(1, %s) AS n
           ), runs AS (
             INSERT INTO flow_runs (id, team_id, creator_id, deployment_id, pool_id, queue_id, display_name, parameters,
                                    job_variables, due_at)
             SELECT m.id, t.team_id, t.creator_id, t.id, t.pool_id, t.queue_id, 'calm-otter', '{{}}', '{{}}', m.due
             FROM made m, target t
           )
           INSERT INTO queued_runs (run_id, pool_id, queue_id, deployment_id, due_at, attempt, epoch, gated, blocked)
           SELECT m.id, t.pool_id, t.queue_id, t.id, m.due, 1, 0, t.gated, t.gated FROM made m, target t
           RETURNING 1""",
        flow, name, deployment, deployment, runs,
    )  # fmt: skip


class QueueCells:
    def __init__(self, bench: Bench):
        self.bench = bench

    def _worker(self, pool: str) -> FakeWorker:
        return FakeWorker(Api(self.bench.server.address, self.bench.worker_key(pool)), pool, slots=10_000, beating=True)

    def _claims(self, pool: str) -> float:
        """Milliseconds of a poll that takes a hundred runs, median."""
        worker = self._worker(pool)
        times, seen = [], set()
        for _ in range(CLAIMS):
            began = time.perf_counter()
            answer = worker.poll(CLAIM)
            times.append((time.perf_counter() - began) * 1000)
            seen |= {assignment.attempt.run_id for assignment in answer.assignments}
        worker.close()
        if len(seen) != CLAIM * CLAIMS:
            raise Lost(f"{CLAIM * CLAIMS} runs were to be claimed, {len(seen)} were")
        return statistics.median(times)

    def _drain(self, pool: str, seconds: float) -> int:
        """Claims and completes runs of the pool, filling it again and again; how many went through its queue."""
        worker = self._worker(pool)
        through = waiting = 0
        until = time.monotonic() + seconds
        while waiting or time.monotonic() < until:
            if not waiting:
                fill(self.bench, f"bench/{pool}", REFILL)
                waiting = REFILL
            taken = worker.poll(min(GULP, waiting)).assignments
            waiting -= len(taken)
            through += len(taken)
            if set(worker.complete_all(taken)) - {"ACCEPTED"}:
                raise Lost("the report of a run was refused")
        worker.close()
        return through

    def _clear(self):
        """The next cell begins with empty tables and fresh statistics."""
        self.bench.checker.rows("TRUNCATE queued_runs, held_attempts, flow_runs, earlier_attempts, run_logs; SELECT 1")
        self.bench.checker.rows("ANALYZE; SELECT 1")

    def _cost(self, ready: int, future: int = 0, stuck: int = 0) -> float:
        pool, _ = self.bench.new_pool()
        if future:
            fill(self.bench, f"bench/{pool}", future, "clock_timestamp() + interval '1 day' + n * interval '1 microsecond'")
        if stuck:
            self.bench.api.deploy("stuck/full", pool, ["true"], concurrency_limit=0)
            fill(self.bench, "stuck/full", stuck, "clock_timestamp() - interval '1 hour'")
        fill(self.bench, f"bench/{pool}", ready)
        self.bench.tidy()
        cost = self._claims(pool)
        self._clear()
        return cost

    def _cost_under_snapshot(self, ready: int, seconds: float) -> tuple[float, int]:
        """What is claimed while a snapshot is held leaves its dead entries at the head of the queue's order; nothing can take
        them away. The cost of a claim behind them, and how many there are."""
        pool, _ = self.bench.new_pool()
        holder = psycopg2.connect(self.bench.database_url)
        holder.set_session(isolation_level="REPEATABLE READ")
        holder.cursor().execute("SELECT 1 FROM queued_runs LIMIT 1")
        through = self._drain(pool, seconds)
        fill(self.bench, f"bench/{pool}", ready)
        self.bench.tidy()
        cost = self._claims(pool)
        holder.close()
        self._clear()
        return cost, through

    def backlog(self, deep: int, snapshot: float) -> dict[str, float]:
        """Medians of claims of a hundred runs; ratios to a backlog of ten thousand, measured in the same turn. The snapshot is held
        open for so many seconds, in which the queue gives out what one client can take."""
        shallow = self._cost(10_000)
        ratios = {
            "claim_ms": shallow,
            "ready_ratio": self._cost(deep) / shallow,
            "future_ratio": self._cost(10_000, future=deep) / shallow,
            "stuck_ratio": self._cost(10_000, stuck=deep) / shallow,
        }
        # Last: it claims from empty tables, and plans that were made for those would be kept for a while.
        behind_dead, through = self._cost_under_snapshot(10_000, snapshot)
        return {**ratios, "snapshot_ratio": behind_dead / shallow, "snapshot_claimed": through}

    def wake_up(self, runs: int) -> dict[str, float]:
        """A run acknowledged by one server, to the hand of a worker parked at another."""
        other = Server(self.bench.folder, self.bench.database_url, name="other", arguments=("--log-level", "info")).start()
        pool, _ = self.bench.new_pool()
        worker = FakeWorker(Api(other.address, self.bench.worker_key(pool)), pool, slots=10, beating=True)
        times = []
        for _ in range(runs):
            poll = worker.start_poll()
            arrived = []
            poll.add_done_callback(lambda _, arrived=arrived: arrived.append(time.perf_counter()))
            run_id = self.bench.api.submit(f"bench/{pool}")
            acknowledged = time.perf_counter()
            (assignment,) = poll.result().assignments
            if assignment.attempt.run_id != run_id:
                raise Lost("another run than the one that was submitted")
            worker.complete(assignment)
            wait_until(lambda arrived=arrived: arrived, what="the callback ran", pause=0.001)
            times.append(max(0.0, (arrived[0] - acknowledged) * 1000))
        worker.close()
        other.terminate()
        times.sort()
        return {"wake_up_p50_ms": statistics.median(times), "wake_up_p99_ms": times[int(len(times) * 0.99)]}

    def hand_over(self, runs: int) -> dict[str, float]:
        """From the end of the attempt that had the only slot to the grant of the next, by the database's clock."""
        pool, _ = self.bench.new_pool()
        self.bench.api.deploy(f"bench/{pool}", pool, ["true"], concurrency_limit=1)
        run_ids = self.bench.api.submit_many(f"bench/{pool}", runs)
        worker = self._worker(pool)
        (assignment,) = worker.take(1)
        order = [assignment.attempt.run_id]
        for _ in range(runs - 1):
            taken = worker.start_take(1)
            worker.complete(assignment)
            (assignment,) = taken.result()
            order.append(assignment.attempt.run_id)
        worker.complete(assignment)
        worker.close()
        if order != run_ids:
            raise Lost("the runs did not start in their order")
        waits = self.bench.checker.rows(
            """SELECT 1000 * extract(epoch FROM a.granted_at - lag(a.ended_at) OVER (ORDER BY a.granted_at))
               FROM attempts a JOIN flow_runs f ON f.id = a.run_id JOIN work_pools p ON p.id = f.pool_id WHERE p.name = %s""",
            pool,
        )
        times = sorted(float(wait) for (wait,) in waits if wait is not None)
        if times[0] < 0:
            raise Lost("two attempts held the only slot at once")
        return {"hand_over_p50_ms": statistics.median(times), "hand_over_p99_ms": times[int(len(times) * 0.99)]}
