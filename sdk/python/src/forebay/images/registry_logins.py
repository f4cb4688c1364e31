"""Logins of registries as docker keeps them: in its config.json or with the credential helpers named there."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from typing import Any, Dict, Optional

from ..errors import ForebayError
from .engine_address import docker_config

# What docker itself files the logins of Docker Hub under.
_HUB = "https://index.docker.io/v1/"
_HELPER = re.compile(r"^[a-z0-9][a-z0-9._-]*$")


def registry_of(image: str) -> str:
    """The host of an image's name, or Docker Hub's key."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else _HUB


def header_for(image: str) -> str:
    """X-Registry-Auth for an image's registry; without a login, that of nobody."""
    return _encode(find(registry_of(image)) or {})


def header_for_all() -> str:
    """X-Registry-Config: all logins that stand in the file itself or belong to a helper of one registry."""
    config = docker_config()
    names = [*config.get("auths", {}), *config.get("credHelpers", {})]
    found = {name: login for name in names if (login := find(name, config)) is not None}
    return _encode(found)


def find(registry: str, config: Optional[Dict[str, Any]] = None) -> Optional[Dict[str, str]]:
    config = docker_config() if config is None else config
    helper = config.get("credHelpers", {}).get(registry) or config.get("credsStore")
    if helper:
        return _ask(str(helper), registry)
    entry = config.get("auths", {}).get(registry) or config.get("auths", {}).get(f"https://{registry}")
    return _plain(entry, registry) if entry else None


def _plain(entry: Dict[str, Any], registry: str) -> Optional[Dict[str, str]]:
    if entry.get("identitytoken"):
        return {"identitytoken": str(entry["identitytoken"]), "serveraddress": registry}
    try:
        name, _, password = base64.b64decode(entry.get("auth", "")).decode().partition(":")
    except ValueError:
        raise ForebayError(
            f"docker's login for {registry} is no base64",
            "INVALID_REGISTRY_LOGIN",
            metadata={"next": f"docker login {registry}"},
        ) from None
    name, password = name or str(entry.get("username", "")), password or str(entry.get("password", ""))
    return {"username": name, "password": password, "serveraddress": registry} if name else None


def _ask(helper: str, registry: str) -> Optional[Dict[str, str]]:
    """https://github.com/docker/docker-credential-helpers: the registry on standard input, JSON on standard output."""
    if not _HELPER.match(helper):
        raise ForebayError(f"docker's credential helper '{helper}' is no name of a program", "INVALID_REGISTRY_LOGIN")
    try:
        done = subprocess.run(
            [f"docker-credential-{helper}", "get"], input=registry, capture_output=True, text=True, check=False, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ForebayError(f"docker-credential-{helper}: {error}", "INVALID_REGISTRY_LOGIN") from None
    if done.returncode != 0:
        # It has none for this registry.
        return None
    answer = json.loads(done.stdout)
    if answer.get("Username") == "<token>":
        return {"identitytoken": answer["Secret"], "serveraddress": registry}
    return {"username": answer["Username"], "password": answer["Secret"], "serveraddress": registry}


def _encode(value: Dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()
