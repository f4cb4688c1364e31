"""What scripts/chaos says at its end: the cases with their repetitions and breaks, and how long recoveries took."""

import collections
import dataclasses
import json
import math
import pathlib
import statistics
from xml.etree import ElementTree


@dataclasses.dataclass
class Case:
    seconds: list[float] = dataclasses.field(default_factory=list)
    broken: int = 0


class Report:
    def __init__(self):
        self._cases: dict[str, Case] = collections.defaultdict(Case)
        # By what recovered: its aim and the times it took, in seconds.
        self._recoveries: dict[str, tuple[float, list[float]]] = {}

    @property
    def breaks(self) -> int:
        return sum(case.broken for case in self._cases.values())

    def add_cases(self, junit: pathlib.Path):
        for element in ElementTree.parse(junit).getroot().iter("testcase"):
            case = self._cases[f"{element.get('classname').rsplit('.', 1)[-1]}::{element.get('name')}"]
            if element.find("skipped") is None:
                case.seconds.append(float(element.get("time")))
                case.broken += element.find("failure") is not None or element.find("error") is not None

    def add_recoveries(self, lines: pathlib.Path):
        """One JSON object a line: what, seconds, aim."""
        for line in lines.read_text().splitlines() if lines.exists() else []:
            recovery = json.loads(line)
            self._recoveries.setdefault(recovery["what"], (recovery["aim"], []))[1].append(recovery["seconds"])

    def lines(self) -> list[str]:
        return [*self._case_lines(), *(["", *self._recovery_lines()] if self._recoveries else [])]

    def _case_lines(self) -> list[str]:
        lines = [f"{'case':<100}{'runs':>6}{'breaks':>8}{'median s':>10}{'longest s':>11}"]
        for name, case in sorted(self._cases.items()):
            if not case.seconds:
                lines.append(f"{name:<100}{'skipped':>6}")
                continue
            median, longest = statistics.median(case.seconds), max(case.seconds)
            lines.append(f"{name:<100}{len(case.seconds):>6}{case.broken:>8}{median:>10.1f}{longest:>11.1f}")
        return lines

    def _recovery_lines(self) -> list[str]:
        lines = [f"{'recovery':<60}{'count':>7}{'p50 s':>9}{'p99 s':>9}{'longest s':>11}{'aim s':>8}"]
        for what, (aim, seconds) in sorted(self._recoveries.items()):
            p50, p99 = percentile(seconds, 50), percentile(seconds, 99)
            late = "" if p99 <= aim else "  late"
            lines.append(f"{what:<60}{len(seconds):>7}{p50:>9.2f}{p99:>9.2f}{max(seconds):>11.2f}{aim:>8.1f}{late}")
        return lines


def percentile(values: list[float], percent: float) -> float:
    """The smallest value that so many percent of all do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
