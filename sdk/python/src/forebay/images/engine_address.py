"""Where the Docker engine listens, by the rules of its own command line: DOCKER_HOST, then the context in use, then the
socket of the system or of the user."""

from __future__ import annotations

import hashlib
import json
import os
import ssl
from typing import Any, Dict, NamedTuple, Optional

from ..errors import ForebayError

_SYSTEM_SOCKET = "/var/run/docker.sock"
_HTTPS_PORT = 2376


class EngineAddress(NamedTuple):
    # As a user would write it: unix:///path or tcp://host:port.
    text: str
    # Of a Unix socket; else empty.
    path: str = ""
    host: str = ""
    port: int = 0
    tls: Optional[ssl.SSLContext] = None


def find() -> EngineAddress:
    """INVALID_ENGINE_ADDRESS naming the address, when it is one that cannot be spoken to from here."""
    given = os.environ.get("DOCKER_HOST", "")
    if given:
        verify = os.environ.get("DOCKER_TLS_VERIFY", "") != ""
        folder = os.environ.get("DOCKER_CERT_PATH") or docker_folder()
        return _parse(given, folder if verify else "")
    context = os.environ.get("DOCKER_CONTEXT") or docker_config().get("currentContext") or "default"
    if context != "default":
        return _of_context(str(context))
    own = os.path.join(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent"), "docker.sock")
    return _parse(f"unix://{own if not os.path.exists(_SYSTEM_SOCKET) and os.path.exists(own) else _SYSTEM_SOCKET}", "")


def docker_folder() -> str:
    return os.environ.get("DOCKER_CONFIG") or os.path.join(os.path.expanduser("~"), ".docker")


def docker_config() -> Dict[str, Any]:
    """docker's config.json; empty when there is none."""
    path = os.path.join(docker_folder(), "config.json")
    try:
        with open(path, encoding="utf-8") as file:
            return dict(json.load(file))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ForebayError(f"cannot read {path}: {error}", "INVALID_ENGINE_ADDRESS") from None


def _of_context(name: str) -> EngineAddress:
    key = hashlib.sha256(name.encode()).hexdigest()
    folder = os.path.join(docker_folder(), "contexts")
    try:
        with open(os.path.join(folder, "meta", key, "meta.json"), encoding="utf-8") as file:
            endpoint = json.load(file)["Endpoints"]["docker"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ForebayError(
            f"docker's context '{name}' is not there or names no engine",
            "INVALID_ENGINE_ADDRESS",
            metadata={"next": "docker context ls"},
        ) from None
    certificates = os.path.join(folder, "tls", key, "docker")
    return _parse(str(endpoint.get("Host", "")), certificates if os.path.isdir(certificates) else "")


def _parse(text: str, certificates: str) -> EngineAddress:
    scheme, _, rest = text.partition("://")
    if scheme == "unix" and rest.startswith("/"):
        return EngineAddress(text, path=rest)
    host, _, port = rest.partition("/")[0].rpartition(":")
    if scheme in ("tcp", "http", "https") and host and port.isdigit():
        tls = bool(certificates) or scheme == "https" or int(port) == _HTTPS_PORT
        return EngineAddress(text, host=host.strip("[]"), port=int(port), tls=_tls(certificates) if tls else None)
    raise ForebayError(
        f"the Docker engine at '{text}' cannot be spoken to from here: unix:///path and tcp://host:port can",
        "INVALID_ENGINE_ADDRESS",
        metadata={"next": "export DOCKER_HOST=unix:///var/run/docker.sock"},
    )


def _tls(folder: str) -> ssl.SSLContext:
    authority = os.path.join(folder, "ca.pem")
    try:
        context = ssl.create_default_context(cafile=authority if os.path.exists(authority) else None)
        certificate = os.path.join(folder, "cert.pem")
        if os.path.exists(certificate):
            context.load_cert_chain(certificate, os.path.join(folder, "key.pem"))
    except (OSError, ssl.SSLError) as error:
        raise ForebayError(f"cannot read the certificates in {folder}: {error}", "INVALID_ENGINE_ADDRESS") from None
    return context
