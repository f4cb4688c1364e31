"""`python -m forebay image build`: builds an image for the command line, which reads {"image": …} or {"error": …} from
standard output."""

from __future__ import annotations

import argparse
import json
from typing import Any, Dict, List

from ..errors import ForebayError
from .docker_image import DockerImage


def main(words: List[str]) -> int:
    given = _arguments(words)
    try:
        arguments: Dict[str, str] = dict(pair.partition("=")[::2] for pair in given.build_arg)
        options: Dict[str, Any] = {"buildargs": arguments} if arguments else {}
        image = DockerImage(given.name, given.tag, given.dockerfile, given.platform, context=given.context, **options)
        image.build()
        if given.push:
            image.push()
        print(json.dumps({"image": image.reference}))
        return 0
    except ForebayError as error:
        print(json.dumps({"error": {"reason": error.reason, "message": error.message, "next": error.next}}))
        return 1


def _arguments(words: List[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m forebay image build")
    parser.add_argument("--name", required=True)
    parser.add_argument("--tag")
    parser.add_argument("--dockerfile", default="auto")
    parser.add_argument("--platform")
    parser.add_argument("--context", default=".")
    parser.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--push", action="store_true")
    return parser.parse_args(words)
