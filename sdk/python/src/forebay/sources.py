"""Flows whose code lies elsewhere: `flow.from_source(source="https://…/repo.git", entrypoint="a.py:f")`."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from typing import Any, Dict, List, Optional, cast

from .errors import ForebayError

_SCHEMES = re.compile(r"^(https|http|ssh|git|file)://[^\s]+$")
_SCP = re.compile(r"^[A-Za-z0-9._]+@[A-Za-z0-9.-]+:[^\s]+$")
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._/+@-]*$")


def check_repository(url: str) -> None:
    """Refuses what git would take for an option or a program to run (INVALID_SOURCE)."""
    if not (_SCHEMES.match(url) or _SCP.match(url)) or "::" in url.partition("//")[0]:
        raise ForebayError(
            f"'{url}' is no repository that is cloned here: https, ssh, git and file URLs are", "INVALID_SOURCE"
        )


def check_reference(name: str, what: str) -> None:
    if not _NAME.match(name) or ".." in name:
        raise ForebayError(f"{what} '{name}' is no name of a {what}", "INVALID_SOURCE")


def clone(repository: str, directory: str, branch: str = "", commit: str = "", submodules: bool = False) -> str:
    """Clones into `directory`, which must not exist or be empty; the commit that lies there then. GIT_FAILED with what
    git said."""
    check_repository(repository)
    if branch:
        check_reference(branch, "branch")
    if commit:
        check_reference(commit, "commit")
    if commit:
        _git("init", "--quiet", "--", directory)
        _git("-C", directory, "fetch", "--quiet", "--depth", "1", "--", repository, commit)
        _git("-C", directory, "checkout", "--quiet", "--detach", "FETCH_HEAD")
    else:
        _git("clone", "--quiet", "--depth", "1", *(["--branch", branch] if branch else []), "--", repository, directory)
    if submodules:
        _git("-C", directory, "submodule", "update", "--quiet", "--init", "--recursive", "--depth", "1")
    return _git("-C", directory, "rev-parse", "HEAD").strip()


def _git(*words: str) -> str:
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:http:ssh:git:file"}
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, env=environment, check=False)
    except FileNotFoundError:
        raise ForebayError("git is not installed here", "GIT_FAILED") from None
    if done.returncode != 0:
        raise ForebayError(f"git {words[0]}: {done.stderr.strip() or done.returncode}", "GIT_FAILED")
    return done.stdout


def load(source: str, entrypoint: str, branch: str, commit: str, submodules: bool, follow_branch: bool) -> Any:
    """The flow at `entrypoint` of `source`, with the pull steps that bring it to where it runs."""
    from .engine import entrypoint as entrypoints

    if os.path.isdir(source):
        directory: str = os.path.abspath(source)
        steps: List[Dict[str, Any]] = [{"set_working_directory": {"directory": directory}}]
        return _loaded(entrypoints, directory, entrypoint, steps)
    with tempfile.TemporaryDirectory(prefix="forebay-source-") as scratch:
        directory = os.path.join(scratch, "source")
        resolved = clone(source, directory, branch, commit, submodules)
        pin: Dict[str, Any] = {"branch": branch} if follow_branch else {"commit": resolved}
        if submodules:
            pin["submodules"] = True
        return _loaded(entrypoints, directory, entrypoint, [{"git_clone": {"repository": source, **pin}}])


def _loaded(entrypoints: Any, directory: str, entrypoint: str, steps: List[Dict[str, Any]]) -> Any:
    flow = cast(Any, entrypoints.load(entrypoint, directory))
    flow.set_origin(entrypoint, steps)
    return flow


def from_source(
    source: str,
    entrypoint: str,
    *,
    branch: str = "",
    commit: str = "",
    submodules: bool = False,
    follow_branch: Optional[bool] = None,
) -> Any:
    """A flow of a git repository or a local directory, to be deployed.

    The deployment records the commit that `branch` (default the repository's own) leads to now; with
    `follow_branch=True` each run takes what the branch leads to then.
    """
    return load(source, entrypoint, branch, commit, submodules, bool(follow_branch))
