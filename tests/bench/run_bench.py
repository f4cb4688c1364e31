"""Runs the cells of the benchmark in turns and prints one table: median and range over the repetitions, targets beside.
`scripts/bench table`."""

import json
import os
import pathlib
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

from accept_cells import AcceptCells
from cells import SLOTS, WORKERS, Bench, Lost
from forebay import kubernetes_build
from kubernetes_cells import KubernetesCells
from log_cells import LogCells
from parked_cells import ParkedCells
from python_cells import PythonCells
from queue_cells import QueueCells
from replica_cells import ReplicaCells
from soak_cells import SoakCells

# (cell, metric, what it is, unit, target)
ROWS = [
    ("batched", "rate", "lifecycles, submitted in batches of 100", "/s", ">= 20000"),
    ("batched", "server_cpu_us", "  server CPU a run", "µs", ""),
    ("batched", "postgres_cpu_us", "  PostgreSQL CPU a run", "µs", ""),
    ("batched", "wal_bytes", "  write-ahead log a run", "B", ""),
    ("single", "rate", "lifecycles, submitted one by one", "/s", ">= 12000"),
    ("single", "server_cpu_us", "  server CPU a run", "µs", ""),
    ("single", "postgres_cpu_us", "  PostgreSQL CPU a run", "µs", ""),
    ("single", "wal_bytes", "  write-ahead log a run", "B", ""),
    ("sql_limit", "rate", "the machine's limit: the same SQL, 500 a commit", "/s", ""),
    ("sql_limit", "postgres_cpu_us", "  PostgreSQL CPU a run", "µs", ""),
    ("share", "share", "  batched lifecycles as a share of it", "%", ">= 50"),
    ("accept", "single_rate", "accepted while nobody takes them, one by one", "/s", ">= 15000"),
    ("accept", "batched_rate", "  in batches of 100", "/s", ">= 60000"),
    ("replicas", "two_rate", "two servers: batched lifecycles split over both", "/s", ""),
    ("replicas", "replicas_percent", "  as a share of one server, same split", "%", ">= 90"),
    ("idle_pickup", "pickup_p50_ms", "idle: acknowledged to in the worker's hand, p50", "ms", "<= 2.5"),
    ("idle_pickup", "pickup_p99_ms", "  p99", "ms", "<= 10"),
    ("idle_pickup", "from_call_p50_ms", "  from the call's start, p50", "ms", ""),
    ("idle_pickup", "from_call_p99_ms", "  from the call's start, p99", "ms", ""),
    ("loaded_pickup", "pickup_p50_ms", "half load: acknowledged to in hand, p50", "ms", ""),
    ("loaded_pickup", "pickup_p99_ms", "  p99", "ms", "<= 25"),
    ("backlog", "claim_ms", "claim of 100 runs with 10 000 waiting", "ms", ""),
    ("backlog", "ready_ratio", "  with a deep backlog: times that", "", "<= 1.5"),
    ("backlog", "future_ratio", "  with as many due tomorrow", "", "<= 1.5"),
    ("backlog", "stuck_ratio", "  with as many of a full deployment ahead", "", "<= 1.5"),
    ("backlog", "snapshot_ratio", "  with a snapshot held open", "", "<= 1.5"),
    ("backlog", "snapshot_claimed", "    runs that had gone through the queue meanwhile", "", ""),
    ("hand_over", "hand_over_p50_ms", "freed slot to the next grant, p50", "ms", "<= 10"),
    ("hand_over", "hand_over_p99_ms", "  p99", "ms", ""),
    ("wake_up", "wake_up_p50_ms", "two servers: acknowledged at one, in hand at the other, p50", "ms", "<= 50"),
    ("wake_up", "wake_up_p99_ms", "  p99", "ms", ""),
    ("process_launch", "launch_p50_ms", "process launch: granted to first instruction, p50", "ms", "<= 15"),
    ("process_launch", "launch_p99_ms", "  p99", "ms", ""),
    ("docker", "engine_p50_ms", "container: the engine's own create and start, p50", "ms", ""),
    ("docker", "overhead_p50_ms", "  what a launch adds to it, p50", "ms", "<= 15"),
    ("docker", "burst_rate", "  200 containers of a second at once", "/s", ""),
    ("kubernetes", "plain_p50_ms", "Job: POST of a plain one to its first line, p50", "ms", ""),
    ("kubernetes", "confined_p50_ms", "  what the confinement of a run (Pod Security) adds to it, p50", "ms", ""),
    ("kubernetes", "overhead_p50_ms", "  what a launch adds to both, p50", "ms", "<= 20"),
    ("kubernetes", "whole_p50_ms", "  a launch beside the plain Job: all it adds, p50", "ms", ""),
    ("kubernetes_cost", "calls", "  calls of the API a run, with a Secret and without its end", "", "<= 4"),
    ("kubernetes_cost", "watcher_rss_mb", "  worker that sees 1 000 Jobs of others, resident", "MiB", "<= 40"),
    ("kubernetes_cost", "holder_rss_mb", "  worker that holds them and follows their output", "MiB", ""),
    ("kubernetes_cost", "empty_rss_mb", "  worker without any", "MiB", ""),
    ("parked", "rss_mb", "10 000 parked workers, each on its connection: server, resident", "MiB", "<= 200"),
    ("parked", "shared_rss_mb", "  on 100 connections", "MiB", ""),
    ("parked", "cpu_percent", "  its CPU, leases of ten minutes", "%", "< 1"),
    ("parked", "beating_cpu_percent", "  leases of fifteen seconds", "%", ""),
    ("parked", "looks", "  statements that look for work, a pool in 5 s", "", "<= 1"),
    ("idle", "server_rss_mb", "idle server, resident", "MiB", "<= 60"),
    ("idle", "worker_rss_mb", "idle worker, resident", "MiB", "<= 15"),
    ("idle", "idle_cpu_percent", "idle server and worker, CPU", "%", "< 0.5"),
    ("command_line", "help_ms", "forebay --help", "ms", "<= 10"),
    ("command_line", "ls_ms", "forebay flow-run ls", "ms", "<= 50"),
    ("python_import", "interpreter_ms", "Python: an interpreter that does nothing", "ms", ""),
    ("python_import", "import_ms", "  what `from forebay import flow` adds", "ms", "<= 60"),
    ("python_flow", "bare_p50_ms", "  a command that does nothing: granted to ended, p50", "ms", ""),
    ("python_flow", "overhead_p50_ms", "  what an empty flow adds, p50", "ms", "<= 50"),
    ("python_log", "lines_rate", "  lines of one flow that talks, interpreter start included", "/s", ">= 50000"),
    ("logs", "many_rate", "lines of 200 runs at once, stored, launches included", "/s", ">= 200000"),
    ("soak", "rate_percent", "half load for minutes: the rate of the last as a share of the first's", "%", ">= 95"),
    ("soak", "first_p99_ms", "  acknowledged to in hand in the first, p99", "ms", ""),
    ("soak", "last_p99_ms", "  in the last", "ms", "<= 25"),
    ("soak", "quarter_rss_mb", "  server after a quarter of the time, resident", "MiB", ""),
    ("soak", "end_rss_mb", "  at the end", "MiB", ""),
]

# Unless more is asked for.
SNAPSHOT_SECONDS = 20


def cells(bench: Bench, options, done: dict) -> dict[str, Callable[[], dict[str, float]]]:
    """In their order; `done` has the results of those before."""
    quick, soak = options.quick, options.soak
    scale = 0.2 if quick else 1.0
    queue = QueueCells(bench)
    python = PythonCells(bench)
    kubernetes = KubernetesCells(bench)
    accept, replicas, parked, logs = AcceptCells(bench), ReplicaCells(bench), ParkedCells(bench), LogCells(bench)
    return {
        "sql_limit": lambda: bench.sql_limit(int(100_000 * scale)),
        "batched": lambda: bench.batched(int(100_000 * scale)),
        "replicas": lambda: replicas.split(int(30_000 * scale)),
        "single": lambda: bench.single(int(60_000 * scale)),
        "idle_pickup": lambda: bench.idle_pickup(int(200 * scale)),
        "loaded_pickup": lambda: bench.loaded_pickup(max(100, int(done["single"]["rate"] / 2)), 1 if quick else 4),
        "accept": lambda: accept.accept(int(20_000 * scale), int(60_000 * scale)),
        "hand_over": lambda: queue.hand_over(int(300 * scale)),
        "wake_up": lambda: queue.wake_up(int(100 * scale)),
        "backlog": lambda: queue.backlog(100_000 if quick else options.deep, options.snapshot * 60 or SNAPSHOT_SECONDS * scale),
        "process_launch": lambda: bench.process_launch(int(100 * scale)),
        "docker": lambda: bench.docker(int(40 * scale), int(200 * scale)),
        "kubernetes": lambda: kubernetes.launch(int(30 * scale)),
        "kubernetes_cost": lambda: kubernetes.cost(int(1000 * scale)),
        "parked": lambda: parked.parked(int(10_000 * scale), 3 if quick else 10),
        "idle": lambda: bench.idle(3 if quick else 10),
        "command_line": lambda: bench.command_line(int(20 * scale)),
        "python_import": lambda: python.importing(int(40 * scale)),
        "python_flow": lambda: python.empty_flow(int(50 * scale)),
        "python_log": lambda: python.log(int(500_000 * scale)),
        "logs": lambda: logs.many(int(200 * scale), 5000),
        **({"soak": lambda: SoakCells(bench).soak(soak, done["single"]["rate"])} if soak else {}),
        "share": lambda: {"share": 100 * done["batched"]["rate"] / done["sql_limit"]["rate"]},
    }


NEEDS = {"loaded_pickup": {"single"}, "soak": {"single"}, "share": {"batched", "sql_limit"}}

# Take long or change little: measured in the first repetition only.
ONCE = {"backlog", "docker", "idle", "kubernetes", "kubernetes_cost", "parked", "soak"}


def repetition(bench: Bench, options, turn: int) -> dict[str, dict[str, float]]:
    wanted = set(options.only).union(*(NEEDS.get(cell, ()) for cell in options.only))
    done: dict[str, dict[str, float]] = {}
    for cell, measure in cells(bench, options, done).items():
        if cell == "kubernetes" and (reason := kubernetes_build.missing()):
            print(f"left out: kubernetes ({reason})", file=sys.stderr)
        elif (not wanted or cell in wanted) and not (turn and cell in ONCE):
            began = time.monotonic()
            done[cell] = measure()
            print(f"  {cell}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return done


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def print_table(repetitions: list[dict]):
    print(f"{WORKERS} simulated workers of {SLOTS} slots; {len(repetitions)} repetitions; {os.cpu_count()} cores\n")
    print(f"{'':<60}{'median':>10}  {'range':<21} {'unit':<4} target")
    for cell, metric, title, unit, target in ROWS:
        if cell not in repetitions[0]:
            continue
        values = sorted(repetition[cell][metric] for repetition in repetitions if cell in repetition)
        extent = f"{number(values[0])} – {number(values[-1])}"
        print(f"{title:<60}{number(statistics.median(values)):>10}  {extent:<21} {unit:<4} {target}")


def refuse(options) -> str | None:
    known = {row[0] for row in ROWS}
    wrong = [cell for cell in options.only if cell not in known]
    return f"no such cell: {', '.join(wrong)}; there are {', '.join(sorted(known))}" if wrong else None


def needs_build(_) -> bool:
    return True


def run(options) -> int:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fbbench-", dir="/tmp"))
    folder.chmod(0o755)
    repetitions = []
    bench = Bench(folder)
    try:
        for turn in range(1 if options.quick else options.reps):
            print(f"repetition {turn + 1}", file=sys.stderr, flush=True)
            repetitions.append(repetition(bench, options, turn))
    except Lost as lost:
        print(f"FAILED: {lost}")
        return 1
    finally:
        bench.close()
        shutil.rmtree(folder, ignore_errors=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    machine = {"cores": os.cpu_count(), "kernel": platform.release(), "quick": options.quick}
    options.out.write_text(json.dumps({"machine": machine, "repetitions": repetitions}, indent=1) + "\n")
    print_table(repetitions)
    return 0
