"""`DockerImage`: what image a deployment's runs are started from, and how it is built."""

from __future__ import annotations

import datetime
import difflib
import json
import os
import re
from typing import Any, Callable, Dict, Optional, Union

from ..errors import ForebayError
from . import recipe

# https://github.com/distribution/reference/blob/v0.6.0/regexp.go
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?|\[[0-9a-fA-F:]+\](?::[0-9]+)?)"
_NAME = re.compile(rf"^(?:{_HOST}/)?{_PART}(?:/{_PART})*$")
_TAG = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")


def _json(value: Any) -> str:
    return json.dumps(value)


def _flag(value: Any) -> str:
    return "1" if value else "0"


def _hosts(value: Any) -> str:
    return json.dumps([f"{name}:{address}" for name, address in dict(value).items()])


# Options of a build: the engine's name, and how its value is written.
_OPTIONS: "Dict[str, tuple[str, Callable[[Any], str]]]" = {
    "buildargs": ("buildargs", _json),
    "labels": ("labels", _json),
    "target": ("target", str),
    "network_mode": ("networkmode", str),
    "nocache": ("nocache", _flag),
    "pull": ("pull", _flag),
    "cache_from": ("cachefrom", _json),
    "extra_hosts": ("extrahosts", _hosts),
    "shmsize": ("shmsize", str),
}


class DockerImage:
    """An image, by default one of the current directory.

    name: `image`, `image:tag` or `registry.example.com/team/image:tag`. tag: default the time, to the second.
    dockerfile: "auto", or the path of your own in the directory. An automatic one begins at `base_image` (default
        FOREBAY_BASE_IMAGE, else python:3.X-slim as the Python that asks), installs this package and requirements.txt or the
        dependencies of pyproject.toml, and copies the directory to /opt/flows, for a user who is not root.
    platform: like "linux/amd64". context: the directory. What its .dockerignore names is left out.
    build: buildargs, labels, target, network_mode, nocache, pull, cache_from, extra_hosts, shmsize.
    """

    def __init__(
        self,
        name: str,
        tag: Optional[str] = None,
        dockerfile: str = "auto",
        platform: Optional[str] = None,
        *,
        context: str = ".",
        base_image: Optional[str] = None,
        **build: Any,
    ) -> None:
        self.name, self.tag = _name_and_tag(name, tag)
        self.dockerfile = dockerfile
        self.context = os.path.abspath(context)
        self.base_image = base_image or recipe.default_base()
        self.query = _query(build)
        if platform:
            self.query["platform"] = platform

    @staticmethod
    def of(image: "Union[DockerImage, str]") -> "DockerImage":
        return DockerImage(image) if isinstance(image, str) else image

    @property
    def reference(self) -> str:
        return f"{self.name}:{self.tag}"

    @property
    def dockerfile_in_context(self) -> str:
        if self.dockerfile == "auto":
            return recipe.DOCKERFILE
        return os.path.relpath(os.path.join(self.context, self.dockerfile), self.context)

    def check(self) -> None:
        """Whether it can be built, as far as is known without the engine: DOCKERFILE_NOT_FOUND, DOCKERFILE_EXISTS."""
        if not os.path.isdir(self.context):
            raise ForebayError(f"there is no directory {self.context} to build from", "DOCKERFILE_NOT_FOUND")
        own = os.path.join(self.context, "Dockerfile")
        if self.dockerfile == "auto":
            if os.path.exists(own):
                raise ForebayError(
                    f'there is a Dockerfile already: {own}; build by it with DockerImage(…, dockerfile="Dockerfile"), or move '
                    "it away to have one made",
                    "DOCKERFILE_EXISTS",
                )
        elif self.dockerfile_in_context.startswith(".."):
            raise ForebayError(f"{self.dockerfile} lies outside {self.context}", "DOCKERFILE_NOT_FOUND")
        elif not os.path.isfile(os.path.join(self.context, self.dockerfile)):
            raise ForebayError(f"there is no {self.dockerfile} in {self.context}", "DOCKERFILE_NOT_FOUND")

    def build(self) -> str:
        """Builds it by the Docker engine, with progress on standard error; its name with the tag. ENGINE_UNREACHABLE,
        IMAGE_BUILD_FAILED."""
        from . import build
        from .engine import Engine
        from .progress import Progress

        self.check()
        build.build(self, Engine(), Progress())
        return self.reference

    def push(self) -> None:
        """To the registry of its name, with the login that docker has for it. IMAGE_PUSH_FAILED."""
        from . import build
        from .engine import Engine
        from .progress import Progress

        build.push(self, Engine(), Progress())


def _name_and_tag(name: str, tag: Optional[str]) -> "tuple[str, str]":
    head, colon, last = name.rpartition(":")
    if colon and "/" not in last:
        if tag is not None and tag != last:
            raise ForebayError(f"image '{name}' has a tag, and tag is '{tag}'; give one of them", "INVALID_IMAGE")
        name, tag = head, last
    if tag is None:
        tag = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%d-%H%M%S")
    if not _NAME.match(name) or len(name) > 255:
        raise ForebayError(
            f"'{name}' is no name of an image: small letters, digits and .-_ in parts divided by /, like "
            "registry.example.com/team/image",
            "INVALID_IMAGE",
        )
    if not _TAG.match(tag):
        raise ForebayError(f"'{tag}' is no tag: letters, digits and .-_, at most 128", "INVALID_IMAGE")
    return name, tag


def _query(options: Dict[str, Any]) -> Dict[str, str]:
    query = {}
    for name, value in options.items():
        if name not in _OPTIONS:
            near = difflib.get_close_matches(name, _OPTIONS, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise TypeError(f"a build has no option {name!r}{hint}; it has {', '.join(sorted(_OPTIONS))}")
        key, written = _OPTIONS[name]
        query[key] = written(value)
    return query
