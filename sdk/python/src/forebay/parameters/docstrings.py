"""What a docstring says of each parameter, in the styles of Google, NumPy and Sphinx."""

from __future__ import annotations

import inspect
import re
from typing import Any, Callable, Dict, List

_SPHINX = re.compile(r"^\s*:param(?:\s+[^:]+?)?\s+(\w+)\s*:\s*(.*)$")
_GOOGLE = re.compile(r"^(\s+)\*{0,2}(\w+)(?:\s*\([^)]*\))?\s*:\s*(.*)$")
_HEADINGS = ("args:", "arguments:", "parameters:", "params:")


def parameters(fn: Callable[..., Any]) -> Dict[str, str]:
    lines = (inspect.getdoc(fn) or "").splitlines()
    found: Dict[str, str] = {}
    for index, line in enumerate(lines):
        if match := _SPHINX.match(line):
            found[match.group(1)] = _with_following(match.group(2), lines[index + 1 :], 1)
        elif line.strip().lower() in _HEADINGS:
            found.update(_google(lines[index + 1 :]))
        elif line.strip() == "Parameters" and index + 1 < len(lines) and set(lines[index + 1].strip()) == {"-"}:
            found.update(_numpy(lines[index + 2 :]))
    return found


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _with_following(first: str, rest: List[str], deeper_than: int) -> str:
    words = [first.strip()]
    for line in rest:
        if not line.strip() or _indent(line) < deeper_than:
            break
        words.append(line.strip())
    return " ".join(word for word in words if word)


def _google(lines: List[str]) -> Dict[str, str]:
    found: Dict[str, str] = {}
    depth = next((_indent(line) for line in lines if line.strip()), 0)
    for index, line in enumerate(lines):
        if line.strip() and _indent(line) < max(depth, 1):
            break
        match = _GOOGLE.match(line)
        if match and len(match.group(1)) == depth:
            found[match.group(2)] = _with_following(match.group(3), lines[index + 1 :], depth + 1)
    return found


def _numpy(lines: List[str]) -> Dict[str, str]:
    found: Dict[str, str] = {}
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else ""
        if line.strip() and following.strip() and set(following.strip()) == {"-"}:
            break
        if line.strip() and _indent(line) == 0:
            for name in line.split(":")[0].split(","):
                found[name.strip()] = _with_following("", lines[index + 1 :], 1)
    return found
