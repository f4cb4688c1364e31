"""From an entrypoint to its flow: `path/to/file.py:function` or `package.module:function`."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from typing import Any, List

from ..errors import FlowNotFound
from ..flows import Flow


def load(entrypoint: str, directory: str = "") -> "Flow[..., Any]":
    """FlowNotFound with the reason; an error while importing is shown with the user's frames only."""
    place, separator, name = entrypoint.rpartition(":")
    if not separator or not place or not name:
        raise FlowNotFound(f"entrypoint '{entrypoint}' is not path/to/file.py:function", "INVALID_ENTRYPOINT")
    module = _import(place, directory or os.getcwd())
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    flows = sorted(key for key, value in vars(module).items() if isinstance(value, Flow))
    if not isinstance(found, Flow):
        what = (
            f"{place} has no `{name}`"
            if found is None
            else f"`{name}` in {place} is no flow, it is a {type(found).__name__}"
        )
        hint = f"; its flows are: {', '.join(flows)}" if flows else "; it has no flow: put @flow before the function"
        raise FlowNotFound(what + hint, "NOT_A_FLOW")
    _refuse_twins(found, module, place)
    return found


def _refuse_twins(found: "Flow[..., Any]", module: Any, place: str) -> None:
    twins: List[str] = []
    for key, value in vars(module).items():
        if isinstance(value, Flow) and value is not found and value.name == found.name and value.fn is not found.fn:
            twins.append(key)
    if twins:
        raise FlowNotFound(
            f"{place} has several flows of the name {found.name}: {found.fn.__name__}, {', '.join(twins)}; give one another name",
            "DUPLICATE_FLOW",
        )


def _import(place: str, directory: str) -> Any:
    path = os.path.join(directory, place)
    is_file = place.endswith(".py")
    if is_file and not os.path.isfile(path):
        raise FlowNotFound(f"there is no file {path}", "FILE_NOT_FOUND")
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)) if is_file else directory)
    try:
        return _import_file(path) if is_file else importlib.import_module(place)
    except FlowNotFound:
        raise
    except (Exception, SystemExit) as error:
        raise FlowNotFound(f"{place} cannot be imported:\n{users_trace(error)}", "IMPORT_FAILED") from None


def _import_file(path: str) -> Any:
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise FlowNotFound(f"{path} cannot be read as Python", "IMPORT_FAILED")
    module = importlib.util.module_from_spec(spec)
    # Under its name, so that dataclasses, pickles and type hints of it are found.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def users_trace(error: BaseException) -> str:
    """The traceback without the frames of this package and of the import machinery."""
    import traceback

    shown = traceback.TracebackException.from_exception(error)
    _shorten(shown)
    return "".join(shown.format()).rstrip("\n")


def _shorten(shown: Any) -> None:
    kept = [frame for frame in shown.stack if not frame.filename.startswith((_OURS, "<frozen"))]
    if kept:
        shown.stack = type(shown.stack).from_list(kept)
    for inner in (shown.__cause__, shown.__context__):
        if inner is not None:
            _shorten(inner)
