"""The Docker engine's HTTP API (https://docs.docker.com/reference/api/engine/), as far as images need it."""

from __future__ import annotations

import http.client
import json
import socket
import urllib.parse
from typing import Any, BinaryIO, Dict, Iterator, Mapping, Optional, Union

from ..errors import ForebayError
from . import engine_address
from .engine_address import EngineAddress

_CONNECT_SECONDS = 10.0
_PIECE = 65536

Message = Dict[str, Any]


class EngineRefusal(ForebayError):
    """The engine said no; `status` is HTTP's, 200 when it said so in the middle of its answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message, "ENGINE_REFUSED")
        self.status = status


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_CONNECT_SECONDS)
        self.sock.connect(self._path)


class Engine:
    """Each call has a connection of its own. ForebayError ENGINE_UNREACHABLE, EngineRefusal."""

    def __init__(self, address: Optional[EngineAddress] = None) -> None:
        self._address = address or engine_address.find()

    def builds_with_buildkit(self) -> bool:
        """What the engine prefers itself; engines before API 1.39 do not say and build without."""
        with self._call("GET", "/_ping", {}, None, {}) as answer:
            return answer.headers.get("Builder-Version", "1") == "2"

    def has_image(self, name: str) -> bool:
        try:
            with self._call("GET", f"/images/{name}/json", {}, None, {}):
                return True
        except EngineRefusal as refusal:
            if refusal.status == 404:
                return False
            raise

    def messages(
        self,
        path: str,
        query: Mapping[str, str],
        body: Union[bytes, BinaryIO, None] = None,
        headers: Optional[Mapping[str, str]] = None,
    ) -> Iterator[Message]:
        """POSTs; the messages of the answer as they come. One that tells of a failure ends it as EngineRefusal."""
        with self._call("POST", path, query, body, headers or {}) as answer:
            try:
                for line in answer:
                    message = json.loads(line) if line.strip() else {}
                    if "error" in message:
                        raise EngineRefusal(200, str(message["error"]).strip())
                    yield message
            except (OSError, http.client.HTTPException) as error:
                raise self._unreachable(error) from None

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Union[bytes, BinaryIO, None],
        headers: Mapping[str, str],
    ) -> http.client.HTTPResponse:
        connection = self._connection()
        target = path + ("?" + urllib.parse.urlencode(query) if query else "")
        try:
            connection.connect()
            # Builds take as long as they take.
            connection.sock.settimeout(None)
            connection.request(method, target, body, dict(headers), encode_chunked=True)
            answer = connection.getresponse()
            if answer.status < 400:
                return answer
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise self._unreachable(error) from None
        connection.close()
        raise EngineRefusal(answer.status, _message_of(text))

    def _connection(self) -> http.client.HTTPConnection:
        address = self._address
        if address.path:
            return _UnixConnection(address.path)
        if address.tls is not None:
            return http.client.HTTPSConnection(address.host, address.port, timeout=_CONNECT_SECONDS, context=address.tls)
        return http.client.HTTPConnection(address.host, address.port, timeout=_CONNECT_SECONDS)

    def _unreachable(self, error: Exception) -> ForebayError:
        return ForebayError(
            f"the Docker engine at {self._address.text} does not answer: {error or type(error).__name__}; images are built by "
            "it (build=False deploys one that is there already)",
            "ENGINE_UNREACHABLE",
            metadata={"next": "docker info"},
        )


def _message_of(text: bytes) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.decode(errors="replace").strip()
