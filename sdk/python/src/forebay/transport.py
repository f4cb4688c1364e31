"""Calls to the server's HTTP listener by the Connect protocol (https://connectrpc.com/docs/protocol, unary, JSON)."""

from __future__ import annotations

import http.client
import json
import random
import ssl
import threading
import time
import urllib.parse
from typing import Any, Dict, List, Mapping, Optional, Sequence

from .errors import ForebayError, ServerUnreachable

Message = Dict[str, Any]
_PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


class Transport:
    """Keeps a connection per thread. Thread-safe."""

    def __init__(
        self, urls: Sequence[str], token: str, ca_file: str = "", patience: float = 30.0, authority: str = ""
    ) -> None:
        """`ca_file`, or its content in `authority`: who vouches for the server; empty: whom the system trusts."""
        self._urls: List[str] = list(urls)
        self._token = token
        self._ca_file = ca_file
        self._authority = authority
        # How long a call that may be repeated is repeated while no server answers.
        self._patience = patience
        self._local = threading.local()

    def call(
        self,
        method: str,
        message: Mapping[str, Any],
        *,
        repeat: bool,
        timeout: float = 30.0,
        patience: Optional[float] = None,
    ) -> Message:
        """Calls `Service.Method` of forebay.v1. With `repeat` it is tried again while the server is away; without, an
        answer that was lost is an error (ServerUnreachable), because the server may have acted."""
        body = json.dumps(message).encode()
        end = time.monotonic() + (self._patience if patience is None else patience)
        tries = refusals = 0
        while True:
            try:
                return self._once(method, body, timeout)
            except ConnectionRefusedError as error:
                # Nothing was sent: another server may be asked, whatever the call does.
                refusals += 1
                untried = refusals < len(self._urls)
                failure: ForebayError = self._unreachable(error)
            except (OSError, http.client.HTTPException) as error:
                untried = False
                failure = self._unreachable(error)
            except ForebayError as error:
                if error.code != "unavailable":
                    raise
                untried = False
                failure = error
            self._drop()
            if untried:
                continue
            if not repeat or time.monotonic() >= end:
                raise failure
            pause = _PAUSES[min(tries, len(_PAUSES) - 1)]
            time.sleep(pause * random.uniform(0.5, 1.5))
            tries += 1

    def _once(self, method: str, body: bytes, timeout: float) -> Message:
        connection = self._connection(timeout)
        headers = {"Content-Type": "application/json", "Connect-Protocol-Version": "1"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        connection.request("POST", "/forebay.v1." + method.replace(".", "/"), body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status == 200:
            return _message_of(text)
        raise _explained(_error_of(answer.status, text), method)

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        known: Optional[http.client.HTTPConnection] = getattr(self._local, "connection", None)
        if known is None:
            known = self._local.connection = self._connect(self._urls[getattr(self._local, "server", 0)], timeout)
        known.timeout = timeout
        if known.sock is not None:
            known.sock.settimeout(timeout)
        return known

    def _connect(self, url: str, timeout: float) -> http.client.HTTPConnection:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=self._ca_file or None, cadata=self._authority or None)
            return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=timeout, context=context)
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)

    def _drop(self) -> None:
        """The next try goes to the next server."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
        self._local.connection = None
        self._local.server = (getattr(self._local, "server", 0) + 1) % len(self._urls)

    def _unreachable(self, error: Exception) -> ServerUnreachable:
        return ServerUnreachable(
            f"no server answers at {', '.join(self._urls)}: {error or type(error).__name__}",
            "SERVER_UNREACHABLE",
            "unavailable",
            {"next": "forebay doctor"},
        )


def _message_of(text: bytes) -> Message:
    try:
        message = json.loads(text)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise ForebayError(
            f"what answers is no Forebay server; it said: {text[:100].decode(errors='replace')!r}", "NOT_A_SERVER", "unknown"
        )
    return message


def _explained(error: ForebayError, method: str) -> ForebayError:
    """A server that does not know the method, or a field of its message, was made before this package."""
    unknown_field = error.reason == "INVALID_MESSAGE" and "Cannot find field" in error.message
    if error.reason != "UNKNOWN_METHOD" and not unknown_field:
        return error
    from . import __version__

    return ForebayError(
        f"the server is older than this package (forebay {__version__}) and does not know what {method} asks for: {error.message}",
        "SERVER_TOO_OLD",
        error.code,
        {"next": "forebay server status"},
    )


def _error_of(status: int, text: bytes) -> ForebayError:
    try:
        body = json.loads(text)
        info: Dict[str, Any] = next((detail["debug"] for detail in body.get("details", []) if "debug" in detail), {})
        return ForebayError(body["message"], info.get("reason", ""), body["code"], info.get("metadata", {}))
    except (ValueError, KeyError, TypeError):
        code = "unavailable" if status in (502, 503, 504) else "unknown"
        return ForebayError(f"the server answered HTTP {status}: {text[:200].decode(errors='replace')}", "", code)
