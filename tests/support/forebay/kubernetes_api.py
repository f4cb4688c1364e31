"""A client of a Kubernetes API server for tests: plain HTTP with JSON, nothing cached, nothing repeated."""

import contextlib
import dataclasses
import http.client
import json
import pathlib
import ssl
import urllib.parse

MERGE_PATCH = "application/merge-patch+json"


class KubernetesError(Exception):
    """The server's refusal, in its own words."""

    def __init__(self, status: int, reason: str, message: str):
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


@dataclasses.dataclass
class KubernetesApi:
    """`server` as "https://127.0.0.1:6443". Thread-safe: each call has a connection of its own."""

    server: str
    authority: pathlib.Path | None = None
    certificate: tuple[pathlib.Path, pathlib.Path] | None = None
    token: str = ""
    # What is to live as long as this.
    kept: object = None

    def request(self, method: str, path: str, body=None, kind: str = "application/json", raw: bool = False, **query):
        """The parsed answer, or its text; KubernetesError for a status from 400 on."""
        with self._answer(method, path, body, kind, query, timeout=60) as response:
            content = response.read().decode()
        return content if raw else json.loads(content)

    def get(self, path: str, **query):
        return self.request("GET", path, **query)

    def post(self, path: str, body, **query):
        return self.request("POST", path, body, **query)

    def patch(self, path: str, body, **query):
        return self.request("PATCH", path, body, MERGE_PATCH, **query)

    def delete(self, path: str, **options):
        """`options` as in the API's DeleteOptions: propagationPolicy="Foreground"."""
        return self.request("DELETE", path, options or None)

    def watch(self, path: str, timeout: float = 60, **query):
        """The events of a watch, until the server ends it."""
        with self._answer("GET", path, None, "", {"watch": "1", **query}, timeout) as response:
            while line := response.readline():
                yield json.loads(line)

    def answers(self, path: str = "/readyz") -> bool:
        try:
            return self.request("GET", path, raw=True) == "ok"
        except (OSError, http.client.HTTPException, KubernetesError):
            return False

    @contextlib.contextmanager
    def _answer(self, method: str, path: str, body, kind: str, query: dict, timeout: float):
        connection = self._connection(timeout)
        headers = {"Content-Type": kind} if body is not None else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if query:
            path += "?" + urllib.parse.urlencode(query)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            if response.status >= 400:
                raise _error(response.status, response.read())
            yield response
        finally:
            connection.close()

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        address = urllib.parse.urlsplit(self.server)
        if address.scheme == "http":
            return http.client.HTTPConnection(address.netloc, timeout=timeout)
        context = ssl.create_default_context(cafile=self.authority)
        if self.certificate:
            context.load_cert_chain(*self.certificate)
        return http.client.HTTPSConnection(address.netloc, timeout=timeout, context=context)


def _error(status: int, content: bytes) -> KubernetesError:
    try:
        answer = json.loads(content)
        return KubernetesError(status, answer.get("reason", ""), answer.get("message", ""))
    except ValueError:
        return KubernetesError(status, "", content.decode(errors="replace").strip())
