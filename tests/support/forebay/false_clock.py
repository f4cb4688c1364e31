"""A wall clock that is wrong for one process and its children, by libfaketime; the monotonic clock stays right."""

import pathlib

from .process import is_alive

LIBRARIES = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
SHARED = pathlib.Path("/dev/shm")


def installed() -> bool:
    return bool(LIBRARIES)


def clock(offset: str) -> dict[str, str]:
    """Environment of a process whose clock is off by so much: "+1h", "-10m"."""
    return {
        "LD_PRELOAD": str(LIBRARIES[0]),
        "FAKETIME": offset,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
        "NO_FAKE_STAT": "1",
    }


def remove_leftovers():
    """What the library shares between a process and its children stays behind when they are killed."""
    for pattern in ("faketime_shm_*", "sem.faketime_sem_*"):
        for path in SHARED.glob(pattern):
            pid = path.name.rpartition("_")[2]
            if pid.isdigit() and not is_alive(int(pid)):
                path.unlink(missing_ok=True)
