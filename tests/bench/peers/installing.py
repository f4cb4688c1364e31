"""Peers are installed into folders of a cache, one for each set of pins: nothing of the machine's or of a user's is changed."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import tomllib

from peer import LeftOut

HERE = pathlib.Path(__file__).parent
PROGRAMS = HERE / "programs"
PATIENCE = 900


def pins(name: str) -> list[str]:
    (lines,) = tomllib.loads((HERE / "versions.toml").read_text())[name].values()
    return lines


def default_cache() -> pathlib.Path:
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "forebay" / "peers"


class Place:
    """Where one peer is installed. `sources` are part of what is built there."""

    def __init__(self, cache: pathlib.Path, name: str, sources: list[pathlib.Path] | None = None):
        self.name = name
        self.pins = pins(name)
        digest = hashlib.sha256("\n".join(self.pins).encode())
        for source in sorted(sources or []):
            digest.update(source.read_bytes())
        self.cache = cache
        self.folder = cache / f"{name}-{digest.hexdigest()[:12]}"

    def fill(self, install):
        """Calls `install` with the folder unless an earlier call came to its end there."""
        done = self.folder / ".installed"
        if done.exists():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        install(self.folder)
        done.touch()


def need(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise LeftOut(f"{program} is not installed")
    return path


def step(*words, folder: pathlib.Path, **environment: str):
    """One command of an installation."""
    try:
        done = subprocess.run(
            list(map(str, words)), cwd=folder, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise LeftOut(f"{words[0]} {words[1]} did not end within {PATIENCE} s") from None
    if done.returncode != 0:
        told = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise LeftOut(f"{pathlib.Path(str(words[0])).name} {words[1]} failed: {' / '.join(told)}")


def python_packages(place: Place) -> pathlib.Path:
    """The interpreter of a virtual environment with the pinned packages."""

    def install(folder: pathlib.Path):
        step("/usr/bin/python3", "-m", "venv", folder / "venv", folder=folder)
        step(folder / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet", *place.pins, folder=folder)

    place.fill(install)
    return place.folder / "venv" / "bin" / "python"
