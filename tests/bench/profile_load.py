"""Where the time of one load goes, and the server's instructions a run. `scripts/bench profile dispatch`.

perf samples server and PostgreSQL as they are. callgrind runs the server far slower: its count of instructions varies
little, but batches form differently there, so compare it with its own kind alone."""

import contextlib
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import dispatch
import folded
from cells import Bench, Lost
from meters import family

SAMPLES_A_SECOND = 499
CALLERS = 12
# It gets one run for so many of perf's.
SLOWER = 50
# perf's report of unwound stacks takes its time.
PATIENCE = 900


class Unusable(Exception):
    """This tool cannot measure here; the text says why."""


def refuse(_) -> None:
    return None


def needs_build(_) -> bool:
    return True


@contextlib.contextmanager
def recording(pids: list[int], data: pathlib.Path):
    """perf samples these processes and what they start, as long as the context lasts."""
    command = [
        "perf", "record", "-q", "-e", "cpu-clock", "-F", str(SAMPLES_A_SECOND), "--call-graph", "dwarf,16384", "-o", str(data),
        "-p", ",".join(map(str, pids)),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=PATIENCE)
    if not data.exists() or data.stat().st_size == 0:
        raise Unusable(f"perf recorded nothing: {error.strip()}")


def try_perf(folder: pathlib.Path):
    if shutil.which("perf") is None:
        raise Unusable("perf is not installed; Debian has it in linux-perf")
    trial = ["perf", "record", "-q", "-e", "cpu-clock", "-o", str(folder / "trial.data"), "true"]
    done = subprocess.run(trial, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unusable(f"perf may not sample here: {' '.join(done.stderr.split())[:200]}")


def with_perf(options, folder: pathlib.Path) -> folded.Stacks:
    try_perf(folder)
    bench = Bench(folder)
    try:
        # What is loaded and prepared once is not what a load costs.
        dispatch.load(bench, {**dispatch.plan_of(options), "runs": max(1000, options.runs // 10)})
        with recording([bench.server.pid, *family(bench.postgres.process.pid)], folder / "perf.data"):
            result = dispatch.load(bench, dispatch.plan_of(options))
    finally:
        bench.close()
    print(f"perf: {options.runs} runs at {result['rate']:,.0f}/s while sampled; reading the samples", file=sys.stderr, flush=True)
    told = subprocess.run(
        ["perf", "script", "--no-inline", "-i", folder / "perf.data", "-F", "comm,ip,sym,dso"], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, errors="replace", timeout=PATIENCE, check=True,
    )  # fmt: skip
    return folded.from_perf(told.stdout.splitlines())


def control(pid: int, *words: str):
    subprocess.run(["callgrind_control", *words, str(pid)], check=True, capture_output=True, timeout=60)


def with_callgrind(options, folder: pathlib.Path) -> tuple[folded.Stacks, float]:
    """The stacks, and instructions a run."""
    if shutil.which("valgrind") is None:
        raise Unusable("valgrind is not installed: scripts/install_packages profile")
    out = folder / "callgrind.out"
    bench = Bench(folder, ("valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}", "--instr-atstart=no",
                           f"--separate-callers={CALLERS}", "--dump-line=no"))  # fmt: skip
    runs = max(500, options.runs // SLOWER)
    try:
        dispatch.load(bench, {**dispatch.plan_of(options), "runs": 200})
        control(bench.server.pid, "--instr=on")
        dispatch.load(bench, {**dispatch.plan_of(options), "runs": runs})
        control(bench.server.pid, "--instr=off")
    finally:
        bench.close()
    stacks = folded.from_callgrind(out.read_text(errors="replace").splitlines(), "forebay-server")
    if not stacks:
        raise Unusable(f"callgrind counted nothing: {bench.server.tail(5)}")
    # Its own total is of the time since it was switched off.
    return stacks, sum(stacks.values()) / runs


def print_shares(stacks: folded.Stacks, program: str, most: int = 12):
    alone, whole = folded.shares(stacks, program)
    for title, ranked in (("by themselves", alone), ("with what they call", whole)):
        print(f"\n{program}, functions {title}")
        for name, share in ranked[:most]:
            print(f"{100 * share:>7.1f} %  {name[:110]}")


def report(options, name: str, stacks: folded.Stacks):
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"{name}.folded"
    folded.write(stacks, path)
    for program in sorted({stack.split(";")[0] for stack in stacks} & {"forebay-server", "postgres"}):
        print_shares(stacks, program)
    print(f"\nstacks: {path}")


def run(options) -> int:
    tools = ["perf", "callgrind"] if options.tool == "auto" else [options.tool]
    failures = 0
    for tool in tools:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="fbbench-", dir="/tmp"))
        folder.chmod(0o755)
        try:
            if tool == "perf":
                report(options, "perf", with_perf(options, folder))
            else:
                stacks, instructions = with_callgrind(options, folder)
                report(options, "callgrind", stacks)
                print(f"\nserver, instructions a run: {instructions:,.0f}")
        except Unusable as reason:
            print(f"left out: {tool} ({reason})", file=sys.stderr)
            failures += 1
        except Lost as lost:
            print(f"FAILED: {lost}")
            return 1
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failures == len(tools) else 0
