"""Folded stacks, one a line with its weight, from what perf and callgrind write."""

import collections
import pathlib
import re
from collections.abc import Iterable

Stacks = collections.Counter
# `fn=(12) name` gives a number to a name, `fn=(12)` means it again.
NAMED = re.compile(r"^(c?fn)=\((\d+)\)(?: (.*))?$")
COST = re.compile(r"^(?:0x[0-9a-f]+|[+-]?\d+|\*) (\d+)$")


def from_perf(lines: Iterable[str]) -> Stacks:
    """Of `perf script -F comm,ip,sym,dso`: a line with the program, frames from the innermost, an empty line."""
    stacks: Stacks = collections.Counter()
    program, frames = "", []
    for line in lines:
        if line.startswith((" ", "\t")) and line.strip():
            frames.append(frame(line))
        elif line.strip():
            program = line.strip()
        elif program:
            stacks[";".join([program, *reversed(frames)])] += 1
            program, frames = "", []
    if program:
        stacks[";".join([program, *reversed(frames)])] += 1
    return stacks


def frame(line: str) -> str:
    """Of an address, a function and where it is from in brackets: the function, or where it is from if it has no name."""
    _, _, rest = line.strip().partition(" ")
    symbol, _, origin = rest.rpartition(" (")
    return clean(symbol) if symbol and symbol != "[unknown]" else f"[{clean(pathlib.PurePath(origin.rstrip(')')).name)}]"


def from_callgrind(lines: Iterable[str], program: str) -> Stacks:
    """Instructions of each function itself. Written with --separate-callers a function's name goes on with its callers."""
    names: dict[str, str] = {}
    stacks: Stacks = collections.Counter()
    function = ""
    of_call = False
    for line in map(str.rstrip, lines):
        if named := NAMED.match(line):
            kind, number, name = named.groups()
            names.setdefault(number, name or "")
            if kind == "fn":
                function = names[number]
        elif line.startswith("calls="):
            of_call = True
        elif cost := COST.match(line):
            # The line after a call has what the called function cost, which is counted there.
            if not of_call:
                stacks[";".join([program, *callers_first(function)])] += int(cost.group(1))
            of_call = False
    return stacks


def callers_first(name: str) -> list[str]:
    parts = [clean(part) for part in name.split("'") if part and not part.isdigit()]
    return parts[::-1]


def clean(symbol: str) -> str:
    """Without what the format of a folded stack is made of."""
    return symbol.replace(";", ",").strip() or "[unknown]"


def write(stacks: Stacks, path):
    path.write_text("".join(f"{stack} {weight}\n" for stack, weight in sorted(stacks.items())))


def shares(stacks: Stacks, program: str) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """Functions of a program with their share of its weight: by themselves, and with what they called; the greatest first."""
    alone, whole = collections.Counter(), collections.Counter()
    total = 0
    for stack, weight in stacks.items():
        root, *frames = stack.split(";")
        if root != program or not frames:
            continue
        total += weight
        alone[frames[-1]] += weight
        whole.update(dict.fromkeys(frames, weight))
    return [[(name, weight / total) for name, weight in counter.most_common()] for counter in (alone, whole)]
