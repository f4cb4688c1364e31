"""Code that runs of one host share: what is pinned is fetched once, and copied for each run."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from typing import Any, Callable, Mapping

# The ones used last; the rest goes.
_KEPT = 20


def directory() -> str:
    """FOREBAY_CACHE_DIR (empty: no cache), else forebay in the user's own cache; empty when there is none to be trusted."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    path = os.environ.get("FOREBAY_CACHE_DIR", os.path.join(base, "forebay"))
    if not path:
        return ""
    path = os.path.join(path, "sources")
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        state = os.stat(path)
    except OSError:
        return ""
    # Who may write there says what runs here.
    return path if state.st_uid == os.geteuid() and not state.st_mode & 0o022 and os.access(path, os.W_OK) else ""


def fetch(wanted: Mapping[str, Any], target: str, make: Callable[[str], None]) -> bool:
    """`target` becomes what `make` makes, from the cache if it is there: whether it was. `wanted` says all that decides what
    is made. Safe for many processes at once."""
    root = directory()
    if not root:
        make(target)
        return False
    entry = os.path.join(root, hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest())
    if _copied(entry, target):
        return True
    scratch = tempfile.mkdtemp(prefix=".new-", dir=root)
    try:
        make(os.path.join(scratch, "made"))
        with contextlib.suppress(OSError):
            # Another process may have been faster.
            os.rename(os.path.join(scratch, "made"), entry)
        if not _copied(entry, target):
            make(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    _drop_old(root)
    return False


def _copied(entry: str, target: str) -> bool:
    try:
        os.utime(entry)
        shutil.copytree(entry, target, symlinks=True)
        return True
    except OSError:
        # Not there, or dropped while it was copied.
        shutil.rmtree(target, ignore_errors=True)
        return False


def _drop_old(root: str) -> None:
    with contextlib.suppress(OSError):
        entries = [entry for entry in os.scandir(root) if not entry.name.startswith(".")]
        entries.sort(key=lambda entry: entry.stat().st_mtime)
        for entry in entries[:-_KEPT]:
            # Out of sight first, so that nobody copies half of it.
            gone = os.path.join(root, f".old-{entry.name}-{os.getpid()}")
            os.rename(entry.path, gone)
            shutil.rmtree(gone, ignore_errors=True)
