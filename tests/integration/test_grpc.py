"""The API by gRPC itself: methods that gRPC knows by name and those that the generic service serves answer alike."""

import contextlib
import re

import grpc
import pytest
from forebay import protocol
from forebay.http_api import HttpApi
from forebay.metrics import calls_ended
from forebay.waiting import wait_until

MEBIBYTE = 2**20
# One that gRPC knows, and one that it does not.
BOTH = ["FlowRunService/CreateFlowRun", "FlowRunService/GetFlowRun"]


@pytest.fixture
def call(api):
    """Sends bytes to a method and answers its code, with the caller's key."""

    def send(method: str, body: bytes) -> str:
        try:
            api.channel.unary_unary(f"/forebay.v1.{method}")(
                body, timeout=20, metadata=[("authorization", f"Bearer {api.token}")]
            )
            return "OK"
        except grpc.RpcError as error:
            return error.code().name

    return send


def test_reflection_lists_every_service(api):
    list_services = b"\x3a\x00"
    ask = api.channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
    answer = next(ask(iter([list_services]), timeout=20))
    listed = re.findall(rb"forebay\.v1\.\w+", answer)
    assert sorted(listed) == sorted(service.full_name.encode() for service in protocol.services())


def test_what_is_not_there_is_unimplemented(call):
    assert call("FlowRunService/Nothing", b"") == "UNIMPLEMENTED"
    assert call("NothingService/GetFlowRun", b"") == "UNIMPLEMENTED"


@pytest.mark.parametrize("method", BOTH)
def test_a_message_over_the_limit_is_refused_and_the_next_call_goes_through(call, api, method):
    padded = b"\xba\x3e" + b"\x80\x80\x80\x08" + bytes(16 * MEBIBYTE)
    assert call(method, padded) == "RESOURCE_EXHAUSTED"
    assert api.ServerService.GetVersion().version


def test_bytes_that_are_no_message_are_refused(call):
    assert call("FlowRunService/GetFlowRun", b"\xff") == "INVALID_ARGUMENT"


def test_a_call_that_waits_ends_at_its_deadline_and_at_the_server_too(env, api):
    cursor = api.EventService.WatchEvents().cursor
    request = protocol.message("WatchEventsRequest")(cursor=cursor)
    request.wait.FromSeconds(60)
    method = protocol.POOL.FindMethodByName("forebay.v1.EventService.WatchEvents")
    late = api.start(method, request, timeout=2)
    assert late.code().name == "DEADLINE_EXCEEDED"
    with contextlib.closing(HttpApi(env.server.http_url, env.admin_key)) as page:
        wait_until(
            lambda: calls_ended(env, page, "EventService.WatchEvents", "CANCELLED") == 1, what="the server has given it up"
        )
