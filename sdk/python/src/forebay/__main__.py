"""`python -m forebay`: what workers and the command line start.

python -m forebay flow-run execute            runs what a worker has launched
python -m forebay flow inspect FILE.py:FUNC   prints, as JSON, what a deployment of the flow needs to know
python -m forebay image build --name NAME …   builds a directory into an image
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
    if words[:2] == ["image", "build"]:
        from .images.command import main as build

        return build(words[2:])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
