"""The Dockerfile that is made where the user has none."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from typing import Any, Dict, List, Tuple

from ..errors import ForebayError
from . import wheel

# Where the flows lie in the image.
DIRECTORY = "/opt/flows"
# The build's context: the user's files below a folder, ours beside it.
USERS = "flows"
DOCKERFILE = "Dockerfile"
_REQUIREMENTS = "requirements.txt"
_USER = 10001
_PIP = "PIP_ROOT_USER_ACTION=ignore PIP_BREAK_SYSTEM_PACKAGES=1 python3 -m pip install --no-cache-dir --quiet"


def default_base() -> str:
    """That of this interpreter's version, unless FOREBAY_BASE_IMAGE says otherwise."""
    return os.environ.get("FOREBAY_BASE_IMAGE") or f"python:{sys.version_info[0]}.{sys.version_info[1]}-slim"


def make(directory: str, base: str) -> Tuple[str, Dict[str, bytes]]:
    """The text, and the files of ours that it takes from the context. What changes seldom comes first: the package, then
    the requirements, then the code."""
    files = {wheel.file_name(): wheel.build()}
    lines = [
        f"FROM {base}",
        "USER 0:0",
        f"ENV HOME=/home/flow PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH={DIRECTORY}",
        # A name for the number, by the shell alone: useradd and adduser are not in every image.
        f"RUN mkdir -p /home/flow {DIRECTORY} && chown {_USER}:{_USER} /home/flow {DIRECTORY} && "
        "{ grep -q '^flow:' /etc/passwd || { "
        f"echo 'flow:x:{_USER}:{_USER}:flow:/home/flow:/bin/sh' >> /etc/passwd && echo 'flow:x:{_USER}:' >> /etc/group; }}; }}",
        f"COPY {wheel.file_name()} /tmp/forebay/",
        f"RUN {_PIP} --no-index --no-deps --force-reinstall /tmp/forebay/{wheel.file_name()}",
    ]
    lines += _requirements(directory, files)
    lines += [f"WORKDIR {DIRECTORY}", f"COPY --chown={_USER}:{_USER} {USERS} {DIRECTORY}"]
    if _is_project(directory):
        lines.append(f"RUN {_PIP} --no-deps {DIRECTORY}")
    lines.append(f"USER {_USER}:{_USER}")
    return "\n".join(lines) + "\n", files


def _requirements(directory: str, files: Dict[str, bytes]) -> List[str]:
    if os.path.isfile(os.path.join(directory, "requirements.txt")):
        name = f"{USERS}/requirements.txt"
    else:
        wanted = _project(directory).get("dependencies", [])
        if not wanted:
            return []
        name = _REQUIREMENTS
        files[name] = "".join(f"{line}\n" for line in wanted).encode()
    return [f"COPY {name} /tmp/forebay/requirements.txt", f"RUN {_PIP} -r /tmp/forebay/requirements.txt"]


def _is_project(directory: str) -> bool:
    """Something that pip installs, and whose modules flows import by name."""
    return bool(_project(directory).get("name"))


def _project(directory: str) -> Dict[str, Any]:
    path = os.path.join(directory, "pyproject.toml")
    try:
        with open(path, "rb") as file:
            return dict(_toml(file.read().decode(), path).get("project", {}))
    except FileNotFoundError:
        return {}


def _toml(text: str, path: str) -> Dict[str, Any]:
    # The second one is pip's own, for Python before 3.11.
    found = next((name for name in ("tomllib", "pip._vendor.tomli") if _has(name)), "")
    if not found:
        raise ForebayError(
            f"{path} cannot be read by Python {sys.version_info[0]}.{sys.version_info[1]} without pip; list what the flow "
            "needs in requirements.txt",
            "INVALID_PROJECT",
        )
    try:
        return dict(importlib.import_module(found).loads(text))
    except ValueError as error:
        raise ForebayError(f"{path}: {error}", "INVALID_PROJECT") from None


def _has(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
