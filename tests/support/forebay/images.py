"""Images of the tests, made of files of this machine alone; no registry is asked."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from .docker_engine import EngineClient
from .process import ROOT, binary

# Shell and tools; runs as root in /tmp unless told otherwise; has FROM_IMAGE=image in its environment.
BUSYBOX = "forebay-test/busybox:1"
# The same with the entry point `/bin/echo entry`.
ENTRY = "forebay-test/entry:1"
# The same with `/bin/echo image-command` as its own command.
COMMAND = "forebay-test/command:1"
# The same with the user 1000, in /home/user.
USER = "forebay-test/user:1"
# python3 with pip and httpx, as the images that flows are built on.
PYTHON_BASE = "forebay-test/python:1"
# python3, git, /app/repo_stats.py and the clone /app/clone with two commits.
REPO_STATS = "repo-stats:tutorial"

APPLETS = (
    "[ cat chmod chown cp cut date dd df dirname du echo env false find grep head hostname id ifconfig ip kill ln ls mkdir "
    "mktemp mount mv nc nproc printenv printf ps pwd readlink rm rmdir sed seq sh sleep sort stat stty tail tee test time "
    "timeout touch tr true tty ulimit uname uniq usleep wc wget which whoami xargs yes"
)  # fmt: skip
PYTHON = "/usr/bin/python3.11"
PYTHON_LIBRARY = pathlib.Path("/usr/lib/python3.11")
PACKAGES = (
    "pip", "setuptools", "wheel", "pkg_resources", "_distutils_hack",
    "httpx", "httpcore", "h11", "anyio", "sniffio", "certifi", "idna", "rfc3986",
)  # fmt: skip
# What a flow does not need of the standard library.
LEFT_OUT = (
    "test", "tests", "idlelib", "tkinter", "lib2to3", "pydoc_data", "ensurepip", "distutils", "turtledemo", "unittest",
    "__pycache__", "config-*", "sitecustomize.py",
)  # fmt: skip


def busybox_tree(root: pathlib.Path) -> pathlib.Path:
    """A root file system of busybox alone, with root and a user of number 1000."""
    for folder in ("bin", "etc", "tmp", "root", "proc", "sys", "dev", "home/user"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    shutil.copy("/bin/busybox", root / "bin/busybox")
    for applet in APPLETS.split():
        (root / "bin" / applet).symlink_to("busybox")
    (root / "tmp").chmod(0o1777)
    os.chown(root / "home/user", 1000, 1000)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\nuser:x:1000:\n")
    return root


def make_test_images(engine: EngineClient):
    """All but the big one; those that the engine has are kept."""
    with tempfile.TemporaryDirectory() as folder:
        tree = busybox_tree(pathlib.Path(folder))
        basics = ("ENV PATH=/bin", "ENV FROM_IMAGE=image", "WORKDIR /tmp")
        _import(engine, BUSYBOX, tree, *basics)
        _import(engine, ENTRY, tree, *basics, 'ENTRYPOINT ["/bin/echo","entry"]')
        _import(engine, COMMAND, tree, *basics, 'CMD ["/bin/echo","image-command"]')
        _import(engine, USER, tree, *basics, "USER 1000", "WORKDIR /home/user")


def make_repo_stats_image(engine: EngineClient):
    if engine.has_image(REPO_STATS):
        return
    with tempfile.TemporaryDirectory() as folder:
        tree = busybox_tree(pathlib.Path(folder))
        _copy_program("/usr/bin/git", tree)
        _copy_python(tree, LEFT_OUT)
        (tree / "app").mkdir()
        shutil.copy(ROOT / "examples/repo_stats.py", tree / "app/repo_stats.py")
        _make_clone(tree / "app/clone")
        _import(engine, REPO_STATS, tree, "ENV PATH=/usr/bin:/bin", "WORKDIR /app")


def make_python_image(engine: EngineClient):
    if engine.has_image(PYTHON_BASE):
        return
    with tempfile.TemporaryDirectory() as folder:
        tree = _python_tree(pathlib.Path(folder))
        _import(engine, PYTHON_BASE, tree, "ENV PATH=/usr/local/bin:/usr/bin:/bin")


def make_flow_image(engine: EngineClient, name: str, flows: pathlib.Path):
    """The same with the package and a folder of flows, as `flow.deploy(image=…)` makes it."""
    with tempfile.TemporaryDirectory() as folder:
        tree = _python_tree(pathlib.Path(folder))
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "sdk/python/src/forebay", tree / "usr/lib/python3/dist-packages/forebay", ignore=ignored)
        shutil.copytree(flows, tree / "opt/flows", ignore=ignored)
        _import(engine, name, tree, "ENV PATH=/usr/local/bin:/usr/bin:/bin", "WORKDIR /opt/flows", "USER 1000")


def make_worker_image(engine: EngineClient, name: str):
    """forebay-worker, as deploy/docker/forebay makes an image of it."""
    with tempfile.TemporaryDirectory() as folder:
        tree = busybox_tree(pathlib.Path(folder))
        # Busybox has none.
        _copy_program("/usr/bin/install", tree)
        program = tree / "usr/local/bin/forebay-worker"
        program.parent.mkdir(parents=True)
        shutil.copy(binary("forebay-worker"), program)
        _copy_libraries(program, tree)
        # Loaded when it first speaks HTTP (common/net/curl_library.h), so no program lists it.
        _copy_program(str(next(pathlib.Path("/lib").glob("*-linux-gnu/libcurl.so.4"))), tree)
        (tree / "var/lib/forebay").mkdir(parents=True)
        _import(engine, name, tree, "ENV PATH=/usr/local/bin:/usr/bin:/bin", "USER 10001:10001")


def _python_tree(root: pathlib.Path) -> pathlib.Path:
    tree = busybox_tree(root)
    _copy_python(tree, [name for name in LEFT_OUT if name not in ("distutils", "unittest")])
    packages = tree / "usr/lib/python3/dist-packages"
    for name in PACKAGES:
        source = f"/usr/lib/python3/dist-packages/{name}"
        shutil.copytree(source, packages / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tree


def _copy_python(tree: pathlib.Path, left_out):
    _copy_program(PYTHON, tree)
    shutil.copytree(PYTHON_LIBRARY, tree / "usr/lib/python3.11", ignore=shutil.ignore_patterns(*left_out))
    for extension in (tree / "usr/lib/python3.11/lib-dynload").glob("*.so"):
        _copy_libraries(extension, tree)
    (tree / "usr/bin/python3").symlink_to("python3.11")
    # What the C library loads by itself when a thread ends.
    shutil.copy(next(pathlib.Path("/lib").glob("*-linux-gnu/libgcc_s.so.1")), tree / "lib")


def _import(engine: EngineClient, name: str, tree: pathlib.Path, *changes: str):
    if not engine.has_image(name):
        engine.import_image(name, tree, changes)


def _copy_program(program: str, tree: pathlib.Path):
    target = tree / program.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(program, target)
    _copy_libraries(pathlib.Path(program), tree)


def _copy_libraries(program: pathlib.Path, tree: pathlib.Path):
    """What the loader would load, where it looks for it."""
    listing = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout
    for library in re.findall(r"(/\S+) \(0x", listing):
        target = tree / library.lstrip("/")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, target)


def _make_clone(folder: pathlib.Path):
    """A repository of two commits by two people."""
    folder.mkdir()
    _git(folder, "init", "-q", "-b", "main")
    for person, month, name in (("Ada", 1, "one.py"), ("Grace", 2, "two.sh")):
        (folder / name).write_text("first line\nsecond line\n")
        date = f"2026-0{month}-03T12:00:00Z"
        identity = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
                    for what, value in (("NAME", person), ("EMAIL", f"{person}@example.org"), ("DATE", date))}  # fmt: skip
        _git(folder, "add", name)
        _git(folder, "commit", "-q", "-m", f"Add {name}", **identity)


def _git(folder: pathlib.Path, *arguments: str, **environment: str):
    plain = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "-C", str(folder), *arguments], env={**plain, **environment}, check=True, capture_output=True)
