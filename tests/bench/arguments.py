"""The command line of scripts/bench. Standard library alone, so that help and refusals come before anything is installed."""

import argparse
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
USAGE = """scripts/bench [table] [--quick] [--reps N] [--only CELL…]
       scripts/bench dispatch [--runs N] [--workers N] [--slots N] [--batch N | --single]
       scripts/bench peers    [--reps N] [--seconds S] [--only PEER…] [--list]
       scripts/bench profile dispatch [--tool perf|callgrind] [--runs N]"""
COMMANDS = {
    "table": "every cell in turns, as one table of medians and ranges with the targets beside (the default; the longest of them)",
    "dispatch": "one load of runs through server and PostgreSQL, and what a run costs (half a minute)",
    "peers": "the same work on Prefect, River, Graphile Worker and Procrastinate (10 minutes and what installing takes)",
    "profile": "where the server's time goes under that load, as folded stacks, and its instructions a run (some minutes)",
}
PEERS = ("forebay", "river", "graphile", "procrastinate", "prefect")


def whole(text: str) -> int:
    """A whole number of at least one."""
    try:
        number = int(text.replace("_", ""))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def common(parser: argparse.ArgumentParser):
    parser.add_argument(
        "--built",
        action="store_true",
        help="measure the binaries that are there (FOREBAY_BIN_DIR, or build/release/bin): build none",
    )


def add_table(parser: argparse.ArgumentParser):
    parser.add_argument("--quick", action="store_true", help="one small repetition, to see that it works (some minutes)")
    parser.add_argument("--reps", type=whole, default=5, metavar="N", help="repetitions, in turns (default: 5)")
    parser.add_argument("--deep", type=whole, default=1_000_000, metavar="N", help="runs of the deep backlog (default: 1000000)")
    parser.add_argument("--soak", type=whole, default=0, metavar="MINUTES", help="half load for so long (default: not at all)")
    parser.add_argument(
        "--snapshot", type=whole, default=0, metavar="MINUTES",
        help="hold the snapshot of the backlog cell open so long while its queue gives out all it can (default: 20 seconds)",
    )  # fmt: skip
    parser.add_argument("--only", nargs="+", default=[], metavar="CELL", help="these cells alone; a wrong name lists them all")
    parser.add_argument(
        "--out", type=pathlib.Path, default=ROOT / "build" / "bench.json", metavar="FILE", help="each value, as JSON"
    )


def add_load(parser: argparse.ArgumentParser, runs: int):
    parser.add_argument("--runs", type=whole, default=runs, metavar="N", help=f"runs to submit and finish (default: {runs})")
    parser.add_argument(
        "--workers", type=whole, default=64, metavar="N", help="simulated workers, each with its connection (default: 64)"
    )
    parser.add_argument("--slots", type=whole, default=16, metavar="N", help="runs that a worker holds at once (default: 16)")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--batch", type=whole, default=100, metavar="N", help="runs a submission (default: 100)")
    size.add_argument("--single", action="store_const", const=1, dest="batch", help="one run a submission")
    parser.add_argument(
        "--in-flight", type=whole, metavar="N", help="submissions at once (default: 16 of batches, 512 of single runs)"
    )


def add_dispatch(parser: argparse.ArgumentParser):
    add_load(parser, 100_000)
    parser.add_argument(
        "--reps", type=whole, default=1, metavar="N", help="repetitions; medians and ranges are printed (default: 1)"
    )
    parser.add_argument("--statements", action="store_true", help="also what each statement did: calls, rows, time and WAL a run")
    parser.add_argument(
        "--out", type=pathlib.Path, default=ROOT / "build" / "dispatch.json", metavar="FILE", help="each value, as JSON"
    )


def add_peers(parser: argparse.ArgumentParser):
    parser.add_argument("--reps", type=whole, default=3, metavar="N", help="rounds in which each takes its turn (default: 3)")
    parser.add_argument(
        "--seconds", type=whole, default=10, metavar="S", help="what a load should take of each, about (default: 10)"
    )
    parser.add_argument(
        "--batch", type=whole, default=100, metavar="N", help="jobs a submission, where a peer can (default: 100)"
    )
    parser.add_argument("--only", nargs="+", choices=PEERS, default=list(PEERS), metavar="PEER", help=f"of {', '.join(PEERS)}")
    parser.add_argument(
        "--list", action="store_true", help="print the pinned versions and what each row includes; measure nothing"
    )
    parser.add_argument(
        "--cache", type=pathlib.Path, metavar="FOLDER", help="where peers are installed (default: ~/.cache/forebay/peers)"
    )
    parser.add_argument(
        "--out", type=pathlib.Path, default=ROOT / "build" / "peers.json", metavar="FILE", help="each value, as JSON"
    )


def add_profile(parser: argparse.ArgumentParser):
    parser.add_argument("what", choices=["dispatch"], help="the load to look at")
    add_load(parser, 50_000)
    parser.add_argument(
        "--tool", choices=["auto", "perf", "callgrind"], default="auto",
        help="perf samples the time of server and PostgreSQL; callgrind counts the server's instructions, far slower, on a "
        "fiftieth of the runs. auto: both, or what works here",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=pathlib.Path, default=ROOT / "build" / "profile", metavar="FOLDER", help="folder of the stacks"
    )


EPILOG = {
    "table": "Units stand beside the values. Exits 1 when a run was lost or doubled.",
    "dispatch": "A run counts when its end is committed and its worker has been told so. CPU in microseconds a run; WAL in "
    "bytes a run; commits that wrote. Exits 1 when a run was lost or doubled.",
    "peers": "Each works on a fresh database of one PostgreSQL with fsync and synchronous_commit on. A job counts when "
    "PostgreSQL has its end. Exits 1 when one lost or doubled a job. A peer that cannot be installed is named as left out, with the reason.",
    "profile": "A .folded file has one stack a line and its weight, as flame graph programs read it.",
}


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="scripts/bench", usage=USAGE, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures a release build on this machine, against a PostgreSQL and servers of its own on loopback.\n"
        "Installs and builds what is missing first.",
        epilog="scripts/bench COMMAND --help says what a command measures and takes. docs/guide/benchmark.md explains the rows.",
    )  # fmt: skip
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands", prog="scripts/bench")
    fill = {"table": add_table, "dispatch": add_dispatch, "peers": add_peers, "profile": add_profile}
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", epilog=EPILOG[name])
        fill[name](command)
        common(command)
    return top


def parse(words: list[str]) -> argparse.Namespace:
    """Ends the process with 2 and a line that says why when the words make no sense. Without a command: the table."""
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help")):
        words = ["table", *words]
    options = parser().parse_args(words)
    if options.command in ("dispatch", "profile") and options.in_flight is None:
        options.in_flight = 512 if options.batch == 1 else 16
    return options
