"""Flows whose code lies elsewhere: `flow.from_source(source="https://…/repo.git", entrypoint="a.py:f")`."""

from __future__ import annotations

import os
import tempfile
from typing import Any, Dict, List, Optional, Sequence, cast

from ..errors import ForebayError
from . import archive, git


def from_source(
    source: str,
    entrypoint: str,
    *,
    branch: str = "",
    tag: str = "",
    commit: str = "",
    submodules: bool = False,
    directories: Sequence[str] = (),
    token_variable: str = "",
    sha256: str = "",
    follow_branch: Optional[bool] = None,
) -> Any:
    """A flow of a git repository, an archive or a local directory, to be deployed.

    source: URL of a repository; https URL that ends in .zip, .tar, .tar.gz, .tgz, .tar.bz2 or .tar.xz; or a directory.
    entrypoint: `path/to/file.py:function` or `package.module:function`, from the source's root.
    branch, tag, commit: of a repository; default its own branch. submodules: with them. directories: only these.
    token_variable: the environment variable, here and where the flow runs, that holds a token for an https source. The
        token itself is stored nowhere.
    sha256: of the archive, which then has to be that one.
    follow_branch: each run takes what the branch leads to then; else the deployment records the commit (of an archive the
        SHA-256) that it leads to now.
    """
    if os.path.isdir(source):
        directory = os.path.abspath(source)
        return _loaded(directory, entrypoint, [{"set_working_directory": {"directory": directory}}])
    with tempfile.TemporaryDirectory(prefix="forebay-source-") as scratch:
        target = os.path.join(scratch, "source")
        if archive.is_archive(source):
            if branch or tag or commit or submodules or directories or follow_branch:
                raise ForebayError(
                    f"'{source}' is an archive; branches, commits and the like are of repositories", "INVALID_SOURCE"
                )
            found = archive.fetch(source, target, sha256, token_variable)
            fields = {"url": source, "sha256": found, "token_variable": token_variable}
            return _loaded(target, entrypoint, [{"download_archive": _given(fields)}])
        if branch and tag:
            raise ForebayError(
                f"branch '{branch}' and tag '{tag}' are both given; one of them leads to a commit", "INVALID_SOURCE"
            )
        checkout = git.Checkout(source, branch or tag, commit, submodules, tuple(directories), token_variable)
        resolved = checkout.make(target)
        pin = {"branch": branch or tag} if follow_branch else {"commit": resolved}
        wanted: Dict[str, Any] = {
            "repository": source,
            "submodules": submodules,
            "directories": list(directories),
            "token_variable": token_variable,
            **pin,
        }
        return _loaded(target, entrypoint, [{"git_clone": _given(wanted)}])


def _given(fields: Dict[str, Any]) -> Dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _loaded(directory: str, entrypoint: str, steps: List[Dict[str, Any]]) -> Any:
    from ..engine import entrypoint as entrypoints

    flow = cast(Any, entrypoints.load(entrypoint, directory))
    flow.set_origin(entrypoint, steps)
    return flow
