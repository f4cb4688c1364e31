"""A plan of EXPLAIN (FORMAT JSON) as text that does not depend on the day, the statistics or the number of partitions."""

import re
from collections.abc import Iterator

WEEK = re.compile(r"_\d{4}w\d\d")
WEEK_MARK = "_<week>"
# The planner numbers what is joined to each partition.
NUMBERED = re.compile(r"\b([a-z]\w*?)_\d+(?=\.)")
CONDITIONS = (
    "Index Cond", "Recheck Cond", "TID Cond", "Join Filter", "Filter", "One-Time Filter", "Sort Key", "Presorted Key",
    "Group Key", "Hash Cond", "Merge Cond", "Conflict Resolution", "Conflict Arbiter Indexes", "Conflict Filter",
)  # fmt: skip


def nodes(plan: dict) -> Iterator[dict]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def render(plan: dict) -> str:
    return "\n".join(_lines(plan)) + "\n"


def _lines(node: dict) -> list[str]:
    lines = [_title(node)]
    for key in CONDITIONS:
        if key in node:
            value = node[key]
            text = ", ".join(value) if isinstance(value, list) else value
            lines.append(f"    {key}: {_without_numbers(text)}")
    previous = None
    for child in node.get("Plans", ()):
        block = _lines(child)
        # One of each week's partitions stands for all whose plan is the same.
        if block != previous or WEEK_MARK not in block[0]:
            lines += ["  " + line for line in block]
        previous = block
    return lines


def _without_numbers(text: str) -> str:
    return NUMBERED.sub(r"\1", WEEK.sub(WEEK_MARK, text))


def _title(node: dict) -> str:
    words = []
    if "Subplan Name" in node:
        words.append(node["Subplan Name"] + ":")
    words.append(node.get("Operation") or node["Node Type"])
    if node.get("Join Type", "Inner") != "Inner":
        words.append(node["Join Type"])
    if node.get("Scan Direction") == "Backward":
        words.append("backward")
    if "Index Name" in node:
        words.append(f"using {node['Index Name']}")
    for key in ("Relation Name", "CTE Name", "Function Name"):
        if key in node:
            words.append(f"on {node[key]}")
            if (alias := re.sub(r"_\d+$", "", node.get("Alias", node[key]))) != node[key]:
                words.append(alias)
    return _without_numbers(" ".join(words))
