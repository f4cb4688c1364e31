"""One load of runs through a server and PostgreSQL: its rate, and what a run costs each process. `scripts/bench dispatch`."""

import json
import os
import pathlib
import platform
import shutil
import statistics
import sys
import tempfile

import statement_counts
from cells import Bench, Lost
from meters import LoadMeter
from program import Failed, run_json
from statement_counts import Statement, StatementCounts

ROWS = [
    ("rate", "runs submitted, granted, started and ended, each durable", "/s"),
    ("server_cpu_us", "CPU a run: server", "µs"),
    ("postgres_cpu_us", "  PostgreSQL", "µs"),
    ("generator_cpu_us", "  the load generator's own", "µs"),
    ("cpu_us", "  together", "µs"),
    ("wal_bytes", "write-ahead log a run", "B"),
    ("statements", "statements a run", ""),
    ("commits", "commits that wrote, a run", ""),
    ("server_switches", "context switches a run: server", ""),
    ("postgres_switches", "  PostgreSQL", ""),
    ("generator_switches", "  the load generator's own", ""),
]
# Seconds that a load may take: as slow as two hundred runs a second.
PATIENCE = 60
SLOWEST_RATE = 200


def refuse(_) -> None:
    return None


def needs_build(_) -> bool:
    return True


def plan_of(options) -> dict[str, int]:
    return {
        "runs": options.runs, "workers": options.workers, "slots": options.slots, "batch": options.batch,
        "calls-in-flight": options.in_flight,
    }  # fmt: skip


def load(bench: Bench, plan: dict[str, int]) -> dict[str, float]:
    """One load, checked for loss and doubles."""
    runs = plan["runs"]
    pool, key_file = bench.new_pool()
    before = bench.checker.value("SELECT count(*) FROM flow_runs")
    bench.checker.rows("CHECKPOINT; SELECT 1")
    meter = LoadMeter(bench.server.pid, bench.postgres.process.pid, bench.checker.value)
    try:
        result, generator = run_json(bench.generator(pool, key_file, **plan), PATIENCE + runs / SLOWEST_RATE)
    except Failed as failed:
        raise Lost(str(failed)) from None
    used = meter.per_run(runs)
    bench.check_load(pool, runs, before, result)
    used["generator_cpu_us"] = generator.cpu_seconds * 1e6 / runs
    used["generator_switches"] = generator.switches / runs
    used["cpu_us"] = used["server_cpu_us"] + used["postgres_cpu_us"] + used["generator_cpu_us"]
    return {**used, "rate": runs / result["seconds"], "seconds": result["seconds"]}


def counted_load(bench: Bench, plan: dict[str, int], counts: StatementCounts | None) -> tuple[dict[str, float], list[Statement]]:
    if counts is None:
        return load(bench, plan), []
    counts.reset()
    result = load(bench, plan)
    told = counts.read()
    # The check's own two statements and the checkpoint are a handful of thousands.
    return {**result, "statements": sum(statement.calls for statement in told) / plan["runs"]}, told


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def print_rows(results: list[dict]):
    for name, title, unit in ROWS:
        values = sorted(result[name] for result in results if name in result)
        if not values:
            continue
        extent = f"  {number(values[0])} – {number(values[-1])}" if len(values) > 1 else ""
        print(f"{title:<60}{number(statistics.median(values)):>10} {unit:<3}{extent}")


def print_statements(told: list[Statement], runs: int):
    print(f"\n{'calls':>8} {'rows a run':>11} {'µs a run':>9} {'WAL a run':>10}  statement")
    for statement in told:
        if statement.milliseconds * 1000 < 0.005 * runs:
            continue
        print(
            f"{statement.calls:>8} {statement.rows / runs:>11.3f} {statement.milliseconds * 1000 / runs:>9.2f} "
            f"{statement.wal_bytes / runs:>10.0f}  {statement.title[:100]}"
        )


def run(options) -> int:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fbbench-", dir="/tmp"))
    folder.chmod(0o755)
    plan = plan_of(options)
    results, told = [], []
    if reason := statement_counts.missing():
        print(f"left out: statements ({reason})", file=sys.stderr)
    bench = Bench(folder, **statement_counts.settings())
    try:
        counts = None if statement_counts.missing() else StatementCounts(bench.checker)
        for turn in range(options.reps):
            print(f"load {turn + 1} of {options.reps}", file=sys.stderr, flush=True)
            result, told = counted_load(bench, plan, counts)
            results.append(result)
    except Lost as lost:
        print(f"FAILED: {lost}")
        return 1
    finally:
        bench.close()
        shutil.rmtree(folder, ignore_errors=True)
    write(options, plan, results, told)
    size = "one by one" if options.batch == 1 else f"in batches of {options.batch}"
    print(f"{options.runs} runs submitted {size}, {options.in_flight} calls at once; {options.workers} simulated workers of "
          f"{options.slots} slots; {os.cpu_count()} cores; no run lost or doubled\n")  # fmt: skip
    print_rows(results)
    if options.statements:
        print_statements(told, options.runs)
    return 0


def write(options, plan: dict[str, int], results: list[dict], told: list[Statement]):
    statements = [{**vars(statement), "text": statement.title} for statement in told]
    machine = {"cores": os.cpu_count(), "kernel": platform.release()}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(
        json.dumps({"machine": machine, "plan": plan, "repetitions": results, "statements": statements}, indent=1) + "\n"
    )
