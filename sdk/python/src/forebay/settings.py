"""Where the server is and the key for it: the environment, then the file that the command line keeps
(`~/.config/forebay/config.yaml`)."""

from __future__ import annotations

import json
import os
import re
from typing import Dict, List, NamedTuple, Optional

from .errors import ForebayError

# Between the ports of the gRPC listener and of the HTTP listener, where nothing else is said.
HTTP_PORT_DISTANCE = 1000
_LINE = re.compile(r"^( *)([A-Za-z0-9_.\-]+|\"[^\"]*\"):(?: +(.*?))?\s*$")


class Settings(NamedTuple):
    # Base URLs; the first one that answers is used. Empty: no server is configured.
    urls: List[str]
    api_key: str
    # PEM file, or its content; both empty: the system's authorities.
    ca_file: str = ""
    authority: str = ""


def config_file() -> str:
    base = os.environ.get("XDG_CONFIG_HOME", "")
    if not base.startswith("/"):
        base = os.path.join(os.environ.get("HOME", "/"), ".config")
    return os.path.join(base, "forebay", "config.yaml")


def load() -> Settings:
    """The settings that hold now. A file that cannot be read is an error, an absent one is not."""
    server = os.environ.get("FOREBAY_SERVER", "")
    urls = [url.rstrip("/") for url in os.environ.get("FOREBAY_API_URL", "").split(",") if url]
    profile = _profile(os.environ.get("FOREBAY_CONTEXT", ""), urls, server)
    ca_file = profile.get("tls_ca_file", "")
    if not urls:
        addresses = (server or profile.get("server", "")).split(",")
        urls = [_http_url(address, bool(ca_file)) for address in addresses if address]
    # What a worker tells its runs, where there is no file.
    authority = "" if ca_file else os.environ.get("FOREBAY_CA_PEM", "")
    return Settings(urls, os.environ.get("FOREBAY_API_KEY") or _key(profile), ca_file, authority)


def _http_url(address: str, tls: bool) -> str:
    host, _, port = address.strip().rpartition(":")
    if not host or not port.isdigit():
        raise ForebayError(f"server '{address}' is not host:port", "INVALID_ADDRESS")
    return f"{'https' if tls else 'http'}://{host}:{int(port) + HTTP_PORT_DISTANCE}"


def _key(profile: Dict[str, str]) -> str:
    path = profile.get("api_key_file", "")
    if not path:
        return profile.get("api_key", "")
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except OSError as error:
        raise ForebayError(f"cannot read the key file {path}: {error.strerror}", "INVALID_CONFIG_VALUE") from None


def _profile(wanted: str, urls: List[str], server: str) -> Dict[str, str]:
    """Of the server that is asked for, or else the context that is asked for, or else the current one: no key is shown to a
    server that it was not made for."""
    path = config_file()
    try:
        with open(path, encoding="utf-8") as file:
            current, contexts = _parse(file.read(), path)
    except FileNotFoundError:
        current, contexts = "", {}
    if wanted and wanted not in contexts:
        raise ForebayError(
            f"context '{wanted}' is not in {path}", "CONTEXT_NOT_FOUND", metadata={"next": "forebay config show"}
        )
    if not (urls or server):
        return contexts.get(wanted or current, {})
    candidates = [contexts[wanted]] if wanted else list(contexts.values())
    named = next((profile for profile in candidates if _names(profile, urls, server)), None)
    if named is None and wanted:
        # Whom to trust is no secret, and an HTTP listener may be elsewhere than its context can say.
        return {"tls_ca_file": contexts[wanted].get("tls_ca_file", "")}
    return named or {}


def _names(profile: Dict[str, str], urls: List[str], server: str) -> bool:
    """Whether the context is about all of these servers."""
    known = [address.strip() for address in profile.get("server", "").split(",") if address]
    if urls:
        known_urls = [_http_url(address, bool(profile.get("tls_ca_file"))) for address in known]
        return all(url in known_urls for url in urls)
    return all(address.strip() in known for address in server.split(","))


def _parse(text: str, path: str) -> "tuple[str, Dict[str, Dict[str, str]]]":
    """The part of YAML that the command line writes: names with values, contexts two steps deep."""
    current = ""
    contexts: Dict[str, Dict[str, str]] = {}
    context: Optional[Dict[str, str]] = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None:
            raise ForebayError(f"{path}:{number}: not a line of `name: value`", "INVALID_CONFIG_VALUE")
        depth, name, value = len(match.group(1)), match.group(2).strip('"'), _plain(match.group(3) or "")
        if depth == 0:
            context = None
            current = value if name == "current" else current
        elif not value:
            context = contexts.setdefault(name, {})
        elif context is not None:
            context[name] = value
    return current, contexts


def _plain(value: str) -> str:
    if value in ("{}", "~", "null"):
        return ""
    if value.startswith('"'):
        return str(json.loads(value))
    if value.startswith("'") and value.endswith("'") and len(value) > 1:
        return value[1:-1].replace("''", "'")
    return value
