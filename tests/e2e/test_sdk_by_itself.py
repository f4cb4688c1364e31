"""The Python package without a server: its own tests under every interpreter there is, its types, its size."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from forebay import protocol

PACKAGE = protocol.ROOT / "sdk" / "python"
VERSIONS = [(3, minor) for minor in range(9, 14)]


def interpreter(version: tuple[int, int]) -> str | None:
    name = f"python{version[0]}.{version[1]}"
    if found := shutil.which(name, path="/usr/bin:/usr/local/bin"):
        return found
    root = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv"))
    installed = sorted(root.glob(f"versions/{version[0]}.{version[1]}.*/bin/python"))
    return str(installed[-1]) if installed else None


def run(*words: str, **environment: str) -> subprocess.CompletedProcess:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FOREBAY_"))}
    settings = {**clean, "PYTHONPATH": str(PACKAGE / "src"), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    return subprocess.run(words, cwd=PACKAGE, capture_output=True, text=True, timeout=300, env=settings)


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: f"{version[0]}.{version[1]}")
def test_its_tests_pass(version):
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version[0]}.{version[1]} here")
    done = run(python, "-m", "unittest", "discover", "-s", "tests")
    assert done.returncode == 0, done.stderr


def test_its_types_hold(tmp_path):
    done = run("mypy", "--strict", "--cache-dir", str(tmp_path), "src/forebay")
    assert done.returncode == 0, done.stdout


def test_it_needs_nothing_but_the_standard_library():
    script = "import sys; before = set(sys.modules); from forebay import flow; print(*sorted(set(sys.modules) - before))"
    loaded = run("/usr/bin/python3", "-S", "-c", script).stdout.split()
    foreign = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names) - {"forebay"}
    assert loaded and not foreign
    # What only a deployment or a server needs is not loaded by a program that runs flows.
    assert not {"http.client", "ssl", "asyncio", "forebay.deployments", "forebay.client"} & set(loaded)
