"""A server decides about attempts that it granted from memory; what befell them at another server counts all the same."""

import copy

import pytest
from forebay.fake_worker import exited, gate, launched, launching

STARTED = ["ACCEPTED", "ACCEPTED", "ACCEPTED"]


@pytest.fixture
def here(env, calm_pool, api):
    """A worker at the server that grants."""
    calm_pool()
    api.deploy("flow/one", "alpha", ["true"])
    return env.fake_worker("alpha", api=env.new_api(token=env.worker_key("alpha")), slots=10)


@pytest.fixture
def there(env, here):
    """The same worker at another server."""
    worker = copy.copy(here)
    worker.api = env.new_api(env.new_server().address, here.api.token)
    return worker


@pytest.fixture
def other_api(env, there):
    """A user at the other server."""
    return env.new_api(there.api.address, env.admin_key)


def start(worker, assignment) -> list[str]:
    return worker.report(launching(assignment.attempt), launched(assignment.attempt), gate(assignment))


def test_a_cancel_there_keeps_the_gate_here_shut(api, here, other_api):
    run_id = api.submit("flow/one")
    (held,) = here.take()
    assert here.report(launching(held.attempt), launched(held.attempt)) == ["ACCEPTED", "ACCEPTED"]
    other_api.cancel(run_id)
    assert here.report(gate(held)) == ["STOP"]
    assert here.report(exited(held.attempt, None, "NEVER_STARTED")) == ["ACCEPTED"]
    assert not api.wait_for_state(run_id, "CANCELLED").HasField("start_time")


def test_a_cancel_there_ends_as_one_what_completes_here(api, here, other_api):
    run_id = api.submit("flow/one")
    (held,) = here.take()
    assert start(here, held) == STARTED
    other_api.cancel(run_id)
    assert here.report(exited(held.attempt)) == ["ACCEPTED"]
    api.wait_for_state(run_id, "CANCELLED")


def test_lines_appended_there_are_those_that_an_end_here_waits_for(api, here, there):
    run_id = api.submit("flow/one")
    (held,) = here.take()
    assert start(here, held) == STARTED
    assert here.report(exited(held.attempt, log_lines=2)) == ["LOGS_MISSING"]
    there.append(held.attempt, 0, "first", "second")
    assert here.report(exited(held.attempt, log_lines=3)) == ["LOGS_MISSING"]
    assert here.report(exited(held.attempt, log_lines=2)) == ["ACCEPTED"]
    api.wait_for_state(run_id, "COMPLETED")
    assert api.output(run_id) == ["first", "second"]


def test_lines_appended_there_do_not_keep_an_end_here(api, here, there):
    run_id = api.submit("flow/one")
    (held,) = here.take()
    there.append(held.attempt, 0, "first")
    assert start(here, held) == STARTED
    there.append(held.attempt, 1, "second")
    assert here.report(exited(held.attempt, log_lines=2)) == ["ACCEPTED"]
    assert api.output(run_id) == ["first", "second"]


def test_facts_told_there_may_be_repeated_here(env, api, here, there):
    run_id = api.submit("flow/one")
    (held,) = here.take()
    assert start(there, held) == STARTED
    assert start(here, held) == STARTED
    assert here.report(exited(held.attempt)) == ["ACCEPTED"]
    assert here.report(exited(held.attempt)) == ["STALE"]
    api.wait_for_state(run_id, "COMPLETED")
    env.checker.check(api)


def test_a_ticket_renewed_there_voids_the_one_from_here(api, here, there):
    api.submit("flow/one")
    (held,) = here.poll(1, request_id="00000000-0000-4000-8000-000000000001").assignments
    (again,) = there.poll(1, request_id="00000000-0000-4000-8000-000000000001", replay=True).assignments
    assert again.launch_ticket != held.launch_ticket
    assert here.report(gate(held)) == ["STALE"]
    assert here.report(gate(again)) == ["ACCEPTED"]


def test_an_attempt_adopted_there_is_not_the_old_workers_here(env, api, here, there):
    run_id = api.submit("flow/one")
    (held,) = here.take()
    assert start(here, held) == STARTED
    heir = env.fake_worker("alpha", api=there.api, slots=10)
    there.api.WorkerService.DeregisterWorker(worker_id=here.worker_id)
    (adoption,) = heir.adopt(held.attempt)
    assert here.report(exited(held.attempt)) == ["STALE"]
    api.wait_for_state(run_id, "RUNNING")
    assert heir.report(exited(adoption.assignment.attempt)) == ["ACCEPTED"]
    api.wait_for_state(run_id, "COMPLETED")


def test_one_that_is_otherwise_leaves_the_rest_of_its_batch_alone(env, api, here, other_api):
    run_ids = api.submit_many("flow/one", 8)
    held = here.take(8)
    assert [verdict for assignment in held for verdict in start(here, assignment)] == STARTED * 8
    other_api.cancel(run_ids[3])
    assert here.report(*(exited(assignment.attempt) for assignment in held)) == ["ACCEPTED"] * 8
    assert [api.state(run_id) for run_id in run_ids] == ["COMPLETED"] * 3 + ["CANCELLED"] + ["COMPLETED"] * 4
    env.checker.check(api)
