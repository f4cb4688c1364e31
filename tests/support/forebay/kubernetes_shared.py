"""One Kubernetes cluster for all test processes of a run: the first starts it, and it ends with the last.

A process of its own, `tests/support/kubernetes/cluster run`, has the cluster. Who uses it holds a shared lock of a file, so
the cluster ends also when its users are killed. In the folder are: `users`, that file; `start`, the lock of who starts it;
`keeper.log`; and `c`, the root of the cluster."""

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import time

from .kubernetes_client import KubernetesClient
from .kubernetes_cluster import KubernetesCluster
from .process import ROOT, clean_environment, is_alive, wait_gone

COMMAND = ROOT / "tests/support/kubernetes/cluster"
READY = "ready"


def write_handle(cluster: KubernetesCluster):
    """What others find the running cluster by; it is there once the cluster is ready."""
    unfinished = cluster.root / "unfinished"
    unfinished.write_text(json.dumps({"gateway": cluster.gateway, "pid": os.getpid()}))
    unfinished.rename(cluster.root / READY)


def client_of(root: pathlib.Path) -> KubernetesClient:
    """The cluster that runs in a folder."""
    return KubernetesClient(root / "kubeconfigs/admin.yaml", root / "c.sock", _handle(root)["gateway"])


def wait_unused(users: pathlib.Path):
    """Returns with the lock of all, in the file returned, once nobody has one. Who comes later waits for it, sees that the
    file is not the one of that name any more, and takes another."""
    file = users.open("a")
    while not _try_exclusive(file):
        time.sleep(0.2)
    return file


@contextlib.contextmanager
def shared_cluster(folder: pathlib.Path):
    """The cluster of all who say this folder at the same time."""
    users = _begin_use(folder)
    root = folder / "c"
    try:
        with (folder / "start").open("a") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            if not _runs(root):
                shutil.rmtree(root, ignore_errors=True)
                _start(folder)
        yield client_of(root)
    finally:
        _end_use(folder, users)


def _begin_use(folder: pathlib.Path):
    """The file of users, locked, and not one that a cluster at its end is about to remove."""
    while True:
        folder.mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            users = (folder / "users").open("a")
            fcntl.flock(users, fcntl.LOCK_SH)
            if os.fstat(users.fileno()).st_ino == (folder / "users").stat().st_ino:
                return users


def _start(folder: pathlib.Path):
    log = folder / "keeper.log"
    with log.open("wb") as output:
        keeper = subprocess.Popen(
            [str(COMMAND), "run", str(folder / "c"), "--users", str(folder / "users")], stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, env=clean_environment(PYTHONDONTWRITEBYTECODE="1"), start_new_session=True,
        )  # fmt: skip
    while not (folder / "c" / READY).exists():
        if keeper.poll() is not None:
            raise AssertionError(f"no Kubernetes cluster:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)


def _end_use(folder: pathlib.Path, users):
    """Whoever used it last sees it end."""
    handle = _handle(folder / "c") if _runs(folder / "c") else None
    last = _try_exclusive(users)
    if last and handle is None:
        shutil.rmtree(folder)
    users.close()
    if last and handle is not None:
        wait_gone(handle["pid"])


def _handle(root: pathlib.Path) -> dict:
    return json.loads((root / READY).read_text())


def _runs(root: pathlib.Path) -> bool:
    return (root / READY).exists() and is_alive(_handle(root)["pid"])


def _try_exclusive(file) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
