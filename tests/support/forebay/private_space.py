"""A space for programs that mount and fork as they like: their processes end with it, and no mount is seen outside."""

import contextlib
import os
import pathlib
import signal

from .process import ChildProcess
from .waiting import wait_until

# Where container programs keep what cannot be told to lie elsewhere: sockets of shims, network namespaces, logs.
HIDDEN = ("/run", "/var/lib", "/var/log")
# What a kubelet sets for the whole machine, with a value that it is content with.
TUNABLES = {
    "vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
}  # fmt: skip
# The first process: it hides the folders, says that it is ready, and buries whoever is left to it.
FIRST_PROCESS = """
import os, pathlib, signal, subprocess, sys
space, hidden, tunables = pathlib.Path(sys.argv[1]), sys.argv[2].split(), sys.argv[3].split()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
for folder in hidden:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "private", folder], check=True)
for tunable in tunables:
    name, value = tunable.split("=")
    file = space / name.replace("/", ".")
    file.write_text(value + "\\n")
    subprocess.run(["mount", "--bind", file, f"/proc/sys/{name}"], check=True)
(space / "ready").write_text("ready")
while True:
    signal.sigwait({signal.SIGCHLD})
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
"""


class PrivateSpace(ChildProcess):
    """The first process of the space; when it ends, all end. Ends with the process that started it, too."""

    def __init__(self, root: pathlib.Path):
        self._folder = root / "space"
        tunables = " ".join(f"{name}={value}" for name, value in TUNABLES.items())
        super().__init__("space", [
            "setpriv", "--pdeathsig", "KILL", "--", "unshare", "--pid", "--mount", "--fork", "--mount-proc", "--kill-child",
            "--propagation", "private", "--",
            "/usr/bin/python3", "-c", FIRST_PROCESS, str(self._folder), " ".join(HIDDEN), tunables,
        ], root)  # fmt: skip

    def start(self) -> "PrivateSpace":
        assert not str(self._folder).startswith(tuple(f"{folder}/" for folder in HIDDEN)), f"{self._folder} would be hidden"
        self._folder.mkdir()
        self.spawn()
        self.wait_ready(self._folder / "ready")
        return self

    def program(self, name: str, argv: list[str], **environment: str) -> "SpaceProgram":
        """One that is to run in the space; not started."""
        return SpaceProgram(name, [*self._entrance(), "setpriv", "--pdeathsig", "KILL", "--", *argv], self.directory, **environment)

    def _entrance(self) -> list[str]:
        return ["nsenter", "--target", str(child_of(self.pid)), "--pid", "--mount", "--wd=/", "--"]


class SpaceProgram(ChildProcess):
    """Runs in a space. The child of ours is the one that entered it; signals go to the program itself."""

    def signal(self, number: int):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child_of(self.pid), number)
        if number == signal.SIGCONT:
            super().signal(number)


def child_of(pid: int) -> int:
    """The only child of a process that has, or is about to have, one."""
    return wait_until(lambda: _child_of(pid), what=f"a child of process {pid}")


def _child_of(pid: int) -> int:
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            stat = (path / "stat").read_text()
            if int(stat[stat.rindex(")") + 2 :].split()[1]) == pid:
                return int(path.name)
    return 0
