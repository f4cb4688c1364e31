"""A wheel of this very package (https://packaging.python.org/en/latest/specifications/binary-distribution-format/), so that
an image runs what deployed it, and no package index has to be asked for it."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import zipfile
from typing import Iterator, List, Tuple

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# The same files make the same wheel, and the same layer of an image.
_TIME = (2020, 1, 1, 0, 0, 0)


def file_name() -> str:
    return f"forebay-{_version()}-py3-none-any.whl"


def build() -> bytes:
    info = f"forebay-{_version()}.dist-info"
    files: List[Tuple[str, bytes]] = sorted(_sources())
    files += [
        (f"{info}/METADATA", f"Metadata-Version: 2.1\nName: forebay\nVersion: {_version()}\n".encode()),
        (f"{info}/WHEEL", b"Wheel-Version: 1.0\nGenerator: forebay\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
    ]
    record = "".join(f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in files)
    files.append((f"{info}/RECORD", f"{record}{info}/RECORD,,\n".encode()))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _version() -> str:
    from .. import __version__

    return __version__


def _sources() -> Iterator[Tuple[str, bytes]]:
    for folder, _, names in os.walk(_PACKAGE):
        for name in names:
            if not (name.endswith(".py") or name == "py.typed"):
                continue
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                yield "forebay/" + os.path.relpath(path, _PACKAGE).replace(os.sep, "/"), file.read()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
