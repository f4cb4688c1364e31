"""`python -m forebay`: what workers and the command line start.

python -m forebay flow-run execute            runs what a worker has launched
python -m forebay flow inspect FILE.py:FUNC   prints, as JSON, what a deployment of the flow needs to know
python -m forebay flow serve FILE.py:FUNC …   runs its runs here until Ctrl-C; see forebay.serving.command
python -m forebay flow find DIRECTORY         prints, as JSON, the entrypoints of the flows in it, read and not imported
python -m forebay image plan|build            builds a directory into an image; see forebay.images.command
"""

from __future__ import annotations

import sys
from typing import List


def main(words: List[str]) -> int:
    if words == ["flow-run", "execute"]:
        from .engine.execute import main as execute

        return execute()
    if words[:2] == ["flow", "inspect"] and len(words) == 3:
        from .inspection import main as inspect

        return inspect(words[2])
    if words[:2] == ["flow", "serve"]:
        from .serving.command import main as serve

        return serve(words[2:])
    if words[:2] == ["flow", "find"] and len(words) == 3:
        from .finding import main as find

        return find(words[2])
    if words in (["image", "plan"], ["image", "build"]):
        from .images.command import main as image

        return image(words[1:])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
