"""The same work on Forebay and its peers, in turns on one PostgreSQL; one table. `scripts/bench peers`."""

import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap

from forebay.postgres import TestPostgres
from installing import default_cache
from library_peers import Graphile, Procrastinate, River
from peer import Broken, LeftOut, Peer, Work
from server_peers import Forebay, Prefect

from program import Failed

SETTINGS = {"shared_buffers": "256MB", "max_wal_size": "4GB"}
ROWS = [
    ("rate", "jobs submitted and finished", "/s"),
    ("server_cpu_us", "  CPU a job: server", "µs"),
    ("program_cpu_us", "  CPU a job: program that submits and works", "µs"),
    ("postgres_cpu_us", "  CPU a job: PostgreSQL", "µs"),
    ("wal_bytes", "  write-ahead log a job", "B"),
    ("commits", "  commits that wrote, a job", ""),
    ("pickup_p50_ms", "  idle: acknowledged to handler begins, p50", "ms"),
    ("pickup_p99_ms", "  idle: p99", "ms"),
    ("from_call_p50_ms", "  idle: submission's call to handler begins, p50", "ms"),
    ("from_call_p99_ms", "  idle: p99", "ms"),
    ("ours", "  Forebay's rate as a multiple of it, same round", ""),
]


def refuse(_) -> None:
    return None


def needs_build(options) -> bool:
    return "forebay" in options.only and not options.list


def chosen(options, postgres: TestPostgres | None) -> list[Peer]:
    """In the order of their turns."""
    cache = (options.cache or default_cache()).resolve()
    makers = {
        "forebay": lambda: Forebay(postgres),
        "river": lambda: River(postgres, cache),
        "graphile": lambda: Graphile(postgres, cache),
        "procrastinate": lambda: Procrastinate(postgres, cache),
        "prefect": lambda: Prefect(postgres, cache),
    }
    return [make() for name, make in makers.items() if name in options.only]


def say(text: str):
    print(text, file=sys.stderr, flush=True)


def installed(peers: list[Peer]) -> tuple[list[Peer], dict[str, str]]:
    """Those that can be measured, and why not of the others."""
    here, left_out = [], {}
    for peer in peers:
        try:
            say(f"installing: {peer.versions()}")
            peer.install()
            here.append(peer)
        except LeftOut as reason:
            left_out[peer.name] = str(reason)
            say(f"left out: {peer.name} ({reason})")
    return here, left_out


class Match:
    """Peers taking turns. One that fails once is out; the others go on."""

    def __init__(self, options, peers: list[Peer], folder: pathlib.Path):
        self.peers = peers
        self.failed: dict[str, str] = {}
        self._options = options
        self._folder = folder
        self._jobs = {peer.name: peer.first_jobs for peer in peers}

    def size_loads(self):
        """From the better of two unmeasured loads of each; they also warm what is warmed by being used."""
        for peer in list(self.peers):
            rates = [told["rate"] for _ in range(2) if peer in self.peers and (told := self._turn(peer, "sizing", idle=False))]
            if peer in self.peers:
                self._jobs[peer.name] = max(peer.first_jobs, round(max(rates) * self._options.seconds / 100) * 100)

    def round(self, number: int) -> dict[str, dict[str, float]]:
        turns = {peer.name: self._turn(peer, f"round {number}") for peer in list(self.peers)}
        told = {name: values for name, values in turns.items() if values}
        if "forebay" in told:
            for name, values in told.items():
                if name != "forebay":
                    values["ours"] = told["forebay"]["rate"] / values["rate"]
        return told

    def _turn(self, peer: Peer, what: str, idle: bool = True) -> dict[str, float]:
        """Nothing when it failed."""
        # A load that takes six times what it was sized for has come to a stand.
        load = Work(self._jobs[peer.name], batch=self._options.batch, patience=60 + 6 * self._options.seconds)
        try:
            done = peer.take_turn(self._folder, load, idle)
        except (Broken, Failed, AssertionError) as failure:
            self.failed[peer.name] = str(failure)
            self.peers.remove(peer)
            say(f"{what}: FAILED: {failure}")
            return {}
        waited = f"; idle pick-up {done['pickup_p50_ms']:.1f} ms" if idle else ""
        say(f"{what}: {peer.name}: {load.jobs} jobs, {done['rate']:,.0f}/s{waited}")
        return done


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def print_table(match: Match, rounds: list[dict], left_out: dict[str, str]):
    for peer in match.peers:
        print(f"\n{peer.versions()}")
        print(textwrap.fill(f"a job's way: {peer.includes}", 130, initial_indent="  ", subsequent_indent="    "))
        print(textwrap.fill(f"settings: {peer.tuning}", 130, initial_indent="  ", subsequent_indent="    "))
        for metric, title, unit in ROWS:
            values = sorted(told[peer.name][metric] for told in rounds if metric in told[peer.name])
            if values:
                extent = f"{number(values[0])} – {number(values[-1])}" if len(values) > 1 else ""
                print(f"  {title:<56}{number(statistics.median(values)):>10} {unit:<3} {extent}")
    for name, reason in left_out.items():
        print(f"\nleft out: {name} ({reason})")
    for failure in match.failed.values():
        print(f"\nFAILED: {failure}")


def print_list(peers: list[Peer]):
    for peer in peers:
        print(f"{peer.name}: {'this tree' if peer.name == 'forebay' else ', '.join(peer.place.pins)}")
        print(textwrap.fill(peer.includes, 130, initial_indent="    ", subsequent_indent="    "))


def write(options, match: Match, rounds: list[dict], left_out: dict[str, str]):
    described = {
        peer.name: {"version": peer.versions(), "includes": peer.includes, "settings": peer.tuning} for peer in match.peers
    }
    postgres = subprocess.run(["psql", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(
        json.dumps(
            {
                "machine": {"cores": os.cpu_count(), "kernel": platform.release(), "postgres": postgres, "settings": SETTINGS},
                "batch": options.batch, "units": {metric: unit for metric, _, unit in ROWS},
                "peers": described, "left_out": left_out, "failed": match.failed, "repetitions": rounds,
            }, indent=1, ensure_ascii=False,
        ) + "\n"
    )  # fmt: skip


def run(options) -> int:
    if options.list:
        print_list(chosen(options, None))
        return 0
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fbpeers-", dir="/tmp"))
    folder.chmod(0o755)
    postgres = TestPostgres(**SETTINGS)
    try:
        peers, left_out = installed(chosen(options, postgres))
        match = Match(options, peers, folder)
        match.size_loads()
        rounds = [match.round(number + 1) for number in range(options.reps)]
    finally:
        postgres.destroy()
        shutil.rmtree(folder, ignore_errors=True)
    write(options, match, rounds, left_out)
    size = f"submitted in batches of {options.batch}" if options.batch > 1 else "submitted one by one"
    print(
        f"jobs of about 200 bytes that do nothing, {size} while others are worked; {len(rounds)} rounds; {os.cpu_count()} cores; "
        "no job lost or doubled by those in the table"
    )
    print_table(match, rounds, left_out)
    return 1 if match.failed or not match.peers else 0
