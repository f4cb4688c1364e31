"""Parts of image builds without an engine: names, what is sent, what is said, logins."""

import base64
import hashlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import unittest
import zipfile
from unittest import mock

from forebay import DockerImage
from forebay.errors import ForebayError
from forebay.images import context, engine_address, recipe, registry_logins, wheel
from forebay.images.build_messages import BuildKitBuild, ClassicBuild, base_images
from forebay.images.ignore_file import IgnoreFile
from forebay.images.progress import Progress


class Names(unittest.TestCase):
    def test_name_and_tag(self):
        for text, wanted in (
            ("image:1", ("image", "1")),
            ("localhost:5000/team/image:v1.2", ("localhost:5000/team/image", "v1.2")),
            ("registry.example.com/a_b/c-d:x", ("registry.example.com/a_b/c-d", "x")),
        ):
            image = DockerImage(text)
            self.assertEqual((image.name, image.tag), wanted)
        self.assertRegex(DockerImage("localhost:5000/image").tag, r"^\d{8}-\d{6}$")
        self.assertEqual(DockerImage("image", "2").reference, "image:2")

    def test_bad_ones(self):
        for name, tag in (("Image", None), ("", None), ("a//b", None), ("-a", None), ("a b", "1"), ("a", "no tag"), ("a:1", "2")):
            with self.subTest(name=name), self.assertRaises(ForebayError) as caught:
                DockerImage(name, tag)
            self.assertEqual(caught.exception.reason, "INVALID_IMAGE")
        with self.assertRaisesRegex(TypeError, "did you mean buildargs"):
            DockerImage("a", build_args={})


class Ignoring(unittest.TestCase):
    def test_patterns(self):
        for lines, out, kept in (
            (["*.md", "!README.md"], ["a.md"], ["README.md", "a/b.md"]),
            (["**/*.py"], ["a.py", "a/b/c.py"], ["a.pyc"]),
            (["/build/"], ["build", "build/a"], ["src/build"]),
            (["a/*/c"], ["a/b/c", "a/b/c/d"], ["a/c", "a/b/x/c"]),
            (["# no", "", "  x  ", "a?"], ["x", "ab"], ["a", "abc", "# no"]),
            (["data/**", "!data/kept.txt"], ["data/x"], ["data/kept.txt"]),
            (["[a-c].txt", "\\*.py"], ["b.txt", "*.py"], ["d.txt", "x.py"]),
        ):
            ignore = IgnoreFile(lines)
            self.assertEqual([path for path in out + kept if ignore.leaves_out(path)], out, lines)


class Contexts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("flow.py", "print(1)")
        self.write(".git/config")
        self.write("deep/__pycache__/x.pyc")
        self.write(".env", "SECRET=1")

    def write(self, name, text="x"):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def test_what_is_sent_without_an_ignore_file(self):
        packed = context.pack(str(self.root), "flows", {"Dockerfile": b"FROM x\n"})
        with packed.archive, tarfile.open(fileobj=packed.archive) as archive:
            entries = archive.getmembers()
        self.assertEqual([entry.name for entry in entries if entry.isfile()], ["Dockerfile", "flows/flow.py"])
        self.assertEqual({(entry.uid, entry.uname) for entry in entries}, {(0, "")})

    def test_the_same_files_are_the_same_archive(self):
        with context.pack(str(self.root), "", {}).archive as one, context.pack(str(self.root), "", {}).archive as two:
            self.assertEqual(one.read(), two.read())

    def test_a_recipe_without_and_with_requirements(self):
        text, files = recipe.make(str(self.root), "base:1")
        self.assertTrue(text.startswith("FROM base:1\n") and text.endswith("USER 10001:10001\n"))
        self.assertNotIn("requirements", text)
        self.assertEqual(list(files), [wheel.file_name()])
        self.write("requirements.txt", "httpx\n")
        text, _ = recipe.make(str(self.root), "base:1")
        self.assertLess(text.index("COPY flows/requirements.txt"), text.index("flows /opt/flows"))

    def test_a_recipe_of_a_project(self):
        self.write("pyproject.toml", '[project]\nname = "p"\nversion = "1"\ndependencies = ["httpx>=0.27", "rich"]\n')
        text, files = recipe.make(str(self.root), "base:1")
        self.assertEqual(files["requirements.txt"], b"httpx>=0.27\nrich\n")
        self.assertLess(text.index("-r /tmp/forebay/requirements.txt"), text.index("--no-deps /opt/flows"))
        self.write("pyproject.toml", "[project\n")
        with self.assertRaisesRegex(ForebayError, "pyproject.toml: "):
            recipe.make(str(self.root), "base:1")


class Wheels(unittest.TestCase):
    def test_it_is_the_same_each_time_and_pip_takes_it(self):
        content = wheel.build()
        self.assertEqual(content, wheel.build())
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            self.assertIsNone(archive.testzip())
            self.assertIn("forebay/py.typed", archive.namelist())
            record = archive.read(next(name for name in archive.namelist() if name.endswith("RECORD"))).decode()
        self.assertEqual(len(record.splitlines()), record.count("sha256=") + 1)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, wheel.file_name())
            path.write_bytes(content)
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", f"{folder}/to", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if "No module named pip" in done.stderr:
                self.skipTest("there is no pip here")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(pathlib.Path(folder, "to/forebay/engine/execute.py").exists())


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number: int, value) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def trace(*parts: bytes):
    return {"id": "moby.buildkit.trace", "aux": base64.b64encode(b"".join(parts)).decode()}


class Messages(unittest.TestCase):
    def setUp(self):
        self.out = io.StringIO()
        self.progress = Progress(self.out)

    def lines(self):
        return [line.strip() for line in self.out.getvalue().splitlines()]

    def test_buildkit(self):
        build = BuildKitBuild(self.progress)
        time = field(1, 1700000000) + field(2, 5)
        step = field(1, "sha256:1") + field(3, "[1/2] RUN " + "x" * 200)
        build.take(trace(field(1, field(1, "sha256:0") + field(3, "[internal] load") + field(5, time))))
        build.take(trace(field(1, step)))
        build.take(trace(field(1, step + field(5, time))))
        build.take(trace(field(1, step + field(5, time))))
        build.take(trace(field(3, field(1, "sha256:1") + field(3, 1) + field(4, "one\n\x1b[1mtwo\x1b[0m\r\n"))))
        build.take(trace(field(1, field(1, "sha256:2") + field(3, "[2/2] COPY a b") + field(4, 1) + field(5, time) + field(6, time))))
        build.take({"id": "moby.image.id", "aux": {"ID": "sha256:9"}})
        build.take({"stream": "Successfully tagged x\n"})
        self.assertEqual(self.lines(), ["[1/2] RUN " + "x" * 200, "one", "two", "[2/2] COPY a b  (as before)"])

    def test_what_is_no_message_of_buildkit_does_no_harm(self):
        build = BuildKitBuild(self.progress)
        for content in (b"", b"\x0a", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x0b\x00", os.urandom(200)):
            build.take({"id": "moby.buildkit.trace", "aux": base64.b64encode(content).decode()})

    def test_classic(self):
        build = ClassicBuild(self.progress)
        for text in ("Step 1/2 : FROM x\n", " ---> 123\n", "Step 2/2 : RUN y\n", "said\n", "Successfully built 1\n"):
            build.take({"stream": text})
        build.take({"status": "Pulling fs layer", "id": "abc"})
        self.assertEqual(self.lines(), ["[1/2] FROM x", "[2/2] RUN y", "said", "abc: Pulling fs layer"])

    def test_a_terminal_shows_one_line_that_moves_and_the_failed_step_whole(self):
        self.out.isatty = lambda: True
        progress = Progress(self.out)
        progress.step("[1/1] RUN x")
        progress.output("one\ntwo\n")
        self.assertNotIn("\n", self.out.getvalue())
        progress.failed()
        self.assertTrue(self.out.getvalue().endswith("  [1/1] RUN x\n      one\n      two\n"))

    def test_base_images(self):
        text = """
            # FROM no
            FROM --platform=linux/amd64 python:3.12 AS base
            FROM base as two
            FROM $X
            FROM scratch
            from localhost:5000/a@sha256:0
        """
        self.assertEqual(base_images(textwrap.dedent(text)), ["python:3.12", "localhost:5000/a@sha256:0"])


class Docker(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        environment = mock.patch.dict(os.environ, {"DOCKER_CONFIG": folder.name, "PATH": f"{folder.name}:{os.environ['PATH']}"})
        environment.start()
        self.addCleanup(environment.stop)
        for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY"):
            os.environ.pop(name, None)

    def configure(self, **config):
        (self.folder / "config.json").write_text(json.dumps(config))

    def test_logins(self):
        self.configure(auths={"r.example": {"auth": base64.b64encode(b"me:pass:word").decode()}, "t.example": {"identitytoken": "t"}})
        self.assertEqual(registry_logins.find("r.example"), {"username": "me", "password": "pass:word", "serveraddress": "r.example"})
        self.assertEqual(registry_logins.find("t.example"), {"identitytoken": "t", "serveraddress": "t.example"})
        self.assertIsNone(registry_logins.find("none.example"))
        decoded = json.loads(base64.urlsafe_b64decode(registry_logins.header_for("r.example/a/b")))
        self.assertEqual(decoded["username"], "me")
        self.assertEqual(registry_logins.registry_of("team/image"), "https://index.docker.io/v1/")

    def test_a_credential_helper(self):
        helper = self.folder / "docker-credential-mine"
        helper.write_text('#!/bin/sh\nread name\n[ "$name" = r.example ] && echo \'{"Username":"u","Secret":"s"}\'\n')
        helper.chmod(0o755)
        self.configure(credsStore="mine")
        self.assertEqual(registry_logins.find("r.example"), {"username": "u", "password": "s", "serveraddress": "r.example"})
        self.assertIsNone(registry_logins.find("other.example"))
        self.configure(credHelpers={"r.example": "../evil"})
        with self.assertRaisesRegex(ForebayError, "no name of a program"):
            registry_logins.find("r.example")

    def test_where_the_engine_is(self):
        os.environ["DOCKER_HOST"] = "tcp://127.0.0.1:2375"
        found = engine_address.find()
        self.assertEqual((found.host, found.port, found.tls), ("127.0.0.1", 2375, None))
        for text in ("ssh://host", "unix://relative", "tcp://host", "nonsense"):
            os.environ["DOCKER_HOST"] = text
            with self.assertRaises(ForebayError) as caught:
                engine_address.find()
            self.assertIn(f"'{text}'", str(caught.exception))
        del os.environ["DOCKER_HOST"]
        self.configure(currentContext="none")
        with self.assertRaisesRegex(ForebayError, "docker's context 'none'"):
            engine_address.find()
        self.configure(currentContext="mine")
        meta = self.folder / "contexts/meta" / hashlib.sha256(b"mine").hexdigest()
        meta.mkdir(parents=True)
        (meta / "meta.json").write_text('{"Endpoints": {"docker": {"Host": "unix:///run/mine.sock"}}}')
        self.assertEqual(engine_address.find().path, "/run/mine.sock")


if __name__ == "__main__":
    unittest.main()
