"""F06, F08 and F09: a worker that is paused, doubled or cut off can change nothing that is no longer its own."""

import pytest
from forebay.api import ApiError
from forebay.fake_worker import exited, gate, launched, launching
from forebay.process import sleep
from forebay.waiting import wait_until


def lease_over(env, worker_id):
    wait_until(
        lambda: env.checker.value("SELECT count(*) FROM worker_leases WHERE worker_id = %s", worker_id) == 0,
        what="the lease is over",
    )


def test_f06_late_writes_of_a_paused_worker_are_refused(env, api, quick_pool, deploy):
    quick_pool()
    deploy()
    run_id = api.submit("flow/one")
    paused = env.fake_worker("alpha")
    (old,) = paused.take()
    lease_over(env, paused.worker_id)
    current = env.fake_worker("alpha", beating=True)
    (new,) = current.take()
    assert new.attempt.run_id == run_id
    assert (new.attempt.attempt, new.attempt.epoch) > (old.attempt.attempt, old.attempt.epoch)
    for late in (launching(old.attempt), launched(old.attempt), gate(old), exited(old.attempt)):
        try:
            assert paused.report(late) == ["STALE"]
        except ApiError as refused:
            assert refused.reason == "WORKER_UNKNOWN"
    # Not even under its own new registration.
    again = env.fake_worker("alpha")
    assert again.report(gate(old)) == ["STALE"]
    assert api.state(run_id) == "PENDING"
    assert current.complete(new)[-1] == "ACCEPTED"
    assert api.state(run_id) == "COMPLETED"
    env.checker.check(api)


@pytest.mark.parametrize("crash_retries", [0, 1])
def test_f06_a_real_worker_that_wakes_stops_what_is_stale(env, api, quick_pool, deploy, crash_retries):
    quick_pool()
    deploy("flow/one", "sleep", "600", crash_retries=crash_retries)
    worker = env.new_worker("alpha")
    run_id = api.submit("flow/one")
    wait_until(lambda: env.marks.starts(run_id), what="user code began")
    worker.pause()
    if crash_retries:
        other = env.new_worker("alpha")
        wait_until(lambda: len(env.marks.starts(run_id)) == 2, what="the second attempt began")
    else:
        run = api.wait_for_state(run_id, "CRASHED")
        assert run.state.reason
    worker.resume()
    first = env.marks.starts(run_id)[0]
    wait_until(lambda: first not in env.marks.living(), what="the stale process is gone")
    if crash_retries:
        assert api.state(run_id) == "RUNNING"
        assert len(env.marks.living()) == 1
        api.cancel(run_id)
        api.wait_for_state(run_id, "CANCELLED")
        assert other.running
    env.checker.check_attempts()
    env.checker.check_no_leaks([run_id])
    # It registered anew and works on.
    deploy("flow/two")
    api.wait_for_state(api.submit("flow/two"), "COMPLETED")


def test_f08_two_workers_of_one_name_and_key_share_nothing(env, api, calm_pool, deploy, repeats):
    calm_pool()
    deploy()
    key = env.worker_key("alpha")
    twins = [env.fake_worker("alpha", api=env.new_api(token=key), name="twin", slots=100) for _ in range(2)]
    assert twins[0].worker_id != twins[1].worker_id
    count = repeats(1000, 10_000)
    run_ids = api.submit_many("flow/one", count)
    seen = []
    while len(seen) < count:
        for twin, other in (twins, reversed(twins)):
            assignments = twin.poll(free_slots=50).assignments
            seen += [assignment.attempt.run_id for assignment in assignments]
            if assignments:
                ref = assignments[0].attempt
                assert other.report(gate(assignments[0])) == ["STALE"]
                assert other.heartbeat(ref).stops[0].attempt == ref
            for start in range(0, len(assignments), 20):
                reports = [f(a) for a in assignments[start : start + 20] for f in (gate, lambda a: exited(a.attempt))]
                assert set(twin.report(*reports)) == {"ACCEPTED"}
    assert sorted(seen) == sorted(run_ids)
    env.checker.check(api)


def test_f08_two_real_workers_of_one_name_and_key(env, api, quick_pool, deploy):
    quick_pool()
    deploy()
    key = env.worker_key("alpha")
    workers = [env.new_worker("alpha", key=key, shown_name="twin") for _ in range(2)]
    assert workers[0].worker_id != workers[1].worker_id
    for run_id in api.submit_many("flow/one", 60):
        api.wait_for_state(run_id, "COMPLETED")
    env.checker.check(api, env.marks)


def test_f09_a_worker_that_is_cut_off_launches_nothing_and_comes_back(env, api, quick_pool, deploy):
    quick_pool()
    deploy("flow/one", "sleep", "1")
    way = env.new_gate()
    worker = env.new_worker("alpha", server=way.address)
    way.freeze()
    sleep(3)
    run_id = api.submit("flow/one")
    other = env.new_worker("alpha")
    api.wait_for_state(run_id, "COMPLETED")
    way.open()
    second = api.submit("flow/one")
    other.terminate()
    api.wait_for_state(second, "COMPLETED")
    assert worker.running
    env.checker.check(api, env.marks)


def test_f09_running_user_code_survives_a_cut_shorter_than_its_crash_time(env, api, quick_pool, deploy):
    quick_pool(crash_after=30000)
    deploy("flow/one", "sleep", "5")
    way = env.new_gate()
    env.new_worker("alpha", server=way.address)
    run_id = api.submit("flow/one")
    wait_until(lambda: env.marks.starts(run_id), what="user code began")
    way.cut()
    sleep(3)
    way.open()
    run = api.wait_for_end(run_id)
    assert (api.state(run_id), run.attempt_count) == ("COMPLETED", 1)
    env.checker.check(api, env.marks)
