"""Archives of code, fetched by https and pinned by their SHA-256."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tarfile
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from typing import IO, Iterator, Tuple

from ..errors import ForebayError
from .git import refuse_password, token_of

_ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_PIECE = 1 << 20
# What an archive may unpack to: code, not a disk.
_MOST_BYTES = 2 << 30
_MOST_FILES = 200_000


def is_archive(source: str) -> bool:
    parts = urllib.parse.urlsplit(source)
    return parts.scheme in ("https", "http") and parts.path.endswith(_ENDINGS)


def fetch(url: str, target: str, sha256: str = "", token_variable: str = "") -> str:
    """Unpacks it into `target`, which must not exist; its SHA-256. An only directory at its top is left out of the paths.
    DOWNLOAD_FAILED, INVALID_SOURCE for an archive that is not the wanted one or would write elsewhere."""
    refuse_password(url)
    with tempfile.TemporaryFile(prefix="forebay-archive-") as file:
        found = _download(url, file, token_variable)
        if sha256 and found != sha256.lower():
            raise ForebayError(f"{url} is not what was deployed: its SHA-256 is {found}, not {sha256}", "INVALID_SOURCE")
        scratch = tempfile.mkdtemp(prefix=".forebay-", dir=os.path.dirname(os.path.abspath(target)))
        try:
            _unpack(url, file, scratch)
            top = os.listdir(scratch)
            only = os.path.join(scratch, top[0]) if len(top) == 1 else ""
            os.rename(only if only and os.path.isdir(only) else scratch, target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return found


def _download(url: str, file: IO[bytes], token_variable: str) -> str:
    request = urllib.request.Request(url)
    if token_variable:
        # Not sent along when the server sends us elsewhere.
        request.add_unredirected_header("Authorization", f"Bearer {token_of(token_variable)}")
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            for piece in iter(lambda: bytes(answer.read(_PIECE)), b""):
                digest.update(piece)
                file.write(piece)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise ForebayError(f"{url} cannot be fetched: {error}", "DOWNLOAD_FAILED") from None
    file.seek(0)
    return digest.hexdigest()


def _unpack(url: str, file: IO[bytes], target: str) -> None:
    try:
        entries = _zip_entries(file) if urllib.parse.urlsplit(url).path.endswith(".zip") else _tar_entries(file)
        size = count = 0
        for name, mode, content in entries:
            size, count = size + _write(os.path.join(target, _checked(url, name)), mode, content), count + 1
            if size > _MOST_BYTES or count > _MOST_FILES:
                raise ForebayError(f"{url} unpacks to more than 2 GiB or 200 000 files", "INVALID_SOURCE")
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise ForebayError(f"{url} cannot be unpacked: {error}", "INVALID_SOURCE") from None


def _checked(url: str, name: str) -> str:
    parts = name.replace("\\", "/").split("/")
    if name.startswith("/") or ".." in parts or "\0" in name or ":" in parts[0]:
        raise ForebayError(f"{url} has an entry that would lie elsewhere: {name!r}", "INVALID_SOURCE")
    return os.path.normpath(name)


def _tar_entries(file: IO[bytes]) -> Iterator[Tuple[str, int, IO[bytes]]]:
    """Files alone. Links and devices of an archive are nobody's code."""
    with tarfile.open(fileobj=file, mode="r:*") as archive:
        for entry in archive:
            content = archive.extractfile(entry) if entry.isreg() else None
            if content is not None:
                yield entry.name, entry.mode, content


def _zip_entries(file: IO[bytes]) -> Iterator[Tuple[str, int, IO[bytes]]]:
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            mode = entry.external_attr >> 16
            if entry.is_dir() or stat.S_ISLNK(mode):
                continue
            with archive.open(entry) as content:
                yield entry.filename, mode or 0o644, content


def _write(path: str, mode: int, content: IO[bytes]) -> int:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    written = 0
    with open(path, "wb") as file:
        for piece in iter(lambda: content.read(_PIECE), b""):
            written += file.write(piece)
            if written > _MOST_BYTES:
                break
    os.chmod(path, 0o755 if mode & stat.S_IXUSR else 0o644)
    return written
