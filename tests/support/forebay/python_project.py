"""A user's directory of Python flows, with the package as its sources are."""

import json
import os
import pathlib
import subprocess
import textwrap

from . import protocol
from .process import binary

SDK = protocol.ROOT / "sdk" / "python" / "src"
PYTHON = "/usr/bin/python3"


class Project:
    """A user's directory with flows in it."""

    def __init__(self, env, directory: pathlib.Path):
        self.env = env
        self.directory = directory
        directory.mkdir()
        directory.chmod(0o755)

    def write(self, name: str, text: str):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def environment(self) -> dict[str, str]:
        """What a user of the directory has set."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("FOREBAY_", "PYTHON"))}
        server = {"FOREBAY_SERVER": self.env.server.address, "FOREBAY_API_URL": self.env.server.http_url}
        ours = {"PYTHONPATH": str(SDK), "PYTHONDONTWRITEBYTECODE": "1", "FOREBAY_PYTHON": PYTHON, "NO_COLOR": "1"}
        return {**clean, **ours, **server, "FOREBAY_API_KEY": self.env.admin_key, "HOME": str(self.directory)}

    def python(self, *words: str, **environment: str) -> subprocess.CompletedProcess:
        return self._run([PYTHON, *words], environment)

    def forebay(self, *words: str, **environment: str) -> subprocess.CompletedProcess:
        """The command line."""
        return self._run([str(binary("forebay")), *words], environment)

    def _run(self, argv: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess:
        return subprocess.run(
            argv, cwd=self.directory, capture_output=True, text=True, timeout=60, env={**self.environment(), **environment}
        )

    def deploy(self, name: str, text: str, call: str) -> str:
        """Writes flows.py and deploys from it by `call`, as a user's script does; its output."""
        self.write("flows.py", text)
        path = json.dumps({"env": {"PYTHONPATH": str(SDK), "PYTHONDONTWRITEBYTECODE": "1"}})
        self.write("deploy.py", f"import flows\nflows.{name}.{call.replace('VARIABLES', f'job_variables={path}')}\n")
        done = self.python("deploy.py")
        assert done.returncode == 0, done.stderr
        return done.stdout
