"""F01 to F05: the worker is killed with SIGKILL at each step of an attempt."""

import random

import pytest
from forebay.hold_point import HoldPoint
from forebay.process import sleep
from forebay.waiting import wait_until


def only_attempt(env, run_id):
    """The number of the attempt whose user code began; exactly one began."""
    (start,) = env.marks.starts(run_id)
    return start.attempt


def held(env):
    return env.checker.value("SELECT count(*) FROM held_attempts")


def test_f01_a_run_not_yet_granted_goes_to_the_next_worker_at_once(env, api, quick_pool, deploy):
    quick_pool()
    deploy()
    first = env.new_worker("alpha")
    first.kill()
    parked = lambda: api.ServerService.GetServerStatus().parked_polls  # noqa: E731
    wait_until(lambda: parked() == 0, what="the dead worker's poll is gone")
    run_id = api.submit("flow/one")
    assert api.state(run_id) == "SCHEDULED"
    env.new_worker("alpha")
    run = api.wait_for_end(run_id)
    assert run.attempt_count == 1
    env.checker.check(api, env.marks)


def test_f01_a_worker_killed_as_the_run_arrives_costs_a_lease_at_most(env, api, quick_pool, deploy, repeats):
    quick_pool()
    deploy()
    for _ in range(repeats(5, 50)):
        victim = env.new_worker("alpha")
        api.submit("flow/one")
        victim.kill()
    env.new_worker("alpha")
    for submitted in api.submitted:
        assert api.wait_for_end(submitted.run_id).exit_code == 0
    env.checker.check(api, env.marks)


def test_f01_a_worker_killed_inside_the_granting_transaction(env, api, quick_pool, deploy):
    quick_pool()
    deploy()
    run_id = api.submit("flow/one")
    with HoldPoint(env.database_url, "grant") as hold:
        victim = env.make_worker("alpha").start()
        hold.wait_until_reached()
        victim.kill()
        hold.release()
    env.new_worker("alpha")
    api.wait_for_end(run_id)
    assert only_attempt(env, run_id) <= 2
    env.checker.check(api, env.marks)


def test_f02_a_granted_attempt_that_nobody_launches_is_given_to_another(env, api, quick_pool, deploy):
    quick_pool()
    deploy()
    run_id = api.submit("flow/one")
    assert env.fake_worker("alpha").take()
    env.new_worker("alpha")
    run = api.wait_for_end(run_id)
    assert [attempt.outcome.reason for attempt in api.run(run_id, full=True).attempts][0] == "WORKER_LOST"
    assert run.attempt_count == 2 and only_attempt(env, run_id) == 2
    env.checker.check(api, env.marks)


@pytest.mark.parametrize("point", ["intent", "bind", "gate", "end"])
@pytest.mark.parametrize("comes_back", [True, False])
def test_f03_f04_a_worker_killed_between_two_steps_starts_user_code_once(env, api, quick_pool, deploy, point, comes_back):
    """The transaction of the step is held open while the worker dies; then it is adopted by the restarted worker, or
    left to another that cannot see what the first one made."""
    quick_pool(crash_after=2500)
    deploy("flow/one", "quick", crash_retries=3)
    with HoldPoint(env.database_url, point) as hold:
        worker = env.new_worker("alpha")
        run_id = api.submit("flow/one")
        hold.wait_until_reached()
        worker.kill()
        hold.release()
    if comes_back:
        worker.start()
    else:
        env.new_worker("alpha")
    api.wait_for_end(run_id)
    attempts = {}
    for start in env.marks.starts(run_id):
        attempts[start.attempt] = attempts.get(start.attempt, 0) + 1
    assert attempts and set(attempts.values()) == {1}
    env.checker.check_attempts()
    if comes_back:
        assert api.state(run_id) == "COMPLETED"
        env.checker.check(api, env.marks)
    env.checker.check_no_leaks([run_id])


def test_f05_user_code_outlives_its_worker_and_is_adopted_with_its_exit_code_and_log(env, api, quick_pool, deploy):
    quick_pool(crash_after=30000)
    script = 'for i in 1 2 3 4 5 6; do echo "line $i"; sleep 0.5; done; exit 3'
    api.deploy("flow/long", "alpha", ["/bin/sh", "-c", script])
    worker = env.new_worker("alpha")
    run_id = api.submit("flow/long")
    wait_until(lambda: api.output(run_id), what="first line")
    worker.kill()
    sleep(3)
    worker.start()
    run = api.wait_for_end(run_id)
    assert (run.exit_code, run.attempt_count) == (3, 1)
    assert api.output(run_id) == [f"line {number}" for number in range(1, 7)]
    env.checker.check(api)
    env.checker.check_no_leaks([run_id])


def test_f05_user_code_that_ended_while_its_worker_was_dead_is_reported(env, api, quick_pool, deploy):
    quick_pool(crash_after=30000)
    deploy("flow/one", "sleep", "1")
    worker = env.new_worker("alpha")
    run_id = api.submit("flow/one")
    wait_until(lambda: env.marks.starts(run_id), what="user code began")
    worker.kill()
    wait_until(lambda: env.marks.of(run_id, "end"), what="user code ended")
    worker.start()
    run = api.wait_for_end(run_id)
    assert (api.state(run_id), run.attempt_count) == ("COMPLETED", 1)
    env.checker.check(api, env.marks)


def test_f05_a_worker_killed_again_and_again_under_load_loses_and_doubles_nothing(env, api, quick_pool, deploy, repeats):
    quick_pool(crash_after=30000)
    deploy("flow/quick", "quick")
    deploy("flow/slow", "sleep", "0.5")
    worker = env.new_worker("alpha", limit=8)
    dice = random.Random(5)
    for _ in range(repeats(6, 50)):
        api.submit_many("flow/quick", 10)
        api.submit_many("flow/slow", 4)
        sleep(dice.uniform(0.05, 0.6))
        worker.kill()
        worker.start()
    for submitted in api.submitted:
        api.wait_for_end(submitted.run_id)
        assert api.state(submitted.run_id) == "COMPLETED"
        assert len(env.marks.starts(submitted.run_id)) == 1
    env.checker.check(api, env.marks)
    env.checker.check_no_leaks([submitted.run_id for submitted in api.submitted])
    assert held(env) == 0
