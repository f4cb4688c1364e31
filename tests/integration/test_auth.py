"""Default deny: the matrix of every method and every kind of bad credential, made from the descriptors."""

import itertools
import uuid

import grpc
import pytest
from forebay import protocol
from forebay.api import ApiError
from forebay.waiting import wait_until

METHODS = [method for service in protocol.services() for method in service.methods]
PUBLIC = [method for method in METHODS if protocol.access_of(method) == "PUBLIC"]
GUARDED = [method for method in METHODS if method not in PUBLIC]
LEVELS = ["VIEWER", "RUNNER", "DEPLOYER", "OPERATOR", "ADMIN"]
DENIED = ("UNAUTHENTICATED", "PERMISSION_DENIED")


@pytest.fixture
def keys(env, api):
    """One credential of each bad kind, and one good one of each level."""
    api.create_pool("alpha")
    api.create_pool("beta")
    create = api.TokenService.CreateUserKey
    good = {level: create(description=level, role=level.lower()).secret for level in LEVELS}
    revoked = create(description="revoked", role="admin")
    api.TokenService.RevokeToken(name=revoked.token.name)
    expired = create(description="expired", role="admin")
    env.checker.rows(
        "UPDATE credentials SET expires_at = clock_timestamp() - interval '1 second' WHERE id = %s RETURNING id",
        expired.token.name.removeprefix("tokens/"),
    )
    whole = api.token
    bad = {
        "none": "",
        "not a token": "hello",
        "of no kind": "zzz" + whole[3:],
        "cut short": whole[:-1],
        "with a wrong checksum": whole[:-1] + ("a" if whole[-1] != "a" else "b"),
        "revoked": revoked.secret,
        "expired": expired.secret,
        "of a forgotten server": api.token.replace("fbk_", "fbw_"),
    }
    return good, bad, env.worker_key("alpha")


def code_of(api, method, token, **fields) -> str:
    request = protocol.message_class(method.input_type)(**fields)
    if method.name == "Poll":
        request.request_id = str(uuid.uuid4())
    try:
        api.start(method, request, timeout=5, token=token).result()
        return "OK"
    except grpc.RpcError as error:
        return error.code().name


def test_the_public_list_is_short_and_known():
    assert sorted(method.full_name for method in PUBLIC) == [
        "forebay.v1.ServerService.GetVersion",
        "forebay.v1.TokenService.ExchangeJoinToken",
    ]
    unsaid = [method.full_name for method in METHODS if protocol.access_of(method) == "UNSPECIFIED"]
    assert not unsaid


def test_every_guarded_method_refuses_every_bad_credential(api, keys):
    _, bad, _ = keys
    # Revocation takes effect within five seconds.
    get = next(method for method in METHODS if method.name == "GetCurrentToken")
    wait_until(lambda: code_of(api, get, bad["revoked"]) in DENIED, 5, "the revoked key refused")
    let_in = [
        (method.full_name, kind)
        for method, (kind, token) in itertools.product(GUARDED, bad.items())
        if code_of(api, method, token) != "UNAUTHENTICATED"
    ]
    assert not let_in


def test_every_level_reaches_what_its_order_allows_and_nothing_else(api, keys):
    good, _, worker_key = keys
    wrong = []
    for method, level in itertools.product(GUARDED, LEVELS):
        needed = protocol.access_of(method)
        allowed = needed in LEVELS and LEVELS.index(level) >= LEVELS.index(needed)
        code = code_of(api, method, good[level])
        if (code not in DENIED) != allowed:
            wrong.append((method.full_name, level, code))
    for method in GUARDED:
        code = code_of(api, method, worker_key)
        if protocol.access_of(method) != "WORKER" and code not in DENIED:
            wrong.append((method.full_name, "worker key", code))
    assert not wrong


def test_public_methods_need_no_credential(api, keys):
    for method in PUBLIC:
        assert code_of(api, method, "") not in ("UNAUTHENTICATED",) or method.name == "ExchangeJoinToken"
    assert api.with_token("").ServerService.GetVersion().version


def test_a_worker_key_reaches_only_the_workers_of_its_own_pool(env, api, keys):
    other = env.new_api(token=env.worker_key("beta"))
    worker = env.fake_worker("alpha")
    with pytest.raises(ApiError) as refused:
        env.fake_worker("alpha", api=other)
    assert refused.value.code == "PERMISSION_DENIED"
    methods = [m for m in METHODS if protocol.access_of(m) == "WORKER" and m.name != "RegisterWorker"]
    assert len(methods) >= 7
    for method in methods:
        assert code_of(api, method, other.token, worker_id=worker.worker_id) == "PERMISSION_DENIED", method.full_name


def test_a_launch_ticket_reaches_only_its_own_attempt(env, api, keys):
    api.deploy("flow/one", "alpha", ["true"])
    mine, other = api.submit("flow/one"), api.submit("flow/one")
    first, second = env.fake_worker("alpha").take(2)
    assert {first.attempt.run_id, second.attempt.run_id} == {mine, other}
    ticket = env.new_api(token=first.launch_ticket)
    with pytest.raises(ApiError) as refused:
        ticket.RunService.StartAttempt(run_id=second.attempt.run_id)
    assert refused.value.code in DENIED
    answer = ticket.RunService.StartAttempt(run_id=first.attempt.run_id)
    run = env.new_api(token=answer.run_token)
    with pytest.raises(ApiError) as refused:
        run.RunService.Heartbeat(run_id=second.attempt.run_id)
    assert refused.value.code in DENIED
    assert not run.RunService.Heartbeat(run_id=first.attempt.run_id).cancel_wanted
    for method in (m for m in GUARDED if protocol.access_of(m) != "RUN"):
        assert code_of(api, method, answer.run_token) in DENIED, method.full_name
        assert code_of(api, method, second.launch_ticket) in DENIED, method.full_name


def test_a_join_token_is_worth_one_worker_key(env, api, keys):
    join = api.TokenService.CreateJoinToken(work_pool="workPools/alpha").secret
    nobody = env.new_api(token="fbk_none")
    nobody.token = ""
    key = nobody.TokenService.ExchangeJoinToken(join_token=join).secret
    assert key.startswith("fbw_")
    env.fake_worker("alpha", api=env.new_api(token=key))
    with pytest.raises(ApiError) as refused:
        nobody.TokenService.ExchangeJoinToken(join_token=join)
    assert refused.value.reason == "JOIN_TOKEN_INVALID"


def test_only_hashes_of_secrets_are_kept(env, api, keys):
    good, bad, worker_key = keys
    dump = "".join(str(row) for row in env.checker.rows("SELECT * FROM credentials"))
    listed = str(api.TokenService.ListTokens(include_revoked=True))
    for secret in [*good.values(), worker_key, api.token]:
        assert secret not in dump and secret not in listed
        assert secret[4:] not in dump


def test_health_and_reflection_are_served(api):
    check = api.channel.unary_unary("/grpc.health.v1.Health/Check")
    assert check(b"", timeout=10) == b"\x08\x01"
    reflect = api.channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
    # ServerReflectionRequest{list_services: "*"}
    answers = list(reflect(iter([b"\x3a\x01*"]), timeout=10, metadata=[("authorization", f"Bearer {api.token}")]))
    assert b"forebay.v1.FlowRunService" in answers[0]


def test_no_secret_stands_in_the_servers_log(env, api, keys):
    good, bad, worker_key = keys
    for method in GUARDED[:10]:
        code_of(api, method, good["ADMIN"])
    log = env.server.log.read_text()
    for secret in [*good.values(), worker_key, api.token]:
        assert secret not in log
