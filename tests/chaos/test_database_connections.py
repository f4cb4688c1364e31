"""F27: connections to the database are few, refused, or shared by pgbouncer."""

import concurrent.futures
import uuid

import pytest
from forebay import pgbouncer
from forebay.api import ApiError
from forebay.health import is_serving
from forebay.waiting import wait_until

LEAST = ("--database-connections", "13")


@pytest.fixture
def callers():
    with concurrent.futures.ThreadPoolExecutor(150) as pool:
        yield pool


def code_of(call, *arguments, **fields) -> str:
    try:
        call(*arguments, **fields)
        return "OK"
    except ApiError as error:
        return error.code


def test_f27_calls_queue_for_the_few_connections_there_are_until_their_deadlines(env, callers):
    env.server_arguments = LEAST
    api = env.api
    api.create_pool("alpha")
    api.deploy("flow/one", "alpha", ["true"])
    known = api.submit("flow/one")
    api.run(known)
    locker = env.postgres.connect(env.database)
    locker.autocommit = False
    locker.cursor().execute("LOCK TABLE flow_runs, queued_runs, deployments IN ACCESS EXCLUSIVE MODE")
    name = f"flowRuns/{known}"
    hasty = [callers.submit(code_of, api.FlowRunService.GetFlowRun, name=name, timeout=2) for _ in range(50)]
    assert {call.result() for call in hasty} == {"DEADLINE_EXCEEDED"}
    patient = [callers.submit(code_of, api.FlowRunService.GetFlowRun, name=name) for _ in range(50)]
    submissions = [callers.submit(api.submit, "flow/one", idempotency_key=str(uuid.uuid4())) for _ in range(50)]
    assert is_serving(env.server.address)
    assert not any(call.done() for call in patient + submissions)
    locker.close()
    assert {call.result() for call in patient} == {"OK"}
    run_ids = {call.result() for call in submissions}
    assert len(run_ids) == 50
    env.new_worker("alpha", limit=8)
    for run_id in run_ids:
        api.wait_for_state(run_id, "COMPLETED")
    env.checker.check(api)


def test_f27_a_database_that_takes_no_more_connections_is_named_and_come_back_to(env, callers):
    role = f"few_{env.database}"
    env.postgres.execute(f"CREATE ROLE {role} LOGIN IN ROLE postgres")
    env.server_database_url = env.database_url.replace("postgres@", f"{role}@")
    api = env.api
    api.create_pool("alpha", lease_ttl=20000, crash_after=60000)
    api.deploy("flow/one", "alpha", env.marks.command())
    env.new_worker("alpha")
    api.wait_for_state(api.submit("flow/one"), "COMPLETED")
    env.postgres.execute(f"ALTER ROLE {role} CONNECTION LIMIT 0")
    env.postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'")
    with pytest.raises(ApiError) as refused:
        api.submit("flow/one")
    assert (refused.value.code, refused.value.reason) == ("UNAVAILABLE", "DATABASE_UNAVAILABLE")
    assert is_serving(env.server.address)
    env.postgres.execute(f"ALTER ROLE {role} CONNECTION LIMIT -1")
    wait_until(lambda: code_of(api.submit, "flow/one") == "OK", what="submissions are accepted again")
    for submitted in api.submitted:
        api.wait_for_state(submitted.run_id, "COMPLETED")
    env.checker.check(api, env.marks)


def need_pgbouncer(*least: int):
    version = pgbouncer.version()
    if version is None:
        pytest.skip("pgbouncer is not installed")
    if version < least:
        pytest.skip("the server prepares its statements, which pgbouncer knows between transactions from 1.21 on only")


def runs_flow_through_two_servers(env, callers):
    api = env.api
    api.create_pool("alpha", limit=6)
    api.deploy("flow/one", "alpha", env.marks.command())
    env.new_worker("alpha")
    second = env.new_server()
    two = env.new_api(second.address)
    env.new_worker("alpha", server=second.address)
    for call in [callers.submit(at.submit, "flow/one") for _ in range(50) for at in (api, two)]:
        api.wait_for_state(call.result(), "COMPLETED")
    env.checker.check(api, env.marks, pool_limits={"alpha": 6})


def test_f27_pgbouncer_that_keeps_sessions_apart_changes_nothing(env, callers):
    need_pgbouncer()
    env.pgbouncer_before_database("session", pool_size=60)
    runs_flow_through_two_servers(env, callers)


def test_f27_pgbouncer_that_shares_connections_between_transactions(env, callers):
    need_pgbouncer(1, 21)
    env.pgbouncer_before_database("transaction", pool_size=10, max_prepared_statements="300")
    runs_flow_through_two_servers(env, callers)
