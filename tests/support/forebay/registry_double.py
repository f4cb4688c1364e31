"""A registry that misbehaves as told: what a healthy one cannot show. Speaks as much of the distribution API as a pull
needs (https://distribution.github.io/distribution/spec/api/)."""

import dataclasses
import gzip
import hashlib
import http.server
import io
import json
import pathlib
import re
import tarfile
import tempfile
import threading

from .images import busybox_tree

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"

# behaviour -> (status, code, message) of the answer to the request for a manifest.
REFUSALS = {
    "unauthorized": (401, "UNAUTHORIZED", "authentication required"),
    "denied": (403, "DENIED", "requested access to the resource is denied"),
    "manifest unknown": (404, "MANIFEST_UNKNOWN", "manifest unknown"),
    "name unknown": (404, "NAME_UNKNOWN", "repository name not known to registry"),
    "too many": (429, "TOOMANYREQUESTS", "You have reached your pull rate limit"),
    "error": (500, "UNKNOWN", "unknown error"),
    "unavailable": (503, "UNAVAILABLE", "service unavailable"),
}
BEHAVIOURS = {
    "fine", "silent", "hang", "hang in layer", "slow", "cut off", "corrupt", "other platform", *REFUSALS,
}  # fmt: skip


class RegistryDouble:
    """`behaviour[repository]` is how it answers for that repository, "fine" unless told otherwise:

    silent: takes the request for a manifest and says nothing; hang: the same, after the headers; hang in layer: half of
    the layer and nothing more; slow: the layer in `pieces` pieces, one each `pace` seconds; cut off: half of what is
    asked for of the layer and the end of the connection; corrupt: another layer than the digest says; other platform:
    for linux/s390x alone; the rest as in REFUSALS. `host_silent`: nothing is answered, whatever is asked for.

    The image is the tests' busybox with the repository's name in /repository, so no engine has its layer from another.
    """

    def __init__(self):
        self.behaviour: dict[str, str] = {}
        self.host_silent = False
        self.pieces = 20
        self.pace = 0.1
        # (method, path, the Authorization header) of all requests, in order.
        self.requests: list[tuple[str, str, str]] = []
        self.closing = threading.Event()
        self._images: dict[str, _Image] = {}
        self._lock = threading.Lock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.double = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def image(self, repository: str, behaviour: str = "fine") -> str:
        """The full name of an image that behaves so."""
        assert behaviour in BEHAVIOURS, behaviour
        self.behaviour[repository] = behaviour
        return f"{self.address}/{repository}:1"

    def content_of(self, repository: str) -> "_Image":
        with self._lock:
            if repository not in self._images:
                self._images[repository] = _Image.make(repository)
            return self._images[repository]

    def pulls(self, repository: str) -> int:
        """How often its layer was asked for."""
        layer = self.content_of(repository).layer_digest
        return sum(path == f"/v2/{repository}/blobs/{layer}" for _, path, _ in self.requests)

    def close(self):
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


@dataclasses.dataclass
class _Image:
    layer: bytes
    config: bytes
    manifest: bytes

    @classmethod
    def make(cls, repository: str) -> "_Image":
        archive = _archive_of(repository)
        layer = gzip.compress(archive, compresslevel=1, mtime=0)
        config = json.dumps({
            "architecture": "amd64", "os": "linux", "created": "2026-01-01T00:00:00Z",
            "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sh"], "WorkingDir": "/tmp"},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(archive)]},
            "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "tests"}],
        }).encode()  # fmt: skip
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "size": len(config), "digest": digest_of(config)},
            "layers": [{"mediaType": LAYER, "size": len(layer), "digest": digest_of(layer)}],
        }).encode()  # fmt: skip
        return cls(layer, config, manifest)

    @property
    def layer_digest(self) -> str:
        return digest_of(self.layer)

    def blob(self, digest: str) -> bytes | None:
        return {digest_of(self.layer): self.layer, digest_of(self.config): self.config}.get(digest)

    def foreign_list(self) -> bytes:
        entry = {"mediaType": MANIFEST, "size": len(self.manifest), "digest": digest_of(self.manifest),
                 "platform": {"architecture": "s390x", "os": "linux"}}  # fmt: skip
        return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_LIST, "manifests": [entry]}).encode()


def _archive_of(repository: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        tree = busybox_tree(pathlib.Path(folder))
        (tree / "repository").write_text(repository)
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add(tree, arcname=".")
        return archive.getvalue()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def double(self) -> RegistryDouble:
        return self.server.double

    def log_message(self, *_):
        pass

    def handle(self):
        if self.double.host_silent:
            self.double.closing.wait()
            return
        try:
            super().handle()
        except (ConnectionError, BrokenPipeError):
            self.close_connection = True

    def do_HEAD(self):
        self._answer()

    def do_GET(self):
        self._answer()

    def _answer(self):
        self.double.requests.append((self.command, self.path, self.headers.get("Authorization", "")))
        if self.path == "/v2/":
            return self._send(200, b"{}", "application/json")
        repository, kind, reference = self.path.removeprefix("/v2/").rsplit("/", 2)
        behaviour = self.double.behaviour.get(repository, "fine")
        image = self.double.content_of(repository)
        if kind == "manifests":
            return self._answer_manifest(behaviour, image)
        blob = image.blob(reference)
        if blob is None:
            return self._refuse(404, "BLOB_UNKNOWN", "blob unknown to registry")
        if blob is image.layer and self.command == "GET":
            return self._answer_layer(behaviour, blob)
        return self._send(200, blob, "application/octet-stream")

    def _answer_manifest(self, behaviour: str, image: _Image):
        if behaviour in REFUSALS:
            return self._refuse(*REFUSALS[behaviour])
        if behaviour == "silent":
            return self._hang()
        content, kind = (image.foreign_list(), MANIFEST_LIST) if behaviour == "other platform" else (image.manifest, MANIFEST)
        if behaviour == "hang":
            self._begin(200, len(content), kind)
            return self._hang()
        return self._send(200, content, kind, {"Docker-Content-Digest": digest_of(content)})

    def _answer_layer(self, behaviour: str, layer: bytes):
        if behaviour == "corrupt":
            layer = layer[:-1] + bytes([layer[-1] ^ 1])
        layer = self._begin_layer(layer)
        if behaviour in ("cut off", "hang in layer"):
            self.wfile.write(layer[: len(layer) // 2])
            self.wfile.flush()
            if behaviour == "hang in layer":
                self._hang()
            self.close_connection = True
        elif behaviour == "slow":
            self._trickle(layer)
        else:
            self.wfile.write(layer)

    def _begin_layer(self, layer: bytes) -> bytes:
        """The headers; what of the layer is asked for: the rest, when a download goes on."""
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)?", self.headers.get("Range", ""))
        if not asked:
            self._begin(200, len(layer), "application/octet-stream")
            return layer
        first, last = int(asked.group(1)), len(layer) - 1
        self._begin(206, last + 1 - first, "application/octet-stream", {"Content-Range": f"bytes {first}-{last}/{last + 1}"})
        return layer[first:]

    def _trickle(self, layer: bytes):
        size = len(layer) // self.double.pieces + 1
        for begin in range(0, len(layer), size):
            self.wfile.write(layer[begin : begin + size])
            self.wfile.flush()
            if self.double.closing.wait(self.double.pace):
                break

    def _hang(self):
        self.double.closing.wait()
        self.close_connection = True

    def _refuse(self, status: int, code: str, message: str):
        # As the real ones do: an engine reads an error with a detail otherwise than one without.
        content = json.dumps({"errors": [{"code": code, "message": message, "detail": {"path": self.path}}]}).encode()
        extra = {"Www-Authenticate": 'Basic realm="forebay-tests"'} if status == 401 else {}
        self._send(status, content, "application/json", extra)

    def _begin(self, status: int, size: int, kind: str, extra: dict | None = None):
        self.send_response(status)
        headers = {"Docker-Distribution-Api-Version": "registry/2.0", "Content-Type": kind, "Content-Length": str(size)}
        for name, value in {**headers, **(extra or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()

    def _send(self, status: int, content: bytes, kind: str, extra: dict | None = None):
        self._begin(status, len(content), kind, extra)
        if self.command != "HEAD":
            self.wfile.write(content)
