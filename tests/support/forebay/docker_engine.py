"""A real Docker engine of the tests' own, spoken to by its API over its socket."""

import contextlib
import http.client
import io
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import urllib.parse

from .process import is_alive, stat_fields, wait_gone
from .waiting import wait_until

PATIENCE = 60
# containerd's socket is 38 characters below the root, and a socket's path has 107 at most.
LONGEST_ROOT = 68
NO_CREDENTIALS = "e30="


class EngineError(Exception):
    """The engine's refusal, in its own words."""

    def __init__(self, status: int, message: str):
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _message_of(content: bytes) -> str:
    try:
        return json.loads(content).get("message", "")
    except ValueError:
        return content.decode(errors="replace")


class EngineClient:
    """The API of the engine that listens on `socket`. Thread-safe: each call has a connection of its own."""

    def __init__(self, socket: pathlib.Path):
        self.socket = socket

    @property
    def address(self) -> str:
        return f"unix://{self.socket}"

    def request(self, method: str, path: str, body=None, raw: bool = False, headers: dict | None = None, timeout: float = 120):
        """The parsed JSON of the answer, or its bytes; EngineError for a status from 400 on."""
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers["Content-Type"] = "application/json"
        connection = _Connection(str(self.socket), timeout)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status >= 400:
            raise EngineError(response.status, _message_of(content))
        if raw:
            return content
        return json.loads(content) if content.strip() else None

    def messages(self, method: str, path: str, body=None, **options) -> list[dict]:
        """The JSON lines of an answer that is a stream, once it is over."""
        content = self.request(method, path, body, raw=True, **options)
        return [json.loads(line) for line in content.splitlines() if line.strip()]

    def answers(self) -> bool:
        try:
            return self.request("GET", "/_ping", raw=True) == b"OK"
        except (OSError, EngineError):
            return False

    # Containers.

    def containers(self, **labels: str) -> list[dict]:
        """Those in any state that have all the labels."""
        filters = {"label": [f"{key}={value}" for key, value in labels.items()]} if labels else {}
        return self.request("GET", f"/containers/json?all=1&filters={urllib.parse.quote(json.dumps(filters))}")

    def create(self, name: str, image: str, command: list[str], **fields) -> str:
        """Makes a container, not started; its id. `fields` as in the engine's API: HostConfig={…}."""
        body = {"Image": image, "Cmd": command, **fields}
        body.setdefault("HostConfig", {}).setdefault("NetworkMode", "none")
        return self.request("POST", f"/containers/create?name={name}", body)["Id"]

    def start_container(self, name: str):
        self.request("POST", f"/containers/{name}/start", raw=True)

    def wait_for_exit(self, name: str) -> int:
        """The exit code, once the container has ended."""
        return self.request("POST", f"/containers/{name}/wait")["StatusCode"]

    def inspect(self, name: str) -> dict:
        return self.request("GET", f"/containers/{name}/json")

    def exists(self, name: str) -> bool:
        try:
            self.inspect(name)
        except EngineError as error:
            if error.status == 404:
                return False
            raise
        return True

    def remove(self, name: str):
        """By force, with its anonymous volumes; one that is not there is fine."""
        self._delete(f"/containers/{name}?force=1&v=1", 404, 409)

    def events(self, since: float, until: float, **labels: str) -> list[dict]:
        """What happened to containers with the labels between two times (seconds since 1970)."""
        filters = {"type": ["container"], "label": [f"{key}={value}" for key, value in labels.items()]}
        query = urllib.parse.urlencode({"since": since, "until": until, "filters": json.dumps(filters)})
        return self.messages("GET", f"/events?{query}")

    # Images.

    def import_image(self, name: str, tree: pathlib.Path, changes: tuple[str, ...] = ()):
        """Makes an image of one layer of the files below `tree`; `changes` as in a Dockerfile."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add(tree, arcname=".")
        repository, tag = name.rsplit(":", 1)
        query = urllib.parse.urlencode({"fromSrc": "-", "repo": repository, "tag": tag})
        for change in changes:
            query += "&" + urllib.parse.urlencode({"changes": change})
        self._refuse_errors(self.messages("POST", f"/images/create?{query}", archive.getvalue()))

    def has_image(self, name: str) -> bool:
        try:
            self.request("GET", f"/images/{name}/json")
        except EngineError as error:
            if error.status == 404:
                return False
            raise
        return True

    def inspect_image(self, name: str) -> dict:
        return self.request("GET", f"/images/{name}/json")

    def tag_image(self, name: str, new: str):
        repository, tag = new.rsplit(":", 1)
        self.request("POST", f"/images/{name}/tag?repo={repository}&tag={tag}", raw=True)

    def remove_image(self, name: str):
        self._delete(f"/images/{name}?force=1", 404)

    def push_image(self, name: str, auth: str = NO_CREDENTIALS):
        """`auth` as of Registry.auth."""
        repository, tag = name.rsplit(":", 1)
        path = f"/images/{repository}/push?tag={tag}"
        self._refuse_errors(self.messages("POST", path, headers={"X-Registry-Auth": auth}))

    def pull_image(self, name: str, auth: str = NO_CREDENTIALS, timeout: float = 120) -> list[dict]:
        """The engine's messages; EngineError with status 200 when one of them tells of a failure."""
        repository, tag = name.rsplit(":", 1)
        path = f"/images/create?fromImage={repository}&tag={tag}"
        messages = self.messages("POST", path, headers={"X-Registry-Auth": auth}, timeout=timeout)
        self._refuse_errors(messages)
        return messages

    @staticmethod
    def _refuse_errors(messages: list[dict]):
        for message in messages:
            if "error" in message:
                raise EngineError(200, message["error"])

    # Networks and volumes.

    def make_network(self, name: str):
        """A network of the engine's host alone."""
        self.request("POST", "/networks/create", {"Name": name, "Driver": "bridge", "Internal": True, "CheckDuplicate": True})

    def remove_network(self, name: str):
        self._delete(f"/networks/{name}", 404)

    def volumes(self) -> list[str]:
        return [volume["Name"] for volume in self.request("GET", "/volumes")["Volumes"] or []]

    def remove_volume(self, name: str):
        self._delete(f"/volumes/{name}?force=1", 404)

    def _delete(self, path: str, *fine: int):
        try:
            self.request("DELETE", path, raw=True)
        except EngineError as error:
            if error.status not in fine:
                raise


class DockerEngine(EngineClient):
    """dockerd with its own data, state and socket. Has no bridge of its own, so that it touches no other's rules: a
    container is on the host's network, on none, or on a network that a test makes. Containers outlive it (live-restore),
    unless it is stopped by stop()."""

    def __init__(self, root: pathlib.Path | None = None):
        # Short, for the sake of socket paths.
        self.root = root or pathlib.Path(tempfile.mkdtemp(prefix="fbd", dir="/tmp"))
        assert len(str(self.root)) <= LONGEST_ROOT, f"{self.root} is too long a path for the sockets below it"
        super().__init__(self.root / "engine.sock")
        self.log = self.root / "engine.log"
        self._process: subprocess.Popen | None = None

    def start(self) -> "DockerEngine":
        """Also again, after kill(), over the containers that live on."""
        self.root.mkdir(parents=True, exist_ok=True)
        self._forget_dead()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["dockerd", f"--data-root={self.root}/data", f"--exec-root={self.root}/exec", f"--host={self.address}",
                 f"--pidfile={self._pid_file}", "--live-restore", "--bridge=none", "--iptables=false", "--ip6tables=false",
                 "--log-level=warn", "--default-shm-size=64M", "--max-download-attempts=1"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            wait_until(self._answers, PATIENCE, "the engine to answer")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.tail()}") from None
        return self

    def _forget_dead(self):
        """A killed containerd that nobody has waited for would pass for one that runs."""
        for path in (self._pid_file, self.root / "exec/containerd/containerd.pid"):
            if not is_alive(_read_pid(path)):
                path.unlink(missing_ok=True)

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError(f"dockerd ended with {self._process.returncode}")
        return self.answers()

    def tail(self, lines: int = 40) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    @property
    def _pid_file(self) -> pathlib.Path:
        return self.root / "engine.pid"

    @property
    def pid(self) -> int:
        """Of dockerd, also when another process started it; 0 when it does not run."""
        if self._process is not None:
            return self._process.pid if self._process.poll() is None else 0
        pid = _read_pid(self._pid_file)
        return pid if pid and is_alive(pid) and _runs(pid, "dockerd", str(self.root)) else 0

    @property
    def running(self) -> bool:
        return self.pid != 0

    def kill(self):
        """SIGKILL: what an engine that crashes leaves behind. Containers live on."""
        self._signal(signal.SIGKILL)

    def pause(self):
        """SIGSTOP: an engine that takes connections and does not answer."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.pid, signal.SIGCONT)

    def terminate(self):
        """SIGTERM: an orderly end. Containers live on."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: int):
        if pid := self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
                os.kill(pid, signal.SIGCONT)
            wait_gone(pid, PATIENCE)
        if containerd := _read_pid(self.root / "exec/containerd/containerd.pid"):
            wait_gone(containerd, PATIENCE)

    def stop(self):
        """Ends all containers and the engine, and takes away what it kept. Also after kill()."""
        with contextlib.suppress(OSError, EngineError, AssertionError):
            if self.running:
                os.kill(self.pid, signal.SIGCONT)
            elif self._processes():
                self.start()
            if self.running:
                self._clear()
        self.terminate()
        self._end_processes()
        self._unmount()
        self._remove_files()

    def _clear(self):
        for container in self.containers():
            self.remove(container["Id"])
        for network in self.request("GET", "/networks"):
            if network["Driver"] == "bridge":
                self.remove_network(network["Id"])

    def _processes(self) -> list[int]:
        """containerd and its shims, as far as they are this engine's; shims outlive both."""
        return [pid for pid in _all_pids() if _runs(pid, "containerd", f"{self.root}/exec/")]

    def _end_processes(self):
        """What is left of containers whose engine cannot end them any more; the first processes first."""
        ours = self._processes()
        first = [pid for pid in _all_pids() if _parent(pid) in ours and pid not in ours]
        for pid in first + ours:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in first + ours:
            wait_gone(pid, PATIENCE)

    def _remove_files(self):
        """Those of an engine alone: a script may have been told a folder that holds something else."""
        for name in ("data", "exec"):
            shutil.rmtree(self.root / name, ignore_errors=True)
        for path in self.root.glob("engine.*"):
            path.unlink()
        with contextlib.suppress(OSError):
            self.root.rmdir()

    def _unmount(self):
        for line in reversed(pathlib.Path("/proc/mounts").read_text().splitlines()):
            if (target := line.split()[1]).startswith(f"{self.root}/"):
                subprocess.run(["umount", "-l", target], check=False, capture_output=True)


def test_engine() -> DockerEngine | EngineClient:
    """The engine of FOREBAY_TEST_DOCKER (unix:///path), which stays as it is; else a new one, started."""
    given = os.environ.get("FOREBAY_TEST_DOCKER", "")
    if given:
        return EngineClient(pathlib.Path(given.removeprefix("unix://")))
    engine = DockerEngine()
    try:
        return engine.start()
    except BaseException:
        engine.stop()
        raise


test_engine.__test__ = False


def _read_pid(path: pathlib.Path) -> int:
    try:
        return int(path.read_text())
    except (FileNotFoundError, ValueError):
        return 0


def _all_pids() -> list[int]:
    return [int(path.name) for path in pathlib.Path("/proc").glob("[0-9]*")]


def _runs(pid: int, program: str, path: str) -> bool:
    """Whether it is a process of the program that was told the path."""
    try:
        argv = pathlib.Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return program in pathlib.Path(argv[0]).name and any(path in word for word in argv)


def _parent(pid: int) -> int:
    try:
        return int(stat_fields(pid)[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
