"""The HTTP listener: the API by the Connect protocol, probes, and clients with bad manners."""

import base64
import contextlib
import itertools
import json
import socket
import ssl
import threading

import pytest
from forebay import protocol
from forebay.certificates import certificate
from forebay.http_api import HttpApi
from forebay.waiting import wait_until

METHODS = [method for service in protocol.services() for method in service.methods]


def short_name(method) -> str:
    return method.full_name.removeprefix("forebay.v1.")


@pytest.fixture
def http(env, api):
    client = HttpApi(env.server.http_url, env.admin_key)
    yield client
    client.close()


def test_a_run_from_pool_to_log_over_http(env, http):
    env.api.create_pool("alpha")
    deployment = {"name": "flow/one", "workPool": "workPools/alpha", "command": ["true"], "timeout": "90.5s", "tags": ["a"]}
    applied = http.call("DeploymentService.ApplyDeployment", {"deployment": deployment}).json
    assert applied["created"] is True and applied["deployment"]["timeout"] == "90.500s"
    run = http.call("FlowRunService.CreateFlowRun", {"deployment": "flow/one"}).json["flowRun"]
    worker = env.fake_worker("alpha")
    (assignment,) = worker.take()
    worker.append(assignment.attempt, 0, "naïve \N{SNOWMAN}")
    worker.complete(assignment)
    seen = http.call("FlowRunService.GetFlowRun", {"name": run["name"]}).json["flowRun"]
    assert seen["state"]["type"] == "STATE_TYPE_COMPLETED" and seen["state"]["time"].endswith("Z")
    lines = http.call("LogService.ListLogLines", {"flowRun": run["name"]}).json["lines"]
    assert "naïve \N{SNOWMAN}" in json.dumps(lines, ensure_ascii=False)


def test_binary_messages(http):
    request = protocol.message("GetVersionRequest")().SerializeToString()
    answer = http.ask("POST", "/forebay.v1.ServerService/GetVersion", request, Content_Type="application/proto")
    assert answer.headers["content-type"] == "application/proto"
    assert protocol.message("GetVersionResponse").FromString(answer.body).api_version == "v1"
    broken = http.ask("POST", "/forebay.v1.ServerService/GetVersion", b"\xff\xff", Content_Type="application/proto")
    assert (broken.status, broken.reason) == (400, "INVALID_MESSAGE")


def test_errors_are_those_of_grpc(api, http):
    refused = http.call("WorkPoolService.GetWorkPool", {"name": "workPools/nope"})
    assert (refused.status, refused.json["code"], refused.reason) == (404, "not_found", "WORK_POOL_NOT_FOUND")
    (detail,) = refused.json["details"]
    packed = base64.b64decode(detail["value"] + "=" * (-len(detail["value"]) % 4))
    info = protocol.message("ErrorInfo").FromString(packed)
    assert detail["type"] == "google.rpc.ErrorInfo" and info.reason == "WORK_POOL_NOT_FOUND"
    assert info.metadata["value"] == "nope"


@pytest.mark.parametrize(
    ("body", "told"),
    [(b'{"nme": "x"}', "nme"), (b"{", "GetWorkPoolRequest"), (b'{"name": 7}', "name"), (b"\xff\xfe", "GetWorkPoolRequest"),
     (b'{"name":' * 5000, "GetWorkPoolRequest"), (b"", "GetWorkPoolRequest")],
)  # fmt: skip
def test_bodies_that_are_not_the_message(http, body, told):
    headers = {"Authorization": f"Bearer {http.token}", "Content_Type": "application/json; charset=utf-8"}
    refused = http.ask("POST", "/forebay.v1.WorkPoolService/GetWorkPool", body, **headers)
    assert (refused.status, refused.reason) == (400, "INVALID_MESSAGE") and told in refused.json["message"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/forebay.v1.ServerService/GetVersion", {}, 405),
        ("POST", "/forebay.v1.ServerService/GetVersion", {"Content_Type": "text/plain"}, 415),
        ("POST", "/forebay.v1.ServerService/GetVersion", {}, 415),
        ("POST", "/forebay.v1.ServerService/GetVersion", {"Content_Type": "application/json", "Content_Encoding": "gzip"}, 415),
        ("POST", "/forebay.v1.ServerService/GetVersion",
         {"Content_Type": "application/json", "Connect_Protocol_Version": "2"}, 400),
        ("POST", "/forebay.v1.ServerService/GetVersion", {"Content_Type": "application/json", "Connect_Timeout_Ms": "soon"}, 400),
        ("POST", "/forebay.v1.ServerService/Nope", {"Content_Type": "application/json"}, 404),
        ("POST", "/forebay.v1.ServerService.GetVersion", {"Content_Type": "application/json"}, 404),
        ("POST", "//forebay.v1.ServerService/GetVersion", {"Content_Type": "application/json"}, 404),
        ("GET", "/", {}, 404),
        ("POST", "/livez", {}, 405),
    ],
)  # fmt: skip
def test_requests_that_are_refused(http, method, path, headers, status):
    assert http.ask(method, path, b"{}" if method == "POST" else None, **headers).status == status
    assert http.call("ServerService.GetVersion").status == 200


def test_every_method_is_there_and_refuses_whom_it_has_to(env, http):
    env.api.create_pool("alpha")
    bad = {"none": "", "nonsense": "hello", "cut short": http.token[:-1], "of a worker": env.worker_key("alpha")}
    wrong = []
    for method, (kind, token) in itertools.product(METHODS, bad.items()):
        access = protocol.access_of(method)
        answer = http.call(short_name(method), {}, token=token, Connect_Timeout_Ms="2000")
        open_to = (access, kind) in (("PUBLIC", "none"), ("PUBLIC", "of a worker"), ("WORKER", "of a worker"))
        # A join token is a credential of its own.
        if open_to != (answer.status not in (401, 403)) and method.name != "ExchangeJoinToken":
            wrong.append((method.full_name, kind, answer.status))
    assert not wrong


def test_probes(env, http):
    assert http.ask("GET", "/livez").body == b"ok\n"
    assert http.ask("GET", "/readyz").status == 200
    head = http.ask("HEAD", "/readyz")
    assert head.status == 200 and head.body == b""


def test_not_ready_while_the_database_is_away(env):
    gate = env.gate_to_database()
    client = HttpApi(env.server.http_url)
    assert client.ask("GET", "/readyz").status == 200
    gate.cut()
    wait_until(lambda: client.ask("GET", "/readyz").status == 503, what="not ready")
    assert client.ask("GET", "/livez").status == 200
    gate.open()
    wait_until(lambda: client.ask("GET", "/readyz").status == 200, what="ready again")


def test_a_long_poll_ends_with_its_time_its_news_or_its_client(env, http):
    cursor = http.call("EventService.WatchEvents").json["cursor"]
    late = http.call("EventService.WatchEvents", {"cursor": cursor, "wait": "20s"}, Connect_Timeout_Ms="200")
    assert (late.status, late.json["code"]) == (504, "deadline_exceeded")
    env.api.create_pool("alpha")
    env.api.deploy("flow/one", "alpha", ["true"])
    answers = []
    waiting = threading.Thread(
        target=lambda: answers.append(http.call("EventService.WatchEvents", {"cursor": cursor, "wait": "20s"}))
    )
    waiting.start()
    run_id = env.api.submit("flow/one")
    waiting.join(20)
    assert answers and answers[0].json["events"][0]["flowRun"] == f"flowRuns/{run_id}"


def request_text(http, path: str, body: bytes) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", f"Authorization: Bearer {http.token}"]
    return ("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])).encode() + body


def read_answer(connection: socket.socket) -> bytes:
    text = b""
    while b"\r\n\r\n" not in text:
        part = connection.recv(65536)
        assert part, text
        text += part
    head, body = text.split(b"\r\n\r\n", 1)
    length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")).split(b":")[1])
    while len(body) < length:
        body += connection.recv(65536)
    return body


def test_a_client_that_goes_leaves_nothing_parked(env, http):
    env.api.create_pool("alpha")
    key = env.worker_key("alpha")
    registered = http.call(
        "WorkerService.RegisterWorker",
        {"pool": "alpha", "name": "w", "instanceId": "0190a6b0-0000-7000-8000-000000000001", "type": "process", "slots": 1},
        token=key,
    ).json
    poll = {"workerId": registered["workerId"], "freeSlots": 1, "poolRevision": registered["pool"]["revision"],
            "requestId": "0190a6b0-0000-7000-8000-000000000002"}  # fmt: skip
    text = request_text(http, "/forebay.v1.WorkerService/Poll", json.dumps(poll).encode()).replace(http.token.encode(), key.encode())

    def parked() -> int:
        return int(http.call("ServerService.GetServerStatus").json.get("parkedPolls", 0))

    with http.open() as connection:
        connection.sendall(text)
        wait_until(lambda: parked() == 1, what="the poll is parked")
    wait_until(lambda: parked() == 0, what="the poll of the client that went is gone")


def test_pipelined_requests_are_answered_in_order(http):
    with http.open() as connection:
        for name in ("one", "two"):
            body = json.dumps({"name": f"workPools/{name}"}).encode()
            connection.sendall(request_text(http, "/forebay.v1.WorkPoolService/GetWorkPool", body))
        text = b""
        while text.count(b"WORK_POOL_NOT_FOUND") < 2:
            part = connection.recv(65536)
            assert part, text
            text += part
    assert text.index(b"'one'") < text.index(b"'two'")


def test_oversize_requests_are_refused_and_the_answer_arrives(http):
    body = b" " * (17 << 20)
    with http.open() as connection:
        connection.sendall(request_text(http, "/forebay.v1.WorkPoolService/GetWorkPool", body)[: 1 << 20])
        assert b"too large" in read_answer(connection)
    with http.open() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000)
        assert b"header is too large" in read_answer(connection)
    with http.open() as connection:
        connection.sendall(b"HELO there\r\n\r\n")
        assert b"not an HTTP" in read_answer(connection)
    assert http.call("ServerService.GetVersion").status == 200


def test_slow_silent_and_many_clients_do_not_hurt_the_others(env, http):
    with contextlib.ExitStack() as open_ones:
        idle = [open_ones.enter_context(http.open()) for _ in range(1000)]
        slow = [open_ones.enter_context(http.open()) for _ in range(50)]
        for connection in slow:
            connection.sendall(b"POST /forebay.v1.ServerService/GetVersion HTTP/1.1\r\nHo")
        for _ in range(200):
            assert http.call("ServerService.GetVersion").status == 200
        # A header has ten seconds.
        for connection in slow:
            assert connection.recv(1) == b""
        idle[0].sendall(request_text(http, "/forebay.v1.ServerService/GetVersion", b"{}"))
        assert b"v1" in read_answer(idle[0])


def test_a_server_that_stops_ends_its_clients(env, http):
    cursor = http.call("EventService.WatchEvents").json["cursor"]
    with http.open() as idle, http.open() as waiting, http.open() as slow:
        slow.sendall(b"POST /forebay.v1.ServerService/GetVersion HTTP/1.1\r\nHo")
        body = json.dumps({"cursor": cursor, "wait": "50s"}).encode()
        waiting.sendall(request_text(http, "/forebay.v1.EventService/WatchEvents", body))
        idle.sendall(request_text(http, "/forebay.v1.ServerService/GetVersion", b"{}"))
        read_answer(idle)
        assert env.server.terminate() == 0
        assert b"cursor" in read_answer(waiting)
        assert waiting.recv(1) == b"" and idle.recv(1) == b"" and slow.recv(1) == b""


def test_tls(env, scratch):
    cert, key = certificate(scratch)
    server = env.new_server(arguments=("--tls-certificate-file", cert, "--tls-key-file", key))
    assert server.http_url.startswith("https://")
    client = HttpApi(server.http_url, context=ssl.create_default_context(cafile=cert))
    for _ in range(20):
        assert client.call("ServerService.GetVersion").status == 200
        # The request follows the handshake in one segment.
        client.close()
    for _ in range(3):
        assert client.call("ServerService.GetVersion").status == 200
    with pytest.raises(ssl.SSLError):
        HttpApi(server.http_url, context=ssl.create_default_context()).call("ServerService.GetVersion")
    with client.open() as plain:
        plain.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"ok" not in plain.recv(100)


def test_where_it_listens(env, scratch):
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    refused = env.make_server(name="refused", arguments=("--http-listen", f"127.0.0.1:{port}"))
    refused.spawn()
    assert refused.wait() == 1
    assert f"cannot listen on 127.0.0.1:{port} for HTTP" in refused.tail()
    off = env.new_server(arguments=("--http-listen", "off"))
    assert off.http_url == ""
    named = env.new_server(arguments=("--http-url", "https://forebay.example"))
    assert env.new_api(named.address).ServerService.GetVersion().http_url == "https://forebay.example"
    beyond = env.make_server(name="beyond", arguments=("--http-listen", "0.0.0.0:0"))
    beyond.spawn()
    beyond.wait()
    assert "http_listen '0.0.0.0:0' is reachable from other hosts" in beyond.tail()
    taken.close()
