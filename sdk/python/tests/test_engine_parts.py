"""Parts of the engine without a server: settings, entrypoints, sources, the order of a log."""

import contextlib
import io
import os
import pathlib
import tempfile
import textwrap
import threading
import unittest
from unittest import mock

from forebay import settings
from forebay.engine import entrypoint, pull
from forebay.engine.log_sender import LogSender
from forebay.errors import FlowNotFound, ForebayError
from forebay.sources import git


class Settings(unittest.TestCase):
    def load(self, text="", **environment):
        with tempfile.TemporaryDirectory() as home:
            if text:
                folder = pathlib.Path(home, "forebay")
                folder.mkdir()
                (folder / "config.yaml").write_text(textwrap.dedent(text))
            with mock.patch.dict(os.environ, {"XDG_CONFIG_HOME": home, **environment}, clear=True):
                return settings.load()

    def test_nothing_is_configured(self):
        self.assertEqual(self.load(), settings.Settings([], ""))

    def test_the_file_of_the_command_line(self):
        text = """
            current: dev
            contexts:
              dev:
                server: "127.0.0.1:7070,127.0.0.1:7071"
                api_key: fbk_a
              tls:
                server: forebay.example:7070
                api_key: 'fbk_b'
                tls_ca_file: /ca.pem
        """
        self.assertEqual(self.load(text).urls, ["http://127.0.0.1:8070", "http://127.0.0.1:8071"])
        self.assertEqual(self.load(text).api_key, "fbk_a")
        tls = self.load(text, FOREBAY_CONTEXT="tls")
        self.assertEqual(tls, settings.Settings(["https://forebay.example:8070"], "fbk_b", "/ca.pem"))
        told = self.load(text, FOREBAY_API_URL="https://x", FOREBAY_API_KEY="k")
        self.assertEqual((told.urls, told.api_key), (["https://x"], "k"))
        # A key goes to its own server alone; whom to trust may be said of another.
        elsewhere = self.load(text, FOREBAY_API_URL="https://x", FOREBAY_CONTEXT="tls")
        self.assertEqual(elsewhere, settings.Settings(["https://x"], "", "/ca.pem"))
        self.assertEqual(self.load(text, FOREBAY_SERVER="evil:7070", FOREBAY_CONTEXT="tls").api_key, "")
        self.assertEqual(self.load(text, FOREBAY_API_URL="https://x").api_key, "")
        self.assertEqual(self.load(text, FOREBAY_SERVER="other:7070").api_key, "")
        self.assertEqual(self.load(text, FOREBAY_SERVER="forebay.example:7070"), tls)
        self.assertEqual(self.load(text, FOREBAY_API_URL="http://127.0.0.1:8071").api_key, "fbk_a")

    def test_what_is_wrong(self):
        for text, environment, told in [
            ("- a", {}, "not a line"),
            ("", {"FOREBAY_CONTEXT": "no"}, "context 'no'"),
            ("", {"FOREBAY_SERVER": "nowhere"}, "not host:port"),
        ]:
            with self.subTest(told=told), self.assertRaisesRegex(ForebayError, told):
                self.load(text, **environment)


class Entrypoints(unittest.TestCase):
    def load(self, text, name, file="some_flows.py"):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, file).write_text(textwrap.dedent(text))
            with contextlib.redirect_stderr(io.StringIO()):
                return entrypoint.load(f"{file}:{name}", folder)

    def test_a_flow(self):
        self.assertEqual(self.load("from forebay import flow\n@flow\ndef f(): return 7\n", "f").fn(), 7)

    def test_a_module(self):
        with tempfile.TemporaryDirectory() as folder:
            package = pathlib.Path(folder, "some_package")
            package.mkdir()
            (package / "__init__.py").write_text("")
            (package / "inner.py").write_text("from forebay import flow\n@flow\ndef f(): pass\n")
            self.assertEqual(entrypoint.load("some_package.inner:f", folder).name, "f")

    def test_what_is_wrong(self):
        twins = "from forebay import flow\n@flow(name='x')\ndef a(): pass\n@flow(name='x')\ndef b(): pass\n"
        for text, name, reason, told in [
            ("f = 1", "f", "NOT_A_FLOW", "is no flow, it is a int"),
            ("from forebay import flow\n@flow\ndef g(): pass", "f", "NOT_A_FLOW", "its flows are: g"),
            ("import no_such_thing", "f", "IMPORT_FAILED", "No module named"),
            ("raise SystemExit(4)", "f", "IMPORT_FAILED", "SystemExit"),
            ("def (", "f", "IMPORT_FAILED", "SyntaxError"),
            (twins, "a", "DUPLICATE_FLOW", "several flows of the name x"),
        ]:
            with self.subTest(reason=reason, told=told), self.assertRaises(FlowNotFound) as refused:
                self.load(text, name)
            self.assertEqual(refused.exception.reason, reason)
            self.assertIn(told, refused.exception.message)
        for wrong, reason in [("x", "INVALID_ENTRYPOINT"), ("no.py:f", "FILE_NOT_FOUND")]:
            with self.assertRaises(FlowNotFound) as refused:
                entrypoint.load(wrong)
            self.assertEqual(refused.exception.reason, reason)

    def test_a_trace_shows_the_users_frames_only(self):
        try:
            self.load("def g():\n    raise KeyError('k')\ng()\n", "f")
        except FlowNotFound as error:
            self.assertIn("in g", error.message)
            self.assertNotIn("importlib", error.message)
            self.assertNotIn("entrypoint.py", error.message)


class Sources(unittest.TestCase):
    def test_what_git_would_misread_is_refused(self):
        for url in ["--upload-pack=x", "ext::sh -c x", "-x", "/local/path", "https://a b", "file::x", "ftp://h/r", ""]:
            with self.subTest(url=url), self.assertRaises(ForebayError):
                git.check_repository(url)
        for name in ["-x", "--help", "a..b", "", "a b", "x\ny"]:
            with self.subTest(name=name), self.assertRaises(ForebayError):
                git.check_reference(name, "branch")
        for url in ["https://host/o/r.git", "ssh://git@host/r", "git@host:o/r.git", "file:///r"]:
            git.check_repository(url)

    def test_pull_steps(self):
        with tempfile.TemporaryDirectory() as folder:
            here = os.getcwd()
            try:
                steps = [
                    {"run_shell_script": {"script": "mkdir sub && echo x > sub/f"}},
                    {"set_working_directory": {"directory": "sub"}},
                ]
                self.assertEqual(pull.run(steps, folder), os.path.join(folder, "sub"))
                self.assertTrue(os.path.exists("f"))
            finally:
                os.chdir(here)
            for steps, told in [
                ([{"nope": {}}], "pull step 1 is 'nope'"),
                ([{"run_shell_script": {"script": "exit 3"}}], "exit code 3"),
                ([{"set_working_directory": {"directory": "none"}}], "No such file"),
                ([{"git_clone": {}}], "argument 'repository' is missing"),
                ([{"git_clone": {"repository": "ext::sh"}}], "no repository"),
            ]:
                with self.subTest(told=told), self.assertRaisesRegex(ForebayError, told):
                    pull.run(steps, folder)


class FakeTransport:
    """Takes what is sent; `fail` many calls get lost first, after they were taken if `late`."""

    def __init__(self, failures=0):
        self.lines = []
        self.calls = 0
        self.failures = failures
        self.lock = threading.Lock()

    def call(self, method, message, repeat):
        self.calls += 1
        known = len(self.lines) - message["firstSequence"]
        self.lines += [entry["text"] for entry in message["entries"][known:]]
        if self.calls <= self.failures:
            raise ForebayError("not ours any more", "RUN_TOKEN_INVALID", "unauthenticated")
        return {"nextSequence": str(len(self.lines))}


class Logs(unittest.TestCase):
    def test_everything_arrives_in_order(self):
        transport = FakeTransport()
        sender = LogSender(transport, "r")
        for n in range(12_000):
            sender.add(f"line {n}", "LOG_STREAM_STDOUT", n)
        sender.close_and_flush()
        self.assertEqual(transport.lines, [f"line {n}" for n in range(12_000)])
        self.assertLess(transport.calls, 200)

    def test_long_lines_are_split_and_bad_text_is_mended(self):
        transport = FakeTransport()
        sender = LogSender(transport, "r")
        sender.add("é" * 100_000, "LOG_STREAM_STDOUT", 0)
        sender.add("a\nb\ud800", "LOG_STREAM_STDOUT", 0)
        sender.close_and_flush()
        self.assertEqual("".join(transport.lines[:-2]), "é" * 100_000)
        self.assertEqual(transport.lines[-2:], ["a", "b?"])

    def test_a_server_that_refuses_does_not_hold_user_code_up(self):
        sender = LogSender(FakeTransport(failures=99), "r")
        for n in range(250_000):
            sender.add("x", "LOG_STREAM_STDOUT", n)
        sender.close_and_flush()


if __name__ == "__main__":
    unittest.main()
