"""What the engine says while it builds, as steps and their output; both of its builders."""

from __future__ import annotations

import base64
import re
import struct
from typing import Any, Dict, Iterator, List, Mapping, Tuple, Union

from .progress import Progress

_STEP = re.compile(r"^Step (\d+/\d+) : (.*)$", re.DOTALL)
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

# Number of a field of a protobuf message, and its value: a number or bytes.
_Field = Tuple[int, Union[int, bytes]]


class ClassicBuild:
    """Text: `Step 1/4 : FROM …`, then the step's output."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def take(self, message: Mapping[str, Any]) -> None:
        if "stream" in message:
            self._take_text(str(message["stream"]))
        elif "status" in message:
            self._progress.layer(str(message.get("id", "")), str(message["status"]), message.get("progressDetail") or {})

    def _take_text(self, text: str) -> None:
        step = _STEP.match(text.rstrip("\n"))
        if step:
            self._progress.step(f"[{step.group(1)}] {step.group(2)}")
        elif text.strip() and not text.startswith((" --->", "Removing intermediate", "Successfully")):
            self._progress.output(_ANSI.sub("", text))


class BuildKitBuild:
    """`moby.buildkit.trace` messages: StatusResponse of
    https://github.com/moby/buildkit/blob/v0.12.0/api/services/control/control.proto in base64."""

    # Fields of StatusResponse, Vertex and VertexLog.
    _VERTEXES, _LOGS = 1, 3
    _DIGEST, _NAME, _CACHED, _STARTED, _COMPLETED, _ERROR = 1, 3, 4, 5, 6, 7
    _LOG_VERTEX, _LOG_TEXT = 1, 4

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._names: Dict[bytes, str] = {}
        self._over: Dict[bytes, bool] = {}

    def take(self, message: Mapping[str, Any]) -> None:
        if message.get("id") != "moby.buildkit.trace":
            return
        for number, value in _fields(base64.b64decode(message["aux"])):
            if number == self._VERTEXES and isinstance(value, bytes):
                self._take_vertex(dict(_fields(value)))
            elif number == self._LOGS and isinstance(value, bytes):
                self._take_log(dict(_fields(value)))

    def _take_vertex(self, vertex: Dict[int, Any]) -> None:
        digest, name = vertex.get(self._DIGEST, b""), vertex.get(self._NAME, b"").decode(errors="replace")
        if not name.startswith("[") or name.startswith("[internal]") or self._STARTED not in vertex:
            return
        if digest not in self._names:
            self._names[digest] = name
            self._progress.step(name, cached=bool(vertex.get(self._CACHED)))
        if self._COMPLETED in vertex and not vertex.get(self._ERROR) and not self._over.get(digest):
            self._over[digest] = True
            self._progress.done(name)

    def _take_log(self, log: Dict[int, Any]) -> None:
        name = self._names.get(log.get(self._LOG_VERTEX, b""))
        if name is not None:
            self._progress.output(_ANSI.sub("", log.get(self._LOG_TEXT, b"").decode(errors="replace")), name)


def _fields(message: bytes) -> Iterator[_Field]:
    """The wire format (https://protobuf.dev/programming-guides/encoding/); of what is no message, nothing more."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == 0:
            number, at = _varint(message, at)
            yield key >> 3, number
        elif kind == 2:
            length, at = _varint(message, at)
            yield key >> 3, message[at : at + length]
            at += length
        elif kind in (1, 5):
            width = 8 if kind == 1 else 4
            piece = message[at : at + width].ljust(width, b"\0")
            yield key >> 3, int(struct.unpack("<Q" if kind == 1 else "<I", piece)[0])
            at += width
        else:
            return


def _varint(message: bytes, at: int) -> Tuple[int, int]:
    value, shift = 0, 0
    while at < len(message):
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            break
        shift += 7
    return value, at


def base_images(dockerfile: str) -> List[str]:
    """The images that a Dockerfile begins from, as far as they are written out."""
    stages, images = {"scratch"}, []
    for line in dockerfile.splitlines():
        words = [word for word in line.split() if not word.startswith("--")]
        if len(words) < 2 or words[0].upper() != "FROM":
            continue
        if words[1].lower() not in stages and "$" not in words[1]:
            images.append(words[1])
        if len(words) >= 4 and words[2].upper() == "AS":
            stages.add(words[3].lower())
    return images
