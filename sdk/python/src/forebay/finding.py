"""Which flows a directory has, by its syntax trees: nothing is imported. Prints {"entrypoints": […]}."""

from __future__ import annotations

import ast
import json
import os
from typing import Iterator, List

_LEFT_OUT = {"node_modules", "site-packages", "build", "dist", "venv", "__pycache__"}
_MOST_FILES = 2000


def main(directory: str) -> int:
    print(json.dumps({"entrypoints": find(directory)}))
    return 0


def find(directory: str) -> List[str]:
    """`file.py:function`, the paths relative to the directory, in their order."""
    found: List[str] = []
    for number, path in enumerate(_files(directory)):
        if number == _MOST_FILES:
            break
        found += [f"{os.path.relpath(path, directory)}:{name}" for name in _flows(path)]
    return found


def _files(directory: str) -> Iterator[str]:
    for folder, folders, files in os.walk(directory):
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT and not name.startswith("."))
        for name in sorted(files):
            if name.endswith(".py"):
                yield os.path.join(folder, name)


def _flows(path: str) -> List[str]:
    try:
        with open(path, encoding="utf-8") as file:
            tree = ast.parse(file.read())
    except (OSError, ValueError, SyntaxError, RecursionError):
        return []
    functions = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return [node.name for node in functions if any(_is_flow(mark) for mark in node.decorator_list)]


def _is_flow(mark: ast.expr) -> bool:
    if isinstance(mark, ast.Call):
        mark = mark.func
    name = mark.attr if isinstance(mark, ast.Attribute) else getattr(mark, "id", "")
    return name == "flow"
