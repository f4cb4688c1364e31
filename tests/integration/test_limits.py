"""Limits of deployments and limits that deployments share: kept, handed over at once, changed at once."""

import pytest
from forebay import protocol
from forebay.api import ApiError
from forebay.waiting import wait_until
from google.protobuf import field_mask_pb2

CAUSE = protocol.enum("WaitingCause")
COLLISION = protocol.enum("CollisionStrategy")


@pytest.fixture
def pool(api):
    return api.create_pool("alpha")


def ids(assignments):
    return [assignment.attempt.run_id for assignment in assignments]


def create_limit(api, name, slots, **fields):
    limit = protocol.message("ConcurrencyLimit")(name=name, slots=slots, **fields)
    return api.ConcurrencyLimitService.CreateConcurrencyLimit(concurrency_limit=limit).concurrency_limit


def get_limit(api, name):
    return api.ConcurrencyLimitService.GetConcurrencyLimit(name=name).concurrency_limit


def update_limit(api, name, **fields):
    limit = protocol.message("ConcurrencyLimit")(name=name, **fields)
    mask = field_mask_pb2.FieldMask(paths=list(fields))
    return api.ConcurrencyLimitService.UpdateConcurrencyLimit(concurrency_limit=limit, update_mask=mask)


def update_deployment(api, name, *cleared, **fields):
    deployment = protocol.message("Deployment")(name=name, **fields)
    mask = field_mask_pb2.FieldMask(paths=[*fields, *cleared])
    return api.DeploymentService.UpdateDeployment(deployment=deployment, update_mask=mask).deployment


def test_a_deployments_limit_holds_back_its_own_runs_and_nobody_elses(env, api, pool):
    api.deploy("flow/narrow", "alpha", ["true"], concurrency_limit=2)
    api.deploy("flow/wide", "alpha", ["true"])
    narrow = [api.submit("flow/narrow") for _ in range(5)]
    wide = [api.submit("flow/wide") for _ in range(3)]
    worker = env.fake_worker("alpha", slots=50)
    held = worker.take(5, free_slots=50)
    assert ids(held) == narrow[:2] + wide
    run = api.run(narrow[2])
    assert run.waiting.cause == CAUSE["DEPLOYMENT_LIMIT"]
    assert run.state.name == "AwaitingConcurrencySlot"
    assert set(run.waiting.holders) == {f"flowRuns/{run_id}" for run_id in narrow[:2]}
    poll = worker.start_take(1, free_slots=50)
    worker.complete(held[0])
    assert ids(poll.result()) == [narrow[2]]
    assert api.DeploymentService.GetDeployment(name="flow/narrow").deployment.held_attempts == 2
    env.checker.check(api)


def test_a_deployments_limit_set_raised_lowered_and_lifted_takes_effect_at_once(env, api, pool):
    api.deploy("flow/one", "alpha", ["true"])
    first = [api.submit("flow/one") for _ in range(2)]
    worker = env.fake_worker("alpha", slots=50)
    held = worker.take(2)
    assert ids(held) == first
    assert update_deployment(api, "flow/one", concurrency_limit=2).concurrency_limit == 2
    waiting = [api.submit("flow/one") for _ in range(6)]
    assert api.run(waiting[0]).waiting.cause == CAUSE["DEPLOYMENT_LIMIT"]
    poll = worker.start_take(1, free_slots=1)
    update_deployment(api, "flow/one", concurrency_limit=3)
    assert ids(poll.result()) == waiting[:1]
    update_deployment(api, "flow/one", concurrency_limit=1)
    # Three are held: two ends free nothing yet.
    for assignment in held:
        worker.complete(assignment)
    assert api.run(waiting[1]).waiting.cause == CAUSE["DEPLOYMENT_LIMIT"]
    poll = worker.start_take(5, free_slots=50)
    update_deployment(api, "flow/one", "concurrency_limit")
    assert ids(poll.result()) == waiting[1:]
    env.checker.check(api)


def test_a_shared_limit_counts_over_deployments_and_pools(env, api, pool):
    api.create_pool("beta")
    limit = create_limit(api, "db-writes", 2)
    assert limit.slots == 2 and limit.slots_in_use == 0
    api.deploy("flow/one", "alpha", ["true"], concurrency_limits=["db-writes"])
    api.deploy("flow/two", "beta", ["true"], concurrency_limits=["db-writes"])
    one = [api.submit("flow/one") for _ in range(2)]
    alpha, beta = env.fake_worker("alpha"), env.fake_worker("beta")
    held = alpha.take(2)
    assert ids(held) == one
    (two,) = [api.submit("flow/two") for _ in range(1)]
    poll = beta.start_take(1)
    waiting = api.run(two).waiting
    assert waiting.cause == CAUSE["NAMED_LIMIT"] and waiting.limit == "db-writes"
    assert set(waiting.holders) == {f"flowRuns/{run_id}" for run_id in one}
    shown = get_limit(api, "db-writes")
    assert shown.slots_in_use == 2 and len(shown.holders) == 2 and shown.waiting_runs == 1 and shown.deployments == 2
    # A slot that comes back in one pool goes to the run of the other.
    alpha.complete(held[0])
    assert ids(poll.result()) == [two]
    env.checker.check(api)


def test_a_shared_limit_of_nothing_holds_all_back_until_it_is_raised(env, api, pool):
    create_limit(api, "none", 0)
    api.deploy("flow/one", "alpha", ["true"], concurrency_limits=["none"])
    run_id = api.submit("flow/one")
    poll = env.fake_worker("alpha").start_take(1)
    assert api.run(run_id).waiting.cause == CAUSE["NAMED_LIMIT"]
    update_limit(api, "none", slots=1)
    assert ids(poll.result()) == [run_id]


def test_slots_that_decay_come_back_by_themselves(env, api, pool):
    create_limit(api, "calls", 2, decay_per_second=2.0)
    api.deploy("flow/one", "alpha", ["true"], concurrency_limits=["calls"])
    run_ids = [api.submit("flow/one") for _ in range(5)]
    worker = env.fake_worker("alpha")
    assert ids(worker.take(2, free_slots=10)) == run_ids[:2]
    waiting = api.run(run_ids[4]).waiting
    assert waiting.cause == CAUSE["RATE_LIMIT"] and waiting.HasField("until")
    # Nothing ends: each of the others starts when a slot has come back.
    assert ids(worker.take(3, free_slots=10)) == run_ids[2:]
    granted = [api.run(run_id, full=True).attempts[0].grant_time.ToMicroseconds() for run_id in run_ids]
    assert granted[4] - granted[1] >= 1_400_000
    assert get_limit(api, "calls").slots_in_use <= 2


def test_a_run_that_cannot_start_is_no_obstacle_in_its_queue(env, api, pool):
    create_limit(api, "full", 0)
    api.deploy("flow/stuck", "alpha", ["true"], concurrency_limits=["full"])
    api.deploy("flow/free", "alpha", ["true"])
    api.submit_many("flow/stuck", 3000)
    free_run = api.submit("flow/free")
    assert ids(env.fake_worker("alpha").take(1)) == [free_run]


def test_order_is_kept_between_limited_and_other_runs(env, api, pool):
    api.deploy("flow/limited", "alpha", ["true"], concurrency_limit=100)
    api.deploy("flow/other", "alpha", ["true"])
    run_ids = [api.submit(("flow/limited", "flow/other")[n % 2]) for n in range(20)]
    worker = env.fake_worker("alpha", slots=50)
    assert ids(worker.take(7) + worker.take(13)) == run_ids


def test_cancel_new_ends_a_run_that_meets_a_full_deployment(env, api, pool):
    api.deploy("flow/one", "alpha", ["true"], concurrency_limit=1, collision=COLLISION["CANCEL_NEW"])
    first = api.submit("flow/one")
    worker = env.fake_worker("alpha")
    (held,) = worker.take(1)
    assert held.attempt.run_id == first
    second = api.submit("flow/one")
    ended = api.wait_for_state(second, "CANCELLED")
    assert ended.state.reason == "COLLISION" and "1" in ended.state.message
    worker.complete(held)
    third = api.submit("flow/one")
    assert ids(worker.take(1)) == [third]
    env.checker.check(api)


def test_a_paused_deployment_with_a_limit_starts_nothing(env, api, pool):
    api.deploy("flow/one", "alpha", ["true"], concurrency_limit=5)
    api.DeploymentService.PauseDeployment(name="flow/one")
    run_id = api.submit("flow/one")
    poll = env.fake_worker("alpha").start_take(1)
    assert api.run(run_id).waiting.cause == CAUSE["DEPLOYMENT_PAUSED"]
    api.DeploymentService.ResumeDeployment(name="flow/one")
    assert ids(poll.result()) == [run_id]


def test_limits_that_are_wrong_are_refused_and_change_nothing(env, api, pool):
    create_limit(api, "taken", 1)
    cases = [
        (lambda: create_limit(api, "taken", 1), "ALREADY_EXISTS", "CONCURRENCY_LIMIT_EXISTS"),
        (lambda: create_limit(api, "Bad Name", 1), "INVALID_ARGUMENT", "INVALID_NAME"),
        (lambda: create_limit(api, "negative", -1), "INVALID_ARGUMENT", "OUT_OF_RANGE"),
        (lambda: create_limit(api, "standing", 1, decay_per_second=0), "INVALID_ARGUMENT", "OUT_OF_RANGE"),
        (lambda: update_limit(api, "tken", slots=2), "NOT_FOUND", "CONCURRENCY_LIMIT_NOT_FOUND"),
        (lambda: update_limit(api, "taken", decay_per_second=1), "FAILED_PRECONDITION", "DECAY_FIXED"),
        (lambda: update_limit(api, "taken", team="x"), "INVALID_ARGUMENT", "UNKNOWN_FIELD"),
        (lambda: api.deploy("f/d", "alpha", ["true"], concurrency_limit=-1), "INVALID_ARGUMENT", "OUT_OF_RANGE"),
        (
            lambda: api.deploy("f/d", "alpha", ["true"], concurrency_limits=["takn"]),
            "NOT_FOUND",
            "CONCURRENCY_LIMIT_NOT_FOUND",
        ),
    ]
    for call, code, reason in cases:
        with pytest.raises(ApiError) as refused:
            call()
        assert (refused.value.code, refused.value.reason) == (code, reason)
    with pytest.raises(ApiError):
        api.DeploymentService.GetDeployment(name="f/d")
    assert [limit.name for limit in api.ConcurrencyLimitService.ListConcurrencyLimits().concurrency_limits] == [
        "teams/default/concurrencyLimits/taken"
    ]


def test_a_limit_in_use_is_not_deleted(env, api, pool):
    create_limit(api, "shared", 1)
    api.deploy("flow/one", "alpha", ["true"], concurrency_limits=["shared"])
    with pytest.raises(ApiError) as refused:
        api.ConcurrencyLimitService.DeleteConcurrencyLimit(name="shared")
    assert refused.value.reason == "CONCURRENCY_LIMIT_IN_USE" and "flow/one" in refused.value.text
    update_deployment(api, "flow/one", "concurrency_limits")
    api.ConcurrencyLimitService.DeleteConcurrencyLimit(name="shared")
    with pytest.raises(ApiError) as gone:
        get_limit(api, "shared")
    assert gone.value.reason == "CONCURRENCY_LIMIT_NOT_FOUND"


def test_a_slot_comes_back_when_its_worker_is_lost(env, api):
    api.create_pool("alpha", lease_ttl=2000)
    create_limit(api, "one", 1)
    api.deploy("flow/one", "alpha", ["true"], concurrency_limits=["one"])
    first, second = api.submit("flow/one"), api.submit("flow/one")
    assert ids(env.fake_worker("alpha").take(1)) == [first]
    # Nobody beats for it any more.
    other = env.fake_worker("alpha", beating=True)
    (again,) = other.take(1)
    assert (again.attempt.run_id, again.attempt.attempt) == (first, 2)
    other.complete(again)
    assert ids(other.take(1)) == [second]
    wait_until(lambda: get_limit(api, "one").slots_in_use == 1, what="one slot taken")
    env.checker.check(api)
