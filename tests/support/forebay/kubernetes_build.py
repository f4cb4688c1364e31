"""The program of the Kubernetes node: where it is kept, whether it is there, how it is built.

It is built of tests/support/kubernetes/node and kept outside the tree, because building it takes minutes."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

from .process import ROOT

SOURCE = ROOT / "tests/support/kubernetes/node"
INPUTS = ("go.mod", "go.sum", "main.go")
# What a cluster runs of the machine's own, and the Debian package that has it.
PROGRAMS = {
    "etcd": "etcd-server", "containerd": "containerd", "ctr": "containerd", "runc": "runc", "busybox": "busybox-static",
    "openssl": "openssl", "ip": "iproute2", "mount": "mount", "nsenter": "util-linux", "setpriv": "util-linux",
    "kubectl": "kubernetes-client",
}  # fmt: skip
CNI_PROGRAMS = pathlib.Path("/usr/lib/cni")


def cache() -> pathlib.Path:
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "forebay/kubernetes"


def node_program() -> pathlib.Path:
    """Where the program of the present sources is, or would be."""
    key = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in INPUTS)).hexdigest()[:16]
    return cache() / key / "node"


def version() -> str:
    """The version of Kubernetes, as in v1.33.13."""
    return re.search(r"^\tk8s\.io/kubernetes (v\S+)$", (SOURCE / "go.mod").read_text(), re.MULTILINE).group(1)


def missing() -> str:
    """Why no cluster can be started here, or nothing."""
    if os.geteuid() != 0:
        return "a node's containers need root"
    if not node_program().exists():
        return "the program of the Kubernetes node is not built: tests/support/kubernetes/cluster build"
    packages = {package for program, package in PROGRAMS.items() if shutil.which(program) is None}
    if not (CNI_PROGRAMS / "bridge").exists():
        packages.add("containernetworking-plugins")
    return f"not installed: {' '.join(sorted(packages))}" if packages else ""


def build() -> pathlib.Path:
    """Builds the program unless it is there; one process at a time, the others wait for it. FileNotFoundError without go,
    CalledProcessError when it cannot be built."""
    program = node_program()
    program.parent.mkdir(parents=True, exist_ok=True)
    with _locked(cache() / "build.lock"):
        if not program.exists():
            unfinished = program.with_name("unfinished")
            subprocess.run(_command(unfinished), cwd=SOURCE, env={**os.environ, "CGO_ENABLED": "0"}, check=True)
            unfinished.rename(program)
            _forget_others(program.parent)
    return program


def _command(target: pathlib.Path) -> list[str]:
    major, minor, _ = version().removeprefix("v").split(".")
    names = {"gitVersion": version(), "gitMajor": major, "gitMinor": minor}
    flags = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in names.items())
    return ["nice", "go", "build", "-mod=readonly", "-trimpath", "-ldflags", f"-s -w {flags}", "-o", str(target), "."]


def _forget_others(kept: pathlib.Path):
    """The programs of sources that are not any more; each has the size of a hundred tests."""
    for folder in cache().iterdir():
        if folder.is_dir() and folder != kept:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _locked(path: pathlib.Path):
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
