"""F34, F35, F41, F42: runs that ignore signals, race with their cancel, flood their log or never start."""

import random
import threading

import pytest
from forebay.api import ApiError
from forebay.fake_worker import Ref, exited, gate, launch_failed
from forebay.process import sleep
from forebay.waiting import wait_until


def test_f34_a_process_that_ignores_the_term_signal_is_killed_after_its_grace(env, api, quick_pool, deploy):
    quick_pool()
    deploy("flow/one", "ignore-term", "600")
    env.new_worker("alpha")
    run_id = api.submit("flow/one")
    wait_until(lambda: env.marks.starts(run_id), what="user code began")
    api.cancel(run_id)
    run = api.wait_for_state(run_id, "CANCELLED")
    assert env.marks.of(run_id, "term"), "it was asked before it was killed"
    assert not env.marks.living() and run.attempt_count == 1
    env.checker.check_no_leaks([run_id])
    env.checker.check(api, env.marks)


def test_f34_nothing_of_the_process_tree_survives_a_cancel(env, api, quick_pool, deploy):
    quick_pool()
    deploy("flow/one", "child", "600")
    env.new_worker("alpha")
    run_id = api.submit("flow/one")
    wait_until(lambda: env.marks.starts(run_id), what="user code began")
    api.cancel(run_id)
    api.wait_for_state(run_id, "CANCELLED")
    env.checker.check_no_leaks([run_id])


def test_f34_nothing_of_the_process_tree_survives_the_end(env, api, quick_pool):
    quick_pool()
    api.deploy("flow/one", "alpha", ["/bin/sh", "-c", "setsid sleep 600 & exit 0"])
    env.new_worker("alpha")
    run_id = api.submit("flow/one")
    api.wait_for_state(run_id, "COMPLETED")
    env.checker.check_no_leaks([run_id])


@pytest.mark.parametrize("work", [("quick",), ("sleep", "0.02"), ("sleep", "600")])
def test_f35_a_cancel_that_races_with_a_real_run(env, api, quick_pool, deploy, repeats, work):
    quick_pool()
    deploy("flow/one", *work)
    env.new_worker("alpha", limit=8)
    dice = random.Random(35)

    def race(_):
        run_id = api.submit("flow/one")
        sleep(dice.uniform(0, 0.06))
        try:
            api.cancel(run_id)
        except ApiError as error:
            assert error.reason == "RUN_FINISHED", error

    threads = [threading.Thread(target=lambda: [race(n) for n in range(repeats(8, 850))]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for submitted in api.submitted:
        api.wait_for_state(submitted.run_id, "CANCELLED", "COMPLETED")
    env.checker.check(api, env.marks)
    env.checker.check_no_leaks([submitted.run_id for submitted in api.submitted])
    env.checker.check(api, env.marks)


def test_f35_a_cancel_that_races_with_the_reports_of_a_worker(env, api, calm_pool, deploy, repeats):
    calm_pool()
    deploy()
    count = repeats(200, 10_000)
    worker = env.fake_worker("alpha", slots=count)
    dice = random.Random(36)

    def finish(assignment):
        verdict = "ACCEPTED"
        for fact in (gate(assignment), exited(assignment.attempt)):
            if verdict in ("ACCEPTED", "STOP"):
                sleep(dice.uniform(0, 0.003))
                verdict = worker.report(fact)[0]
        if verdict == "STOP":
            worker.report(exited(assignment.attempt, None, "SIGNALED", 15))

    def cancel(run_id):
        sleep(dice.uniform(0, 0.006))
        try:
            api.cancel(run_id)
        except ApiError as error:
            assert error.reason == "RUN_FINISHED", error

    for start in range(0, count, 50):
        run_ids = api.submit_many("flow/one", min(50, count - start))
        threads = [threading.Thread(target=cancel, args=(run_id,)) for run_id in run_ids]
        for thread in threads:
            thread.start()
        taken = []
        while any(thread.is_alive() for thread in threads) or api_waits(env):
            for assignment in worker.poll(50, timeout=60).assignments if api_waits(env) else ():
                taken.append(threading.Thread(target=finish, args=(assignment,)))
                taken[-1].start()
        for thread in threads + taken:
            thread.join()
        for run_id in run_ids:
            end_cancelled(api, worker, run_id)
    env.checker.check(api)
    assert env.checker.value("SELECT count(*) FROM held_attempts") == 0


def api_waits(env) -> bool:
    return env.checker.value("SELECT count(*) FROM queued_runs") > 0


def end_cancelled(api, worker, run_id):
    """Confirms that nothing runs, for attempts whose cancel came between their last two reports."""
    run = api.run(run_id, full=True)
    if run.state.type == 5:
        attempt = run.attempts[-1]
        worker.report(exited(Ref(run_id=run_id, attempt=attempt.number, epoch=attempt.epoch), None, "SIGNALED", 15))
    api.wait_for_state(run_id, "CANCELLED", "COMPLETED")


def test_f41_a_flood_is_limited_and_marked_and_its_neighbours_are_whole(env, api, quick_pool, deploy):
    quick_pool()
    deploy("flow/flood", "flood", "3")
    deploy("flow/calm", "lines", "2000")
    env.new_worker("alpha", limit=4, arguments=("--log-rate-bytes", "50000", "--log-burst-bytes", "100000"))
    flood = api.submit("flow/flood")
    wait_until(lambda: env.marks.starts(flood), what="the flood began")
    calm = api.submit_many("flow/calm", 3)
    for run_id in calm:
        api.wait_for_state(run_id, "COMPLETED")
        assert api.output(run_id) == [f"line {number} of 2000" for number in range(2000)]
    api.wait_for_end(flood)
    lines = api.log(flood)
    dropped = sum(line.entry.dropped_lines for line in lines)
    assert dropped > 0
    kept = sum(len(line.entry.text) for line in lines)
    assert kept < 2_000_000, "50 kB/s for 3 s and a burst of 100 kB"
    env.checker.check(api, env.marks)


def test_f42_a_deployment_whose_runs_never_start_is_quarantined_and_the_queue_moves_on(env, api, quick_pool, deploy):
    quick_pool()
    deploy("flow/poison")
    deploy("flow/good")
    worker = env.fake_worker("alpha", slots=100, beating=True)
    stop = threading.Event()

    def serve():
        while not stop.is_set():
            for assignment in worker.poll(10).assignments:
                if assignment.deployment == "flow/poison":
                    worker.report(launch_failed(assignment.attempt, "NO_SPACE", True))
                else:
                    worker.complete(assignment)

    threading.Thread(target=serve, daemon=True).start()
    poison = [api.submit("flow/poison") for _ in range(4)]
    for _ in range(5):
        api.wait_for_state(api.submit("flow/good"), "COMPLETED")
    for run_id in poison[:3]:
        run = api.wait_for_state(run_id, "CRASHED")
        assert run.state.reason == "QUARANTINED" and run.attempt_count == 5
    quarantined = wait_until(
        lambda: api.DeploymentService.GetDeployment(name="flow/poison").deployment.quarantine_reason, what="quarantine"
    )
    assert quarantined
    waiting = api.submit("flow/poison")
    assert "quarantine" in api.run(waiting).waiting_reason
    api.wait_for_state(api.submit("flow/good"), "COMPLETED")
    resumed = api.DeploymentService.ResumeDeployment(name="flow/poison").deployment
    assert not resumed.quarantine_reason
    wait_until(lambda: api.run(waiting).attempt_count > 0, what="a resumed deployment's runs are tried again")
    stop.set()
    env.checker.check(api)


def test_f42_a_command_that_does_not_exist_fails_once_and_says_so(env, api, quick_pool):
    quick_pool()
    api.deploy("flow/one", "alpha", ["/nowhere/at-all"])
    env.new_worker("alpha")
    run = api.wait_for_state(api.submit("flow/one"), "FAILED", "CRASHED")
    assert run.state.reason == "COMMAND_NOT_FOUND" and "/nowhere/at-all" in run.state.message
    assert run.attempt_count == 1
