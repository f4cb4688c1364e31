"""A client of the HTTP listener: the Connect protocol with JSON, and raw connections for bad manners."""

import dataclasses
import http.client
import json
import socket
import urllib.parse


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        return self.json["details"][0]["debug"]["reason"]


class HttpApi:
    """Keeps one connection, as a good client does."""

    def __init__(self, url: str, token: str = "", context=None):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port = parts.hostname, parts.port
        self.token = token
        if parts.scheme == "https":
            self.connection = http.client.HTTPSConnection(self.host, self.port, timeout=30, context=context)
        else:
            self.connection = http.client.HTTPConnection(self.host, self.port, timeout=30)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, named)
        answer = self.connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def call(self, method: str, message: dict | None = None, token: str | None = None, **headers: str) -> Answer:
        """`method` is `Service.Method`."""
        token = self.token if token is None else token
        if token:
            headers["Authorization"] = f"Bearer {token}"
        headers.setdefault("Content_Type", "application/json")
        path = "/forebay.v1." + method.replace(".", "/")
        return self.ask("POST", path, json.dumps(message or {}).encode(), **headers)

    def open(self) -> socket.socket:
        """A connection of its own, for what a good client does not do."""
        return socket.create_connection((self.host, self.port), timeout=30)

    def close(self):
        self.connection.close()
