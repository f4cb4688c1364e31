"""What is sent to the engine to build from: a tar archive."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import tempfile
from typing import BinaryIO, Iterator, Mapping, NamedTuple, cast

from .ignore_file import DEFAULT, IgnoreFile

_IGNORE_FILE = ".dockerignore"


class Context(NamedTuple):
    # To be read from its beginning; goes when it is closed.
    archive: BinaryIO
    files: int
    size: int


def ignore_file_of(directory: str) -> IgnoreFile:
    try:
        with open(os.path.join(directory, _IGNORE_FILE), encoding="utf-8") as file:
            return IgnoreFile(file)
    except FileNotFoundError:
        return IgnoreFile(DEFAULT)


def pack(directory: str, below: str, ours: Mapping[str, bytes], kept: str = "") -> Context:
    """The directory's files without those that .dockerignore leaves out, in folder `below` (empty: at the root), and `ours`
    by their paths. `kept` is in whatever .dockerignore says. Owners are not told, so that the same files make the same layer
    whoever builds."""
    out = tempfile.TemporaryFile(prefix="forebay-context-")
    count = 0
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        # BuildKit knows an archive by its first 512 bytes, which a long name of a first file would not leave plain.
        archive.addfile(_folder("./"))
        for name, content in sorted(ours.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
        if below:
            archive.addfile(_folder(below))
        for path in _paths(directory, ignore_file_of(directory), kept):
            archive.add(os.path.join(directory, path), os.path.join(below, path), recursive=False, filter=_nobodys)
            count += 1
    size = out.tell()
    out.seek(0)
    return Context(cast(BinaryIO, out), count, size)


def _folder(name: str) -> tarfile.TarInfo:
    folder = tarfile.TarInfo(name)
    folder.type, folder.mode = tarfile.DIRTYPE, 0o755
    return folder


def _paths(directory: str, ignore: IgnoreFile, kept: str) -> Iterator[str]:
    """Relative, folders before what is in them, always in the same order."""
    for folder, folders, names in os.walk(directory):
        here = os.path.relpath(folder, directory)
        folders.sort()
        relative = {name: os.path.normpath(os.path.join(here, name)) for name in [*folders, *names]}
        out = {name for name, path in relative.items() if _is_out(path, ignore) and path != kept}
        yield from (relative[name] for name in sorted([*folders, *names]) if name not in out)
        if not ignore.takes_back:
            folders[:] = [name for name in folders if name not in out or _is_above(relative[name], kept)]


def _is_out(path: str, ignore: IgnoreFile) -> bool:
    # It has been obeyed here; the engine would obey it again, against files of ours too.
    return path == _IGNORE_FILE or ignore.leaves_out(path.replace(os.sep, "/"))


def _is_above(folder: str, path: str) -> bool:
    return path.startswith(folder + os.sep)


def _nobodys(entry: tarfile.TarInfo) -> "tarfile.TarInfo | None":
    if not (entry.isfile() or entry.isdir() or entry.issym()):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = int(entry.mtime)
    entry.mode = stat.S_IMODE(entry.mode)
    return entry
