"""Checkouts of git repositories, by the program git."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import urllib.parse
from typing import Dict, List, NamedTuple, Tuple

from ..errors import ForebayError

_SCHEMES = re.compile(r"^(https|http|ssh|git|file)://[^\s]+$")
_SCP = re.compile(r"^[A-Za-z0-9._]+@[A-Za-z0-9.-]+:[^\s]+$")
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._/+@-]*$")
_COMMIT = re.compile(r"^[0-9a-f]{40}([0-9a-f]{24})?$")


class Checkout(NamedTuple):
    """What is wanted of a repository. `reference`: a branch or tag, empty for the repository's own branch; `commit` goes
    before it. `directories`: these alone, empty for all. `token_variable`: environment variable with a token."""

    repository: str
    reference: str = ""
    commit: str = ""
    submodules: bool = False
    directories: Tuple[str, ...] = ()
    token_variable: str = ""

    def is_pinned(self) -> bool:
        """It is the same whenever it is made."""
        return bool(_COMMIT.match(self.commit))

    def make(self, target: str) -> str:
        """Checks out into `target`, which must not exist; the commit that lies there then. INVALID_SOURCE, GIT_FAILED with
        what git said."""
        check_repository(self.repository)
        if self.reference:
            check_reference(self.reference, "branch")
        if self.commit:
            check_reference(self.commit, "commit")
        for directory in self.directories:
            check_reference(directory, "directory")
        secrets = _secrets(self.repository, self.token_variable)
        _git(secrets, "init", "--quiet", "--", target)
        _git(secrets, "-C", target, "remote", "add", "--", "origin", self.repository)
        if self.directories:
            _git(secrets, "-C", target, "sparse-checkout", "set", "--", *self.directories)
        partial = ["--filter=blob:none"] if self.directories else []
        wanted = self.commit or self.reference or "HEAD"
        _git(secrets, "-C", target, "fetch", "--quiet", "--depth", "1", *partial, "--", "origin", wanted)
        _git(secrets, "-C", target, "checkout", "--quiet", "--detach", "FETCH_HEAD")
        if self.submodules:
            _git(secrets, "-C", target, "submodule", "update", "--quiet", "--init", "--recursive", "--depth", "1")
        return _git(secrets, "-C", target, "rev-parse", "HEAD").strip()


def check_repository(url: str) -> None:
    """Refuses what git would take for an option or a program to run, and what would be stored for all to read
    (INVALID_SOURCE)."""
    if not (_SCHEMES.match(url) or _SCP.match(url)) or "::" in url.partition("//")[0]:
        raise ForebayError(
            f"'{url}' is no repository that is cloned here: https, ssh, git and file URLs are", "INVALID_SOURCE"
        )
    refuse_password(url)


def refuse_password(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme in ("http", "https") and parts.username is not None:
        shown = urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        raise ForebayError(
            f"the URL of '{shown}' holds a login, which would be stored with the deployment; put the token into an environment "
            "variable and name it by token_variable",
            "INVALID_SOURCE",
        )


def check_reference(name: str, what: str) -> None:
    if not _NAME.match(name) or ".." in name:
        raise ForebayError(f"{what} '{name}' is no name of a {what}", "INVALID_SOURCE")


def token_of(variable: str) -> str:
    token = os.environ.get(variable, "")
    if not token:
        raise ForebayError(
            f"environment variable {variable}, which is to hold the source's token, is not set here", "SOURCE_TOKEN_MISSING"
        )
    return token


def _secrets(repository: str, variable: str) -> Dict[str, str]:
    """Settings of git that stand in its environment alone, and hold for the repository's host alone."""
    if not variable:
        return {}
    parts = urllib.parse.urlsplit(repository)
    if parts.scheme not in ("https", "http"):
        raise ForebayError(f"a token is for https sources, not for '{repository}'", "INVALID_SOURCE")
    login = base64.b64encode(f"x-access-token:{token_of(variable)}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{parts.scheme}://{parts.netloc}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {login}",
    }


def _git(secrets: Dict[str, str], *words: str) -> str:
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:http:ssh:git:file", **secrets}
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, env=environment, check=False)
    except FileNotFoundError:
        raise ForebayError("git is not installed here", "GIT_FAILED") from None
    if done.returncode != 0:
        verb = next(word for word in _verbs(words))
        raise ForebayError(f"git {verb}: {done.stderr.strip() or done.returncode}", "GIT_FAILED")
    return done.stdout


def _verbs(words: Tuple[str, ...]) -> List[str]:
    return list(words[2:] if words[0] == "-C" else words)
