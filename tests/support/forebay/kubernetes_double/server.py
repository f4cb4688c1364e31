"""The double's HTTP: what a call asks for, and its answer."""

import http.server
import json
import socket
import ssl
import sys
import threading
import time
import urllib.parse

from . import validation
from .access import Call
from .errors import ApiError, bad_request, no_such_path
from .patches import patched
from .resources import METRICS, NAMESPACES, REVIEWS, Target, target_of
from .selectors import field_selector, label_selector

LARGEST_BODY = 3 * 1024 * 1024
READ = {"resourceVersion", "labelSelector", "fieldSelector", "limit", "continue", "timeoutSeconds", "resourceVersionMatch"}
WATCH = {"watch", "allowWatchBookmarks", "sendInitialEvents"}
WRITE = {"dryRun", "fieldManager", "fieldValidation"}
# What a call may say in its query, beside `pretty`.
QUERIES = {
    "create": WRITE, "patch": {*WRITE, "force"}, "update": WRITE, "get": set(), "list": READ | WATCH, "watch": READ | WATCH,
    "delete": {"dryRun", "gracePeriodSeconds", "propagationPolicy", "orphanDependents"},
    "log": {"container", "follow", "limitBytes", "previous", "sinceSeconds", "sinceTime", "tailLines", "timestamps"},
}  # fmt: skip
VERSION = {
    "major": "1", "minor": "33", "gitVersion": "v1.33.0-double", "gitCommit": "", "gitTreeState": "", "buildDate": "",
    "goVersion": "", "compiler": "", "platform": "linux/amd64",
}  # fmt: skip


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, double, context: ssl.SSLContext | None, port: int):
        super().__init__(("127.0.0.1", port), Handler)
        self.double = double
        self.context = context
        self.connections: set[socket.socket] = set()
        self.lock = threading.Lock()

    def finish_request(self, request, client_address):
        """In the connection's thread, so that who does not shake hands keeps nobody waiting."""
        try:
            if self.context is not None:
                request = self.context.wrap_socket(request, server_side=True)
        except OSError:
            return
        with self.lock:
            self.connections.add(request)
        try:
            super().finish_request(request, client_address)
        finally:
            with self.lock:
                self.connections.discard(request)
            if self.context is not None:
                request.close()

    def handle_error(self, request, client_address):
        """A connection that was cut is no news, and anything else is a fault of the double's that a test shall see."""
        if not isinstance(sys.exception(), OSError):
            self.double.clockwork.errors.append(sys.exception())


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Many small writes of a watch are not to wait for each other.
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._serve()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

    def _serve(self):
        self.double = self.server.double
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        size = int(self.headers.get("Content-Length") or 0)
        try:
            if size > LARGEST_BODY:
                self.close_connection = True
                raise ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {LARGEST_BODY}")
            content = self.rfile.read(size)
            user = self.double.access.user_of(self.headers.get("Authorization", ""), self._certificate())
            if self.command == "GET" and parts.path.rstrip("/") in ("/version", "/readyz", "/healthz", "/livez"):
                return self._answer_simple(parts.path.rstrip("/"))
            self._serve_target(parts.path, query, content, user)
        except ApiError as error:
            self._send(error.code, error.status(), error.headers)

    def _certificate(self) -> dict | None:
        return self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None

    def _answer_simple(self, path: str):
        if path == "/version":
            return self._send(200, VERSION)
        return self._send_bytes(200, b"ok", "text/plain")

    def _serve_target(self, path: str, query: dict, content: bytes, user: str):
        target = target_of(path)
        if target is None:
            raise no_such_path()
        verb = self._verb(target, query)
        body = self._body(content, verb)
        whole = target.called
        call = Call(verb, whole, target.namespace, target.name, user, query, body, dict(self.headers))
        self.double.record(call)
        if target.resource is not REVIEWS:
            self.double.access.check(user, verb, target)
        if target.resource is METRICS and not self.double.metrics.served:
            raise no_such_path()
        for name in set(query) - QUERIES["log" if target.subresource else verb] - {"pretty"}:
            raise bad_request(f"this double does not know the parameter {name} of {verb} {whole}")
        fault = self.double.faults.take(verb, whole)
        if fault is None:
            return self._act(verb, target, query, body, user)
        return self._misbehave(fault, verb, target, query, body, user)

    def _misbehave(self, fault, verb: str, target: Target, query: dict, body, user: str):
        if fault.seconds:
            time.sleep(fault.seconds)
        if fault.released is not None:
            fault.released.wait()
        if fault.acts:
            self._result(verb, target, query, body, user)
        if fault.cuts:
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        if fault.answer is not None:
            raise fault.answer
        return self._act(verb, target, query, body, user)

    def _verb(self, target: Target, query: dict) -> str:
        one = bool(target.name)
        watches = query.get("watch") in ("1", "true", "True")
        verb = {"POST": "create", "PATCH": "patch", "PUT": "update", "DELETE": "delete"}.get(self.command)
        verb = verb or ("get" if one else "watch" if watches else "list")
        of_all = verb in ("create", "list", "watch")
        if one == of_all or verb not in target.resource.verbs or (target.subresource and verb != "get"):
            raise ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        return verb

    def _body(self, content: bytes, verb: str):
        kind = self.headers.get("Content-Type", "").split(";")[0]
        if not content:
            return None
        if verb != "patch" and kind != "application/json":
            raise ApiError(415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types"
                           " include: application/json")  # fmt: skip
        try:
            return json.loads(content)
        except ValueError as error:
            raise bad_request(f"couldn't get version/kind; json parse error: {error}") from None

    def _act(self, verb: str, target: Target, query: dict, body, user: str):
        if target.subresource == "log":
            return self._stream(self.double.streams.log(self.double.kubelet, target, query), "text/plain")
        if verb == "watch":
            return self._stream(self._watch(target, query), "application/json")
        code, answer = self._result(verb, target, query, body, user)
        return self._send(code, answer)

    def _result(self, verb: str, target: Target, query: dict, body, user: str) -> tuple[int, dict]:
        """Does what is asked; the code and object to answer with."""
        store, resource = self.double.store, target.resource
        place = (resource, target.namespace, target.name)
        dry = query.get("dryRun") == "All"
        if resource is METRICS:
            return 200, self._metrics(target, query)
        match verb:
            case "create" if resource is REVIEWS:
                return 201, self._review(body, user)
            case "create":
                return 201, store.create(resource, target.namespace, body, dry)
            case "get":
                return 200, store.get(*place)
            case "list":
                return 200, self._list(target, query)
            case "patch":
                kind = self.headers.get("Content-Type", "").split(";")[0]
                return 200, store.update(*place, lambda item: patched(item, kind, body), True, dry)
            case "update":
                return 200, store.update(*place, lambda item: self._replaced(resource, item, body), True, dry)
        return 200, self._delete(target, query, body)

    @staticmethod
    def _replaced(resource, item: dict, body) -> dict:
        validation.check_shape(resource, body)
        kept = {key: value for key, value in item["metadata"].items() if key in ("uid", "creationTimestamp", "deletionTimestamp",
                "deletionGracePeriodSeconds", "generation", "resourceVersion", "namespace")}  # fmt: skip
        return {"kind": item["kind"], "apiVersion": item["apiVersion"], **body, "metadata": {**kept, **body.get("metadata", {})}}

    def _delete(self, target: Target, query: dict, body) -> dict:
        options = dict(body or {})
        if fault := validation.kubernetes_schema.fault_of(options, "DeleteOptions"):
            raise bad_request(f'DeleteOptions in version "v1" cannot be handled as a DeleteOptions: {fault}')
        for name in ("propagationPolicy", "gracePeriodSeconds", "orphanDependents"):
            if name in query:
                options.setdefault(name, json.loads(query[name]) if name != "propagationPolicy" else query[name])
        resource = target.resource
        item, gone = self.double.store.delete(resource, target.namespace, target.name, options)
        if resource is NAMESPACES and gone:
            self.double.empty(target.name)
        if not gone or resource.plural == "pods":
            return item
        details = {"name": target.name, "kind": resource.plural, "uid": item["metadata"]["uid"]}
        if resource.group:
            details["group"] = resource.group
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}

    def _review(self, body, user: str) -> dict:
        validation.check_shape(REVIEWS, body)
        asked = body["spec"].get("resourceAttributes") or {}
        resource = "/".join(filter(None, (asked.get("resource", ""), asked.get("subresource", ""))))
        verb, group, namespace = (asked.get(name, "") for name in ("verb", "group", "namespace"))
        allowed = self.double.access.allows(user, verb, group, resource, namespace)
        return {**body, "kind": REVIEWS.kind, "apiVersion": REVIEWS.api_version, "status": {"allowed": allowed}}

    def _accepts(self, target: Target, query: dict):
        labels = label_selector(query.get("labelSelector", ""))
        fields = field_selector(target.resource.plural, query.get("fieldSelector", ""))
        return lambda item: labels(item) and fields(item)

    def _list(self, target: Target, query: dict) -> dict:
        """A page goes on where the last one ended, by name; all pages say the version of the first."""
        items, version = self.double.store.held(target.resource, target.namespace, self._accepts(target, query))
        metadata = {}
        if begun := query.get("continue"):
            version, after = json.loads(begun)
            if version < self.double.store.oldest:
                raise ApiError(410, "Expired", "The provided continue parameter is too old")
            items = [item for item in items if [item["metadata"].get("namespace", ""), item["metadata"]["name"]] > after]
        limit = int(query.get("limit") or 0)
        if limit and len(items) > limit:
            metadata["remainingItemCount"] = len(items) - limit
            items = items[:limit]
            last = items[-1]["metadata"]
            metadata["continue"] = json.dumps([version, [last.get("namespace", ""), last["name"]]])
        # As in a real one's lists: each has its kind from the list.
        bare = [{key: value for key, value in item.items() if key not in ("kind", "apiVersion")} for item in items]
        return {"kind": f"{target.resource.kind}List", "apiVersion": target.resource.api_version,
                "metadata": {"resourceVersion": str(version), **metadata}, "items": bare}  # fmt: skip

    def _metrics(self, target: Target, query: dict) -> dict:
        """Without versions, and in one page whatever the limit."""
        metrics = self.double.metrics
        if target.name:
            return metrics.item(target.namespace, target.name)
        return {"kind": f"{METRICS.kind}List", "apiVersion": METRICS.api_version, "metadata": {},
                "items": metrics.items(target.namespace, self._accepts(target, query))}  # fmt: skip

    def _watch(self, target: Target, query: dict):
        if query.get("sendInitialEvents") == "true":
            raise ApiError(422, "Invalid", 'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled')  # fmt: skip
        accepts = self._accepts(target, query)
        begin = query.get("resourceVersion", "")
        if begin and not begin.isdigit():
            fault = f'Invalid value: "{begin}": strconv.ParseUint: parsing "{begin}": invalid syntax'
            raise ApiError(500, "", f"resourceVersion: {fault}")
        version = int(begin) if begin not in ("", "0") else None
        bookmarks = query.get("allowWatchBookmarks") in ("1", "true", "True")
        return self.double.streams.watch(target, accepts, version, bookmarks, float(query.get("timeoutSeconds") or 1800))

    def _stream(self, pieces, kind: str):
        """Chunk by chunk, each as soon as it is there."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        for piece in pieces:
            if piece:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _send(self, code: int, answer: dict, headers: dict | None = None):
        self._send_bytes(code, json.dumps(answer).encode() + b"\n", "application/json", headers)

    def _send_bytes(self, code: int, content: bytes, kind: str, headers: dict | None = None):
        self.send_response(code)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
