"""`python -m forebay image plan|build`: the command line's way to images. Both read a JSON object from standard input and
print one: {"image": …, "places": {entrypoint: {"entrypoint": …, "pull_steps": […]}}}, or {"error": …}.

What is read: `image` and `context`, the other options of DockerImage, `entrypoints` (files that have to be in the image),
`build`, `push`.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Dict, List

from ..errors import ForebayError
from . import placement
from .docker_image import DockerImage


def main(words: List[str]) -> int:
    try:
        told = json.load(sys.stdin)
        entrypoints, build, push = told.pop("entrypoints"), told.pop("build"), told.pop("push")
        image = _image(told)
        if build:
            image.check()
        places = {entrypoint: _place(entrypoint, image) for entrypoint in entrypoints}
        if words == ["build"]:
            _make(image, build, push)
        print(json.dumps({"image": image.reference, "places": places}))
        return 0
    except ForebayError as error:
        print(json.dumps({"error": {"reason": error.reason, "message": error.message, "next": error.next}}))
        return 1


def _image(options: Dict[str, Any]) -> DockerImage:
    try:
        return DockerImage(options.pop("image"), **options)
    except TypeError as error:
        raise ForebayError(str(error), "UNKNOWN_CONFIG_KEY") from None


def _place(entrypoint: str, image: DockerImage) -> Dict[str, Any]:
    place, steps = placement.of_entrypoint(entrypoint, image)
    return {"entrypoint": place, "pull_steps": steps}


def _make(image: DockerImage, build: bool, push: bool) -> None:
    if build:
        image.build()
    if push:
        image.push()
