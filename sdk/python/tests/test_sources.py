"""Code from repositories and archives: what is checked out, what is pinned, what is refused, what is fetched once."""

import contextlib
import hashlib
import http.server
import io
import logging
import os
import pathlib
import subprocess
import tarfile
import tempfile
import threading
import unittest
import zipfile
from unittest import mock

from forebay import Flow, loggers
from forebay.engine import pull, source_cache
from forebay.errors import ForebayError
from forebay.sources import archive, git

FLOW = "from forebay import flow\n\n@flow\ndef hello():\n    return '{}'\n"


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        environment = {"FOREBAY_CACHE_DIR": str(self.root / "cache"), "GIT_CONFIG_GLOBAL": "/dev/null"}
        patch = mock.patch.dict(os.environ, environment)
        patch.start()
        self.addCleanup(patch.stop)

    def refused(self, reason, told=""):
        context = self.assertRaisesRegex(ForebayError, told)
        self.addCleanup(lambda: self.assertEqual(context.exception.reason, reason))
        return context

    def pulled(self, *steps):
        """The directory after the steps, in a directory of its own, and what they said."""
        target = tempfile.mkdtemp(dir=self.root)
        told = io.StringIO()
        handler = logging.StreamHandler(told)
        loggers.send_to_too(handler)
        try:
            with contextlib.redirect_stdout(told):
                directory = pull.run(list(steps), target)
        finally:
            loggers.send_no_more_to(handler)
        return pathlib.Path(directory), told.getvalue()


class Repositories(Folder):
    def setUp(self):
        super().setUp()
        self.repository = self.make("repository")
        self.first = self.commit("first", {"flows.py": FLOW.format("first"), "docs/a.txt": "a", "jobs/b.txt": "b"})
        self.git("tag", "v1")
        self.git("branch", "other")
        self.second = self.commit("second", {"flows.py": FLOW.format("second")})
        self.url = f"file://{self.repository}"

    def make(self, name):
        path = self.root / name
        path.mkdir()
        self.git("init", "-q", "-b", "main", at=path)
        self.git("config", "uploadpack.allowAnySHA1InWant", "true", at=path)
        self.git("config", "uploadpack.allowFilter", "true", at=path)
        return path

    def git(self, *words, at=None):
        who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"]
        done = subprocess.run(["git", *who, *words], cwd=at or self.repository, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, message, files, at=None):
        at = at or self.repository
        for name, text in files.items():
            (at / name).parent.mkdir(parents=True, exist_ok=True)
            (at / name).write_text(text)
        self.git("add", ".", at=at)
        self.git("commit", "-q", "-m", message, at=at)
        return self.git("rev-parse", "HEAD", at=at)

    def from_source(self, **options):
        return Flow.from_source(self.url, "flows.py:hello", **options)

    def test_what_a_deployment_records(self):
        pin = lambda **options: self.from_source(**options).pull_steps[0]["git_clone"]  # noqa: E731
        self.assertEqual(pin(), {"repository": self.url, "commit": self.second})
        self.assertEqual(pin(branch="other")["commit"], self.first)
        self.assertEqual(pin(tag="v1")["commit"], self.first)
        self.assertEqual(pin(commit=self.first)["commit"], self.first)
        self.assertEqual(pin(branch="other", follow_branch=True), {"repository": self.url, "branch": "other"})
        self.assertEqual(pin(directories=["docs"])["directories"], ["docs"])
        self.assertEqual(self.from_source(tag="v1")(), "first")

    def test_what_is_refused(self):
        for options, reason, told in (
            ({"branch": "--upload-pack=x"}, "INVALID_SOURCE", "no name of a branch"),
            ({"commit": "-x"}, "INVALID_SOURCE", "no name of a commit"),
            ({"directories": ["../etc"]}, "INVALID_SOURCE", "no name of a directory"),
            ({"branch": "main", "tag": "v1"}, "INVALID_SOURCE", "both given"),
            ({"token_variable": "T"}, "INVALID_SOURCE", "for https sources"),
            ({"branch": "none"}, "GIT_FAILED", "git fetch: .*none"),
        ):
            with self.subTest(options), self.refused(reason, told):
                self.from_source(**options)
        with self.refused("INVALID_SOURCE", "holds a login") as caught:
            Flow.from_source("https://me:secret@example.org/r.git", "a.py:f")
        self.assertNotIn("secret", str(caught.exception))
        with self.refused("SOURCE_TOKEN_MISSING", "variable NO_SUCH"):
            Flow.from_source("https://example.org/r.git", "a.py:f", token_variable="NO_SUCH")

    def test_only_some_directories(self):
        directory, _ = self.pulled({"git_clone": {"repository": self.url, "directories": ["docs"]}})
        self.assertTrue((directory / "docs/a.txt").exists() and not (directory / "jobs").exists())

    def test_submodules(self):
        inner = self.make("inner")
        self.commit("inner", {"in.txt": "deep"}, at=inner)
        self.git("submodule", "add", "-q", f"file://{inner}", "inner")
        commit = self.commit("with submodule", {})
        step = {"git_clone": {"repository": self.url, "commit": commit, "submodules": True}}
        for told in ("cloned", "from the cache"):
            directory, output = self.pulled(step)
            self.assertEqual((directory / "inner/in.txt").read_text(), "deep")
            self.assertIn(told, output)
            self.assertEqual(self.git("status", "--porcelain", at=directory), "")

    def test_a_commit_is_cloned_once_for_all_runs(self):
        step = {"git_clone": {"repository": self.url, "commit": self.first}}
        directory, output = self.pulled(step)
        self.assertIn(f"cloned {self.url} at {self.first}", output)
        (directory / "flows.py").write_text("spoilt")
        self.git("tag", "-d", "v1")
        moved = self.root / "moved"
        self.repository.rename(moved)
        directory, output = self.pulled(step)
        self.assertIn("from the cache", output)
        self.assertIn("first", (directory / "flows.py").read_text())
        with self.refused("PULL_STEP_FAILED", "git fetch"):
            self.pulled({"git_clone": {"repository": self.url, "branch": "main"}})

    def test_a_cache_that_others_may_write_to_is_none(self):
        os.makedirs(self.root / "cache/sources")
        os.chmod(self.root / "cache/sources", 0o777)
        self.assertEqual(source_cache.directory(), "")
        with mock.patch.dict(os.environ, FOREBAY_CACHE_DIR=""):
            self.assertEqual(source_cache.directory(), "")
        step = {"git_clone": {"repository": self.url, "commit": self.first}}
        for _ in range(2):
            self.assertIn("cloned", self.pulled(step)[1])

    def test_many_at_once_and_few_are_kept(self):
        def make(place):
            os.mkdir(place)
            pathlib.Path(place, "file").write_text("x" * 1000)

        failures = []

        def fetch(number):
            try:
                target = self.root / f"target{number}"
                source_cache.fetch({"number": number % 30}, str(target), make)
                assert (target / "file").read_text() == "x" * 1000
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=fetch, args=(number,)) for number in range(120)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        source_cache.fetch({"number": "last"}, str(self.root / "last"), make)
        self.assertLessEqual(len(os.listdir(source_cache.directory())), 20)


class Archives(Folder):
    def setUp(self):
        super().setUp()
        self.files, self.seen = {}, []
        test = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                test.seen.append(self.headers.get("Authorization"))
                content = test.files.get(self.path)
                self.send_response(200 if content is not None else 404)
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_port}"

    def tar(self, name, files, **fields):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as archive_file:
            for path, text in files.items():
                entry = tarfile.TarInfo(path)
                entry.size = len(text)
                for field, value in fields.items():
                    setattr(entry, field, value)
                archive_file.addfile(entry, io.BytesIO(text.encode()) if entry.isreg() else None)
        self.files[name] = out.getvalue()

    def zip(self, name, files):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive_file:
            for path, text in files.items():
                archive_file.writestr(path, text)
        self.files[name] = out.getvalue()

    def test_what_a_deployment_records_and_a_run_fetches(self):
        self.tar("/flows.tar.gz", {"top/flows.py": FLOW.format("from tar"), "top/lib/a.txt": "x"})
        self.zip("/flows.zip", {"flows.py": FLOW.format("from zip")})
        for name, told in (("/flows.tar.gz", "from tar"), ("/flows.zip", "from zip")):
            flow = Flow.from_source(self.url + name, "flows.py:hello")
            self.assertEqual(flow(), told)
            digest = hashlib.sha256(self.files[name]).hexdigest()
            self.assertEqual(flow.pull_steps, [{"download_archive": {"url": self.url + name, "sha256": digest}}])
            directory, output = self.pulled(*flow.pull_steps)
            self.assertIn("fetched", output)
            self.assertIn(told, (directory / "flows.py").read_text())
            del self.files[name]
            self.assertIn("from the cache", self.pulled(*flow.pull_steps)[1])

    def test_another_archive_than_the_deployed_one_is_refused(self):
        self.tar("/a.tgz", {"flows.py": "x"})
        with self.refused("PULL_STEP_FAILED", "is not what was deployed"):
            self.pulled({"download_archive": {"url": self.url + "/a.tgz", "sha256": "0" * 64}})
        with self.refused("DOWNLOAD_FAILED", "404"):
            Flow.from_source(self.url + "/none.zip", "a.py:f")

    def test_entries_that_would_lie_elsewhere(self):
        for name in ("../out", "/etc/out", "a/../../out"):
            self.tar("/a.tar.gz", {name: "x"})
            self.zip("/a.zip", {name: "x"})
            for url in ("/a.tar.gz", "/a.zip"):
                with self.subTest(name=name, url=url), self.refused("INVALID_SOURCE", "would lie elsewhere"):
                    archive.fetch(self.url + url, str(self.root / "target"))
        self.tar("/link.tar.gz", {"link": ""}, type=tarfile.SYMTYPE, linkname="/etc/passwd")
        archive.fetch(self.url + "/link.tar.gz", str(self.root / "target"))
        self.assertEqual(os.listdir(self.root / "target"), [])
        self.files["/broken.zip"] = b"PK nothing"
        with self.refused("INVALID_SOURCE", "cannot be unpacked"):
            archive.fetch(self.url + "/broken.zip", str(self.root / "other"))
        self.assertEqual({path.name for path in self.root.iterdir()}, {"target"})

    def test_a_token(self):
        self.tar("/a.tgz", {"flows.py": FLOW.format("x"), "other": ""})
        with mock.patch.dict(os.environ, MY_TOKEN="s3cret"):
            flow = Flow.from_source(self.url + "/a.tgz", "flows.py:hello", token_variable="MY_TOKEN")
        self.assertEqual(self.seen, ["Bearer s3cret"])
        self.assertEqual(flow.pull_steps[0]["download_archive"]["token_variable"], "MY_TOKEN")
        with mock.patch.dict(os.environ, MY_TOKEN="s3cret"):
            secrets = git._secrets("https://example.org/team/r.git", "MY_TOKEN")
        self.assertEqual(secrets["GIT_CONFIG_KEY_0"], "http.https://example.org/.extraHeader")


class OwnSteps(Folder):
    def test_a_function_of_ones_own(self):
        (self.root / "own_steps_of_test.py").write_text(
            "import os\ndef fetch(name):\n    os.makedirs(name)\n    return {'directory': name}\ndef fails():\n    1 / 0\nvalue = 3\n"
        )
        os.chdir(self.root)
        before = {"set_working_directory": {"directory": str(self.root)}}
        directory, _ = self.pulled(before, {"own_steps_of_test.fetch": {"name": "made"}})
        self.assertEqual(directory, self.root / "made")
        for step, told in (
            ({"own_steps_of_test.fails": {}}, "ZeroDivisionError: division by zero"),
            ({"own_steps_of_test.value": {}}, "no function value"),
            ({"no_such_module.step": {}}, "No module named"),
        ):
            with self.subTest(told), self.refused("PULL_STEP_FAILED", told):
                self.pulled(before, step)


if __name__ == "__main__":
    unittest.main()
