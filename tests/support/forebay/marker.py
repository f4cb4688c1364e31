"""Flows that leave marks, and what the marks say. Independent of what the server believes."""

import dataclasses
import pathlib

from .process import is_alive

PROGRAM = pathlib.Path(__file__).with_name("marker_flow.sh")


@dataclasses.dataclass(frozen=True)
class Mark:
    run_id: str
    attempt: int
    epoch: int
    pid: int
    process_start: str
    what: str
    nanoseconds: int


class MarkerFile:
    def __init__(self, path: pathlib.Path):
        self.path = path

    def command(self, *work: str) -> list[str]:
        """argv of a flow that does `work` (see marker_flow.sh) and marks its start and end."""
        return ["/bin/sh", str(PROGRAM), str(self.path), *(work or ("quick",))]

    def marks(self) -> list[Mark]:
        if not self.path.exists():
            return []
        # A last line without its line feed is still being written.
        lines = self.path.read_text().split("\n")[:-1]
        return [Mark(f[0], int(f[1]), int(f[2]), int(f[3]), f[4], f[5], int(f[6])) for f in map(str.split, lines)]

    def of(self, run_id: str, what: str | None = None) -> list[Mark]:
        return [mark for mark in self.marks() if mark.run_id == run_id and what in (None, mark.what)]

    def starts(self, run_id: str) -> list[Mark]:
        return self.of(run_id, "start")

    def living(self) -> list[Mark]:
        """Starts whose process still exists."""
        return [m for m in self.marks() if m.what == "start" and is_alive(m.pid, m.process_start)]
