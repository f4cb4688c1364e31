"""Which files go into an image: against docker's own command line, which reads .dockerignore by its own library."""

import http.server
import io
import os
import pathlib
import random
import shutil
import socketserver
import subprocess
import sys
import tarfile
import threading

import pytest
from forebay import protocol

SDK = protocol.ROOT / "sdk" / "python" / "src"
NAMES = ("a", "b", "ab", "a.b", "a+b", "[a]", "a-b", "A", "ab.py", ".a", "a b")
PIECES = ("*", "?", "a", "b", "ab", "*.py", "a*", "**", "[ab]", "[^a]", "[a-b]b", "\\[a]", "a.b", "a+b", ".", "..", ".*", "*b*")
CASES = 240


class Engine(http.server.BaseHTTPRequestHandler):
    """As much of an engine as `docker build` needs to send its archive; keeps that of the last build."""

    protocol_version = "HTTP/1.1"
    sent = b""

    def do_HEAD(self):
        self._answer(b"", length=False)

    def do_GET(self):
        self._answer(b"OK" if self.path.endswith("/_ping") else b"{}")

    def do_POST(self):
        type(self).sent = self._body()
        self._answer(b'{"stream":"Successfully built 0"}\n')

    def _body(self) -> bytes:
        if "Content-Length" in self.headers:
            return self.rfile.read(int(self.headers["Content-Length"]))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _answer(self, content: bytes, length: bool = True):
        self.send_response(200)
        self.send_header("Api-Version", "1.43")
        self.send_header("Builder-Version", "1")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content) if length else 0))
        self.end_headers()
        self.wfile.write(content)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_):
        pass


class Listener(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@pytest.fixture
def docker(tmp_path):
    """docker(directory): the paths that `docker build` sends of it."""
    if shutil.which("docker") is None:
        pytest.skip("docker's command line is not installed")
    path = f"/tmp/fb-ignore-{os.getpid()}.sock"
    pathlib.Path(path).unlink(missing_ok=True)
    with Listener(path, Engine) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()

        def build(directory: pathlib.Path) -> set[str]:
            settings = {"DOCKER_BUILDKIT": "0", "DOCKER_HOST": f"unix://{path}", "DOCKER_CONFIG": str(tmp_path / "none")}
            done = subprocess.run(
                ["docker", "build", "-q", str(directory)], env={**os.environ, **settings}, capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0, done.stderr
            return files_of(Engine.sent)

        yield build
        listener.shutdown()
    pathlib.Path(path).unlink()


def files_of(archive: bytes) -> set[str]:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:*") as tar:
        # Both send these two whatever is said of them, or not at all.
        return {member.name for member in tar if not member.isdir()} - {"Dockerfile", ".dockerignore"}


def ours(directory: pathlib.Path) -> set[str]:
    script = (
        "import sys; from forebay.images.context import pack; "
        "sys.stdout.buffer.write(pack(sys.argv[1], '', {}, kept='Dockerfile').archive.read())"
    )
    settings = {"PYTHONPATH": str(SDK), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", script, str(directory)], env={**os.environ, **settings}, capture_output=True)
    assert done.returncode == 0, done.stderr
    return files_of(done.stdout)


def make_tree(root: pathlib.Path, dice: random.Random):
    (root / "Dockerfile").write_text("FROM scratch\n")
    for _ in range(dice.randint(3, 14)):
        path = root.joinpath(*(dice.choice(NAMES) for _ in range(dice.randint(1, 4))))
        if any(parent.is_file() for parent in path.parents if parent != root) or path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")


def make_exception(dice: random.Random) -> str:
    """Written out, or for one level: below a directory that is left out the two builders of docker read wildcards
    differently, and this oracle is the older one."""
    if dice.random() < 0.3:
        return "!" + dice.choice([piece for piece in PIECES if piece not in ("**", ".", "..")])
    names = [name for name in NAMES if "[" not in name]
    return "!" + dice.choice(("", " ", "/")) + "/".join(dice.choice(names) for _ in range(dice.randint(1, 4)))


def make_line(dice: random.Random) -> str:
    if dice.random() < 0.3:
        return make_exception(dice)
    pattern = "/".join(dice.choice(PIECES) for _ in range(dice.randint(1, 3)))
    return dice.choice(("", "", "/", "  ")) + pattern + dice.choice(("", "", "", "/", " "))


@pytest.mark.parametrize("seed", range(3))
def test_the_same_files_go_into_an_image(docker, tmp_path, seed):
    dice = random.Random(seed)
    for case in range(CASES // 3):
        directory = tmp_path / f"case{case}"
        directory.mkdir()
        make_tree(directory, dice)
        lines = ["# a comment", *(make_line(dice) for _ in range(dice.randint(1, 5)))]
        (directory / ".dockerignore").write_text("\n".join(lines) + "\n")
        theirs = docker(directory)
        assert ours(directory) == theirs, f"seed {seed}, case {case}: {lines}, of {sorted(str(p) for p in directory.rglob('*'))}"
