"""What a person sees while an image is built or pushed: on a terminal a line that moves, elsewhere plain lines."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any, Dict, List, Mapping, Optional, TextIO

# Lines of a step that are shown when it fails.
_TAIL = 200
_MEGABYTE = 1e6


class Progress:
    """For one thread. What it writes is no data: it goes to standard error."""

    def __init__(self, stream: Optional[TextIO] = None) -> None:
        self._stream = stream or sys.stderr
        self._moves = self._stream.isatty()
        self._step = ""
        self._began: Dict[str, float] = {}
        self._tails: Dict[str, List[str]] = {}
        self._layers: Dict[str, Mapping[str, Any]] = {}
        self._seen: Dict[str, str] = {}

    def say(self, text: str) -> None:
        self._clear()
        print(text, file=self._stream, flush=True)

    def step(self, name: str, cached: bool = False) -> None:
        """A step begins. One that was not said to be done, and is followed by another, is."""
        if self._step and self._step in self._began:
            self.done(self._step)
        self._layers.clear()
        self._step = name
        if cached:
            self.say(f"  {_first_line(name)}  (as before)")
            return
        self._began[name] = time.monotonic()
        if self._moves:
            self._move(_first_line(name))
        else:
            self.say(f"  {_first_line(name)}")

    def done(self, name: str) -> None:
        began = self._began.pop(name, None)
        if began is not None and self._moves:
            self.say(f"  {_first_line(name, _columns() - 12)}  {time.monotonic() - began:.1f} s")

    def output(self, text: str, name: str = "") -> None:
        name = name or self._step
        tail = self._tails.setdefault(name, [])
        for line in text.splitlines():
            # A bar that moves within its line is told by its last state.
            line = line.rpartition("\r")[2].rstrip()
            tail.append(line)
            if self._moves:
                self._move(f"{_first_line(name, _columns() // 2)}  {line}")
            else:
                self.say(f"      {line}")
        del tail[:-_TAIL]

    def layer(self, layer: str, status: str, detail: Mapping[str, Any]) -> None:
        """One layer of an image on its way."""
        if not layer:
            return
        self._layers[layer] = detail if detail.get("total") else {**self._layers.get(layer, {}), "over": True}
        if self._moves:
            self._move(f"{status.lower()}: {self._layers_text()}")
        elif self._seen.get(layer) != status:
            self._seen[layer] = status
            self.say(f"      {layer}: {status}")

    def failed(self) -> None:
        """Shows the end of the output of the step that failed, unless it has been seen."""
        self._clear()
        if not self._moves:
            return
        print(f"  {self._step}", file=self._stream)
        for line in self._tails.get(self._step, []):
            print(f"      {line}", file=self._stream)
        self._stream.flush()

    def finish(self) -> None:
        if self._step in self._began:
            self.done(self._step)
        self._clear()

    def _layers_text(self) -> str:
        total = sum(int(detail.get("total", 0)) for detail in self._layers.values())
        current = sum(int(detail.get("current", 0)) for detail in self._layers.values())
        over = sum(1 for detail in self._layers.values() if detail.get("over"))
        text = f"{over} of {len(self._layers)} layers"
        return f"{text}, {current / _MEGABYTE:.1f} of {total / _MEGABYTE:.1f} MB" if total else text

    def _move(self, text: str) -> None:
        self._stream.write(f"\r\x1b[2K  {text[: _columns() - 3]}")
        self._stream.flush()

    def _clear(self) -> None:
        if self._moves:
            self._stream.write("\r\x1b[2K")


def _columns() -> int:
    return shutil.get_terminal_size().columns


def _first_line(text: str, most: int = 1000) -> str:
    first, more, _ = text.partition("\n")
    return first[: most - 2] + " …" if more or len(first) > most else first
