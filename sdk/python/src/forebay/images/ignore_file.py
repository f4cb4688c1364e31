"""Which files a .dockerignore leaves out (https://docs.docker.com/build/concepts/context/#dockerignore-files)."""

from __future__ import annotations

import posixpath
import re
from typing import Dict, Iterable, List, Tuple

# Left out where a project has no .dockerignore: history, caches, environments, and what holds secrets by custom.
DEFAULT = (
    ".git",
    "**/__pycache__",
    "**/*.pyc",
    "**/.venv",
    "**/venv",
    "**/node_modules",
    "**/.mypy_cache",
    "**/.pytest_cache",
    "**/.ruff_cache",
    "**/.env",
)


class IgnoreFile:
    """The last pattern that fits a path, or a directory above it, decides; `!` takes it back in. A `!` that found nothing to
    take back of a directory does not apply below it either (https://github.com/moby/patternmatcher)."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._known: Dict[str, Tuple[bool, List[bool]]] = {"": (False, [])}
        self._patterns: List[Tuple["re.Pattern[str]", bool]] = []
        for line in lines:
            pattern = line.rstrip("\r\n").lstrip("\ufeff")
            if pattern.startswith("#") or not pattern.strip():
                continue
            pattern = pattern.strip()
            back = pattern.startswith("!")
            cleaned = posixpath.normpath(pattern[1:].strip() if back else pattern).lstrip("/")
            if cleaned not in ("", "."):
                self._patterns.append((re.compile(_expression(cleaned)), back))

    @property
    def takes_back(self) -> bool:
        """Something below a directory that is left out may yet be in."""
        return any(back for _, back in self._patterns)

    def leaves_out(self, path: str) -> bool:
        """`path` is relative, with slashes."""
        return self._fit(path)[0]

    def _fit(self, path: str) -> Tuple[bool, List[bool]]:
        """Whether it is left out, and which patterns have decided so on the way there."""
        if path not in self._known:
            above = self._fit(path.rpartition("/")[0])[1] or [False] * len(self._patterns)
            out, fits = False, []
            for (expression, back), fitted_above in zip(self._patterns, above):
                fits.append(fitted_above or (out == back and expression.fullmatch(path) is not None))
                if fits[-1]:
                    out = not back
            self._known[path] = (out, fits)
        return self._known[path]


def _expression(pattern: str) -> str:
    text, at = "", 0
    while at < len(pattern):
        letter = pattern[at]
        at += 1
        if letter == "*":
            piece, at = _stars(pattern, at)
            text += piece
        elif letter == "?":
            text += "[^/]"
        elif letter == "[" and "]" in pattern[at + 1 :]:
            end = pattern.index("]", at + 1)
            text += "[" + pattern[at:end].replace("[", "\\[") + "]"
            at = end + 1
        else:
            if letter == "\\" and at < len(pattern):
                letter = pattern[at]
                at += 1
            text += re.escape(letter)
    return text


def _stars(pattern: str, at: int) -> Tuple[str, int]:
    if pattern[at : at + 1] != "*":
        return "[^/]*", at
    at += 1
    if pattern[at : at + 1] == "/":
        return "(?:.*/)?", at + 1
    return ".*", at
