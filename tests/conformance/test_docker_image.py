"""deploy/docker/forebay without building it: its last stage installs every library that the programs load, and what Docker is
sent to build from has the sources."""

import functools
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from forebay import protocol
from forebay.process import ROOT, binary

pytestmark = pytest.mark.slow

DOCKERFILE = ROOT / "deploy/docker/forebay/Dockerfile"
PROGRAMS = ("forebay", "forebay-server", "forebay-worker", "forebay-holder")
# Libraries that the image's programs, of the preset `release`, have within them; those of other presets load them.
WITHIN = re.compile(r"/lib(absl_|grpc|gpr|protobuf|upb|address_sorting|cares|re2|yaml-cpp|spdlog)[^/]*$")


def debian_12() -> bool:
    release = pathlib.Path("/etc/os-release")
    return release.exists() and 'VERSION_ID="12"' in release.read_text() and shutil.which("dpkg-query") is not None


def installed_by_image() -> list[str]:
    """The packages that the last stage names."""
    last = DOCKERFILE.read_text().split("\nFROM ")[-1].replace("\\\n", " ")
    return re.search(r"--no-install-recommends ([^&]*)&&", last).group(1).split()


def loaded(program: str) -> set[str]:
    """Paths of the libraries that the loader finds for it; of none for one that is linked statically."""
    listing = subprocess.run(["ldd", binary(program)], capture_output=True, text=True, check=False).stdout
    assert "not found" not in listing, listing
    return {path for path in re.findall(r"(/\S+) \(0x", listing) if not WITHIN.search(path)}


def package_of(library: str) -> str:
    """Without the architecture. A package may say /usr/lib of what the loader finds in /lib, which is the same folder."""
    for path in (library, f"/usr{library}"):
        done = subprocess.run(["dpkg-query", "-S", path], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.split(":")[0]
    raise AssertionError(f"{library} is of no package")


@functools.cache
def dependencies(package: str) -> frozenset[str]:
    """Those that it names itself, as installed here."""
    command = ["dpkg-query", "-W", "-f", "${Depends}, ${Pre-Depends}", package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # One of several, or a name that another package provides, need not be installed here.
    return frozenset(re.findall(r"(?:^|[,|])\s*([a-z0-9][a-z0-9.+-]*)", done.stdout)) if done.returncode == 0 else frozenset()


def with_dependencies(packages: list[str]) -> set[str]:
    seen, waiting = set(), list(packages)
    while waiting:
        package = waiting.pop()
        if package not in seen:
            seen.add(package)
            waiting.extend(dependencies(package))
    return seen


@pytest.mark.skipif(not debian_12(), reason="the packages are those of Debian 12")
@pytest.mark.parametrize("program", PROGRAMS)
def test_the_image_has_every_library_of(program):
    there = with_dependencies(installed_by_image())
    missing = {library: package_of(library) for library in loaded(program) if package_of(library) not in there}
    assert not missing, f"{DOCKERFILE} installs none of {missing}"


@pytest.mark.skipif(not debian_12(), reason="the packages are those of Debian 12")
def test_the_image_has_the_library_that_workers_load_when_they_need_it():
    source = (ROOT / "common/net/curl_library.cc").read_text()
    (name,) = re.findall(r'"(lib[^"]*\.so[^"]*)"', source)
    listing = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    (path, *_) = re.findall(rf"{re.escape(name)} .*=> (\S+)", listing)
    assert package_of(path) in installed_by_image()


def test_what_is_copied_from_the_build_is_what_is_installed():
    text = DOCKERFILE.read_text()
    (built,) = re.findall(r"scripts/dev release ([^&]*)&&", text)
    assert tuple(built.replace("\\\n", " ").split()) == PROGRAMS
    assert {path for path in re.findall(r"build/release/bin/(\S+)", text)} == set(PROGRAMS)


def test_docker_is_sent_the_sources_and_no_more(tmp_path):
    for name in ("scripts/dev", "cli/main.cc", "sdk/python/src/forebay/x.py", "deploy/docker/flow/Dockerfile", ".git/HEAD",
                 "build/dev/CMakeCache.txt", ".quickstart/admin.key", "tests/__pycache__/x.pyc"):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.touch()
    shutil.copy(ROOT / ".dockerignore", tmp_path)
    # Obeyed as docker does: test_dockerignore_oracle.py.
    script = "import sys, tarfile; from forebay.images import context; " \
             "print(*tarfile.open(fileobj=context.pack(sys.argv[1], '', {}).archive).getnames())"  # fmt: skip
    sdk = str(protocol.ROOT / "sdk/python/src")
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, env={"PYTHONPATH": sdk}, capture_output=True, text=True, check=True)
    sent = {name for name in done.stdout.split() if (tmp_path / name).is_file()}
    assert sent == {"scripts/dev", "cli/main.cc", "sdk/python/src/forebay/x.py", "deploy/docker/flow/Dockerfile"}
    # Without BuildKit nobody reads such a file.
    assert not list(DOCKERFILE.parents[1].rglob("*.dockerignore"))
