"""A file system of a few megabytes, to be filled."""

import contextlib
import os
import pathlib
import subprocess


class SmallDisk:
    def __init__(self, folder: pathlib.Path, megabytes: int):
        """`folder` becomes its mount point. PermissionError where mounting is not allowed."""
        self.folder = folder
        self._ballast = folder / "ballast"
        folder.mkdir()
        options = f"size={megabytes}m,mode=755"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise PermissionError(done.stderr.strip())

    def fill(self):
        """Leaves no byte free, also when others go on writing and deleting: call it again."""
        with self._ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(65536))
        with self._ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(512))

    def free_space(self):
        self._ballast.unlink(missing_ok=True)

    @property
    def free_bytes(self) -> int:
        status = os.statvfs(self.folder)
        return status.f_bavail * status.f_frsize

    def close(self):
        subprocess.run(["umount", "-l", self.folder], check=True)
