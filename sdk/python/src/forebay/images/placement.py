"""Where a flow lies in the image that is built of its directory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, List, Tuple

from ..errors import ForebayError
from . import recipe
from .context import ignore_file_of

if TYPE_CHECKING:
    from ..flows import Flow
    from .docker_image import DockerImage


def in_image(flow: "Flow[..., Any]", image: "DockerImage") -> Tuple[str, List[Dict[str, Any]]]:
    """Entrypoint and pull steps there. Code from elsewhere comes when the run starts, as it does without an image.
    ENTRYPOINT_NOT_IN_IMAGE."""
    if flow.pull_steps:
        return flow.entrypoint(), flow.pull_steps
    return of_entrypoint(flow.entrypoint(), image)


def of_entrypoint(entrypoint: str, image: "DockerImage") -> Tuple[str, List[Dict[str, Any]]]:
    """The same of a file of this machine, its path relative to here."""
    place, _, name = entrypoint.rpartition(":")
    if place.endswith(".py"):
        place = os.path.relpath(place, image.context)
        _check(place, image)
    # An own Dockerfile has its own place for the code, which is its WORKDIR.
    steps = [{"set_working_directory": {"directory": recipe.DIRECTORY}}] if image.dockerfile == "auto" else []
    return f"{place}:{name}", steps


def _check(path: str, image: "DockerImage") -> None:
    if path.startswith(".."):
        raise ForebayError(
            f"{path} lies outside {image.context}, which the image is built of; say DockerImage(…, context=…)",
            "ENTRYPOINT_NOT_IN_IMAGE",
        )
    if ignore_file_of(image.context).leaves_out(path.replace(os.sep, "/")):
        raise ForebayError(
            f"{path} is left out of the image by {os.path.join(image.context, '.dockerignore')}", "ENTRYPOINT_NOT_IN_IMAGE"
        )
