"""A real image registry on loopback: Debian's docker-registry, with its storage in a folder of the test's."""

import base64
import json
import pathlib
import re

from .docker_engine import NO_CREDENTIALS, EngineClient
from .process import ChildProcess
from .waiting import wait_until

USERNAME = "tester"
PASSWORD = "open sesame"
# The registry takes bcrypt alone. Made with crypt.crypt(PASSWORD, "$2y$05$" + 22 letters of salt).
PASSWORD_HASH = "$2y$05$forebayforebayforebayelNxgk19ElBBXglaZVEzsB.q5/xaM.OW"

CONFIGURATION = """
version: 0.1
log: {{level: info, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {storage}}}, delete: {{enabled: true}}}}
http: {{addr: "{listen}", secret: for-tests}}
{auth}
"""
HTPASSWD = "auth: {{htpasswd: {{realm: forebay-tests, path: {path}}}}}"


class Registry(ChildProcess):
    """Speaks plain HTTP, which engines allow for loopback. With `login` nothing is had without USERNAME and PASSWORD."""

    def __init__(self, directory: pathlib.Path, name: str = "registry", login: bool = False):
        self.address = ""
        self.login = login
        self._configuration = directory / f"{name}.yml"
        self._storage = directory / f"{name}-data"
        super().__init__(name, ["docker-registry", "serve", str(self._configuration)], directory,
                         OTEL_TRACES_EXPORTER="none")  # fmt: skip

    def start(self) -> "Registry":
        """Spawns and waits until it listens. A restart listens where the first start did."""
        self._configuration.write_text(
            CONFIGURATION.format(
                storage=self._storage, listen=self.address or "127.0.0.1:0", auth=self._write_passwords() if self.login else ""
            )
        )
        self.log.unlink(missing_ok=True)
        self.spawn()
        self.address = wait_until(self._listens, what="the registry to listen")
        return self

    def _write_passwords(self) -> str:
        path = self.directory / f"{self.name}.passwords"
        path.write_text(f"{USERNAME}:{PASSWORD_HASH}\n")
        return HTPASSWD.format(path=path)

    def _listens(self) -> str:
        assert self.process.poll() is None, f"the registry ended with {self.process.returncode}:\n{self.tail()}"
        found = re.search(r"listening on (127\.0\.0\.1:\d+)", self.log.read_text(errors="replace"))
        return found.group(1) if found else ""

    @property
    def auth(self) -> str:
        """X-Registry-Auth of who may."""
        return self.auth_of(USERNAME, PASSWORD) if self.login else NO_CREDENTIALS

    def auth_of(self, username: str, password: str) -> str:
        login = {"username": username, "password": password, "serveraddress": self.address}
        return base64.urlsafe_b64encode(json.dumps(login).encode()).decode()

    @property
    def docker_config(self) -> dict:
        """What stands in docker's config.json after a login."""
        login = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        return {"auths": {self.address: {"auth": login}}}

    def push(self, engine: EngineClient, image: str, name: str = "") -> str:
        """Puts an image of the engine here, and takes it from the engine under that name; its full name."""
        full = f"{self.address}/{name or image}"
        engine.tag_image(image, full)
        engine.push_image(full, self.auth)
        engine.remove_image(full)
        return full
