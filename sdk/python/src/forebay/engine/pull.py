"""Pull steps: what brings a flow's code to where it runs. A list of `{"step": {arguments}}`, done in order."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any, Callable, Dict, List

from .. import sources
from ..errors import ForebayError

Step = Callable[[Dict[str, Any], str], str]


def run(steps: List[Dict[str, Dict[str, Any]]], directory: str) -> str:
    """The directory to import from. PULL_STEP_FAILED naming the step."""
    for number, step in enumerate(steps, 1):
        ((name, arguments),) = step.items()
        if name not in _STEPS:
            raise ForebayError(
                f"pull step {number} is '{name}'; there are {', '.join(sorted(_STEPS))}", "PULL_STEP_FAILED"
            )
        try:
            directory = _STEPS[name](dict(arguments), directory)
        except (ForebayError, OSError, KeyError, subprocess.SubprocessError) as error:
            what = f"argument {error} is missing" if isinstance(error, KeyError) else str(error)
            raise ForebayError(f"pull step {number} ({name}): {what}", "PULL_STEP_FAILED") from None
    return directory


def _set_working_directory(arguments: Dict[str, Any], directory: str) -> str:
    target = os.path.join(directory, str(arguments["directory"]))
    os.chdir(target)
    return target


def _git_clone(arguments: Dict[str, Any], directory: str) -> str:
    repository = str(arguments["repository"])
    name = str(arguments.get("directory") or repository.rstrip("/").rpartition("/")[2] or "source")
    name = name[:-4] if name.endswith(".git") else name
    target = os.path.join(directory, name)
    commit = sources.clone(
        repository,
        target,
        str(arguments.get("branch", "")),
        str(arguments.get("commit", "")),
        bool(arguments.get("submodules")),
    )
    print(f"cloned {repository} at {commit}", flush=True)
    os.chdir(target)
    return target


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
    "run_shell_script": _run_shell_script,
    "pip_install_requirements": _pip_install_requirements,
}
