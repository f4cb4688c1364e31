"""Pull steps: what brings a flow's code to where it runs. A list of `{"step": {arguments}}`, done in order."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from typing import Any, Callable, Dict, List

from .. import loggers
from ..errors import ForebayError
from ..sources import archive, git
from . import source_cache

Step = Callable[[Dict[str, Any], str], str]


def run(steps: List[Dict[str, Dict[str, Any]]], directory: str) -> str:
    """The directory to import from. PULL_STEP_FAILED naming the step."""
    for number, step in enumerate(steps, 1):
        ((name, arguments),) = step.items()
        if name not in _STEPS and "." not in name:
            raise ForebayError(
                f"pull step {number} is '{name}'; there are {', '.join(sorted(_STEPS))} and functions of your own by "
                "package.module.function",
                "PULL_STEP_FAILED",
            )
        try:
            directory = _do(name, dict(arguments), directory)
        except Exception as error:
            raise ForebayError(f"pull step {number} ({name}): {_what(name, error)}", "PULL_STEP_FAILED") from None
    return directory


def _do(name: str, arguments: Dict[str, Any], directory: str) -> str:
    return _STEPS[name](arguments, directory) if name in _STEPS else _own_function(name, arguments, directory)


def _what(name: str, error: Exception) -> str:
    if isinstance(error, KeyError) and name in _STEPS:
        return f"argument {error} is missing"
    return str(error) if isinstance(error, (ForebayError, OSError)) else f"{type(error).__name__}: {error}"


def _set_working_directory(arguments: Dict[str, Any], directory: str) -> str:
    target = os.path.join(directory, str(arguments["directory"]))
    os.chdir(target)
    return target


def _git_clone(arguments: Dict[str, Any], directory: str) -> str:
    repository = str(arguments["repository"])
    checkout = git.Checkout(
        repository,
        str(arguments.get("branch", "")),
        str(arguments.get("commit", "")),
        bool(arguments.get("submodules")),
        tuple(str(name) for name in arguments.get("directories", ())),
        str(arguments.get("token_variable", "")),
    )
    name = str(arguments.get("directory") or repository.rstrip("/").rpartition("/")[2] or "source")
    target = os.path.join(directory, name[:-4] if name.endswith(".git") else name)
    if checkout.is_pinned():
        known = source_cache.fetch(checkout._asdict(), target, lambda place: _ignore(checkout.make(place)))
        _say_pinned(known, "cloned", f"{repository} at {checkout.commit}")
    else:
        loggers.run_logger().info("cloned %s at %s", repository, checkout.make(target))
    os.chdir(target)
    return target


def _download_archive(arguments: Dict[str, Any], directory: str) -> str:
    url, sha256 = str(arguments["url"]), str(arguments.get("sha256", ""))
    target = os.path.join(directory, str(arguments.get("directory") or "source"))
    token_variable = str(arguments.get("token_variable", ""))

    def make(place: str) -> None:
        archive.fetch(url, place, sha256, token_variable)

    if sha256:
        known = source_cache.fetch({"url": url, "sha256": sha256}, target, make)
        _say_pinned(known, "fetched", url)
    else:
        make(target)
        loggers.run_logger().info("fetched %s", url)
    os.chdir(target)
    return target


def _say_pinned(known: bool, did: str, what: str) -> None:
    loggers.run_logger().info("%s", f"took {what} from the cache" if known else f"{did} {what}")


def _ignore(_: object) -> None:
    return None


def _own_function(name: str, arguments: Dict[str, Any], directory: str) -> str:
    """`package.module.function`: called with the arguments; what it returns may be {"directory": …} to go on from there."""
    place, _, function = name.rpartition(".")
    if directory not in sys.path:
        sys.path.insert(0, directory)
    found = getattr(importlib.import_module(place), function, None)
    if not callable(found):
        raise ForebayError(f"{place} has no function {function}", "PULL_STEP_FAILED")
    answer = found(**arguments)
    if isinstance(answer, dict) and isinstance(answer.get("directory"), str):
        return _set_working_directory(answer, directory)
    return directory


def _run_shell_script(arguments: Dict[str, Any], directory: str) -> str:
    done = subprocess.run(["sh", "-e", "-c", str(arguments["script"])], cwd=directory, check=False)
    if done.returncode != 0:
        raise ForebayError(f"the script ended with exit code {done.returncode}", "PULL_STEP_FAILED")
    return directory


def _pip_install_requirements(arguments: Dict[str, Any], directory: str) -> str:
    name = os.path.join(directory, str(arguments.get("file", "requirements.txt")))
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "-r", name]
    done = subprocess.run(command, cwd=directory, check=False)
    if done.returncode != 0:
        raise ForebayError(f"pip ended with exit code {done.returncode}", "PULL_STEP_FAILED")
    return directory


_STEPS: Dict[str, Step] = {
    "set_working_directory": _set_working_directory,
    "git_clone": _git_clone,
    "download_archive": _download_archive,
    "run_shell_script": _run_shell_script,
    "pip_install_requirements": _pip_install_requirements,
}
