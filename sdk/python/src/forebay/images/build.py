"""Builds and pushes an image by the engine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Dict, Tuple, Union

from ..errors import ForebayError
from . import context, recipe, registry_logins
from .build_messages import BuildKitBuild, ClassicBuild, base_images
from .engine import Engine, EngineRefusal
from .progress import Progress

if TYPE_CHECKING:
    from .docker_image import DockerImage

_KILOBYTE = 1e3


def build(image: "DockerImage", engine: Engine, progress: Progress) -> None:
    """IMAGE_BUILD_FAILED, once the failing step's output has been shown."""
    with_buildkit = _with_buildkit(engine)
    dockerfile, packed = _context(image)
    with packed.archive:
        progress.say(f"Building {image.reference} from {packed.files} files ({packed.size / _KILOBYTE:.0f} kB)")
        if with_buildkit:
            _fetch_bases(dockerfile, engine, progress)
        reader: Union[BuildKitBuild, ClassicBuild]
        reader = BuildKitBuild(progress) if with_buildkit else ClassicBuild(progress)
        query = {**image.query, "t": image.reference, "dockerfile": image.dockerfile_in_context, "rm": "1", "forcerm": "1"}
        query["version"] = "2" if with_buildkit else "1"
        headers = {"Content-Type": "application/x-tar", "X-Registry-Config": registry_logins.header_for_all()}
        try:
            for message in engine.messages("/build", query, packed.archive, headers):
                reader.take(message)
        except EngineRefusal as refusal:
            progress.failed()
            raise ForebayError(f"image {image.reference} cannot be built: {refusal.message}", "IMAGE_BUILD_FAILED") from None
    progress.finish()


def push(image: "DockerImage", engine: Engine, progress: Progress) -> None:
    """IMAGE_PUSH_FAILED."""
    progress.say(f"Pushing {image.reference}")
    headers = {"X-Registry-Auth": registry_logins.header_for(image.name)}
    try:
        for message in engine.messages(f"/images/{image.name}/push", {"tag": image.tag}, None, headers):
            progress.layer(str(message.get("id", "")), str(message.get("status", "")), message.get("progressDetail") or {})
    except EngineRefusal as refusal:
        progress.finish()
        registry = registry_logins.registry_of(image.name)
        raise ForebayError(
            f"image {image.reference} cannot be pushed: {refusal.message}; with push=False it stays on this machine, and a "
            "name like registry.example.com/team/image goes to another registry",
            "IMAGE_PUSH_FAILED",
            metadata={"next": f"docker login {registry}"},
        ) from None
    progress.finish()


def _with_buildkit(engine: Engine) -> bool:
    wanted = os.environ.get("DOCKER_BUILDKIT", "")
    return engine.builds_with_buildkit() if wanted == "" else wanted not in ("0", "false")


def _context(image: "DockerImage") -> Tuple[str, context.Context]:
    if image.dockerfile != "auto":
        with open(os.path.join(image.context, image.dockerfile_in_context), encoding="utf-8", errors="replace") as file:
            text = file.read()
        return text, context.pack(image.context, "", {}, kept=image.dockerfile_in_context)
    text, files = recipe.make(image.context, image.base_image)
    ours: Dict[str, bytes] = {**files, recipe.DOCKERFILE: text.encode()}
    return text, context.pack(image.context, recipe.USERS, ours)


def _fetch_bases(dockerfile: str, engine: Engine, progress: Progress) -> None:
    """BuildKit asks its caller for logins by a session of its own; what needs one is fetched for it before."""
    for base in base_images(dockerfile):
        if registry_logins.find(registry_logins.registry_of(base)) is None or engine.has_image(base):
            continue
        progress.step(f"FROM {base}")
        name, tag = _split(base)
        headers = {"X-Registry-Auth": registry_logins.header_for(base)}
        try:
            for message in engine.messages("/images/create", {"fromImage": name, "tag": tag}, None, headers):
                progress.layer(str(message.get("id", "")), str(message.get("status", "")), message.get("progressDetail") or {})
        except EngineRefusal as refusal:
            raise ForebayError(f"image {base} cannot be fetched: {refusal.message}", "IMAGE_BUILD_FAILED") from None


def _split(image: str) -> Tuple[str, str]:
    name, at, digest = image.partition("@")
    if at:
        return name, digest
    name, colon, tag = image.rpartition(":")
    return (name, tag) if colon and "/" not in tag else (image, "latest")
