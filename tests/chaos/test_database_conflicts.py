"""F28: one write in twenty meets another: a serialization failure or a deadlock, by a seed."""

import uuid

import pytest
from forebay import protocol
from forebay.api import ApiError
from forebay.dice import ConflictDice
from forebay.waiting import wait_until

TABLES = ("flow_runs", "queued_runs", "held_attempts", "earlier_attempts", "slot_counters", "idempotency_keys", "worker_leases")


@pytest.fixture
def dice(env, request):
    """throw(seed, percent)"""

    def throw(seed: int, percent: int = 5) -> ConflictDice:
        dice = ConflictDice(env.database_url, TABLES, percent, seed)
        request.addfinalizer(dice.close)
        return dice

    return throw


def surely(call, **fields):
    """Repeats what ended in a conflict, as the error says one may."""

    def once():
        try:
            return call(**fields)
        except ApiError as error:
            assert (error.code, error.reason) == ("ABORTED", "DATABASE_CONFLICT"), error
            return None

    return wait_until(once, what="no conflict")


@pytest.mark.parametrize("seed", [1, 2])
def test_f28_conflicts_of_transactions_cost_time_and_nothing_else(env, api, quick_pool, deploy, dice, repeats, seed):
    quick_pool(limit=6, lease_ttl=10000, crash_after=30000)
    deploy("flow/one", "lines", "5")
    deploy("flow/slow", "sleep", "600")
    deploy("flow/fails", "exit", "3", retry=protocol.message("RetryPolicy")(retries=1))
    for _ in range(2):
        env.new_worker("alpha")
    thrown = dice(seed)
    run_ids = []
    for _ in range(repeats(80, 2000)):
        run_ids.append(surely(api.submit, deployment="flow/one", idempotency_key=str(uuid.uuid4())))
    failing = [surely(api.submit, deployment="flow/fails", idempotency_key=str(uuid.uuid4())) for _ in range(5)]
    for run_id in run_ids:
        api.wait_for_state(run_id, "COMPLETED", deadline=120)
        assert len(env.marks.starts(run_id)) == 1
        assert len(api.output(run_id)) == 5
    for run_id in failing:
        assert api.wait_for_state(run_id, "FAILED").attempt_count == 2
    slow = surely(api.submit, deployment="flow/slow", idempotency_key=str(uuid.uuid4()))
    api.wait_for_state(slow, "RUNNING")
    surely(api.FlowRunService.CancelFlowRun, name=f"flowRuns/{slow}")
    api.wait_for_state(slow, "CANCELLED")
    assert thrown.injected() > 20
    thrown.put_away()
    env.checker.check(api, env.marks, pool_limits={"alpha": 6})
    env.checker.check_no_leaks([slow])


def test_f28_a_conflict_that_does_not_end_is_told_to_the_caller(env, api, quick_pool, deploy, dice):
    quick_pool(lease_ttl=20000, crash_after=60000)
    deploy()
    env.new_worker("alpha")
    thrown = dice(3, percent=100)
    for _ in range(3):
        with pytest.raises(ApiError) as met:
            api.submit("flow/one", idempotency_key="once")
        assert (met.value.code, met.value.reason) == ("ABORTED", "DATABASE_CONFLICT")
    thrown.put_away()
    run_id = api.submit("flow/one", idempotency_key="once")
    api.wait_for_state(run_id, "COMPLETED")
    assert env.checker.value("SELECT count(*) FROM flow_runs") == 1
    env.checker.check(api, env.marks)
