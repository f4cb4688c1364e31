"""F14, F15, F20, F43: the server is killed inside its transactions, the database restarts, the server is drained."""

import threading

import pytest
from forebay.api import ApiError
from forebay.fake_worker import exited, gate
from forebay.hold_point import HoldPoint
from forebay.process import sleep
from forebay.waiting import wait_until


def test_f14_a_server_killed_inside_the_grant_leaks_nothing(env, api, quick_pool, deploy):
    quick_pool(limit=3)
    deploy()
    run_ids = api.submit_many("flow/one", 3)
    worker = env.fake_worker("alpha")
    with HoldPoint(env.database_url, "grant") as hold:
        poll = worker.start_poll(3, timeout=20)
        hold.wait_until_reached()
        env.server.kill()
        hold.release()
    assert poll.exception().code().name == "UNAVAILABLE"
    wait_until(lambda: not env.checker.rows(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
    ), what="the dead server's sessions are over")  # fmt: skip
    env.checker.check(api)
    env.restart_server()
    env.new_worker("alpha")
    for run_id in run_ids:
        api.wait_for_state(run_id, "COMPLETED")
        assert len(env.marks.starts(run_id)) == 1
    env.checker.check(api, env.marks, pool_limits={"alpha": 3})


def test_f14_a_server_killed_inside_a_submission_has_accepted_nothing_or_all_of_it(env, api, quick_pool, deploy):
    quick_pool()
    deploy()
    failures = []

    def submit():
        try:
            api.FlowRunService.CreateFlowRun(deployment="flow/one", idempotency_key="once", timeout=20)
        except ApiError as error:
            failures.append(error.code)

    with HoldPoint(env.database_url, "accept") as hold:
        submitter = threading.Thread(target=submit)
        submitter.start()
        hold.wait_until_reached()
        env.server.kill()
        hold.release()
        submitter.join()
    assert failures
    env.restart_server()
    run_id = api.submit("flow/one", idempotency_key="once")
    assert env.checker.value("SELECT count(*) FROM flow_runs") == 1
    env.new_worker("alpha")
    api.wait_for_state(run_id, "COMPLETED")
    env.checker.check(api, env.marks)


@pytest.mark.parametrize("point", ["gate", "end"])
def test_f15_a_report_cut_short_by_the_servers_death_is_applied_once(env, api, quick_pool, deploy, point):
    quick_pool(lease_ttl=10000, crash_after=30000)
    deploy("flow/one", "exit", "5")
    env.new_worker("alpha")
    with HoldPoint(env.database_url, point) as hold:
        run_id = api.submit("flow/one")
        hold.wait_until_reached()
        env.server.kill()
        hold.release()
    env.restart_server()
    run = api.wait_for_end(run_id)
    assert (run.exit_code, run.attempt_count) == (5, 1)
    env.checker.check(api, env.marks)


def test_f15_a_server_killed_again_and_again_under_load(env, api, quick_pool, deploy, repeats):
    quick_pool(lease_ttl=10000, crash_after=30000)
    deploy()
    env.new_worker("alpha", limit=8)
    for _ in range(repeats(5, 50)):
        api.submit_many("flow/one", 20)
        sleep(0.3)
        env.restart_server()
    for submitted in api.submitted:
        api.wait_for_state(submitted.run_id, "COMPLETED")
        assert len(env.marks.starts(submitted.run_id)) == 1
    env.checker.check(api, env.marks)


@pytest.mark.parametrize("how", ["stop", "crash"])
def test_f20_a_database_restart_loses_nothing_that_was_acknowledged(env, api, quick_pool, deploy, how):
    quick_pool(lease_ttl=10000, crash_after=30000)
    deploy("flow/one", "sleep", "0.2")
    env.new_worker("alpha", limit=4)
    stop = threading.Event()
    refused = []

    def submit():
        while not stop.is_set():
            try:
                api.submit("flow/one")
            except ApiError as error:
                refused.append(error)
                sleep(0.1)
            sleep(0.01)

    submitter = threading.Thread(target=submit)
    submitter.start()
    wait_until(lambda: len(api.submitted) > 20, what="runs flow")
    getattr(env.postgres, how)()
    wait_until(lambda: refused, what="a refusal while the database is away")
    env.postgres.start()
    count = len(api.submitted)
    wait_until(lambda: len(api.submitted) > count + 20, what="runs flow again")
    stop.set()
    submitter.join()
    assert {error.code for error in refused} <= {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}, refused
    for submitted in api.submitted:
        api.wait_for_state(submitted.run_id, "COMPLETED", deadline=120)
        assert len(env.marks.starts(submitted.run_id)) == 1
    env.checker.check(api, env.marks)


def test_f43_a_server_told_to_stop_answers_its_parked_polls_and_ends(env, api, quick_pool, deploy):
    quick_pool()
    deploy()
    worker = env.fake_worker("alpha")
    poll = worker.start_poll()
    wait_until(lambda: api.ServerService.GetServerStatus().parked_polls == 1, what="the poll is parked")
    assert env.server.terminate() == 0
    try:
        assert not poll.result().assignments
    except Exception as error:
        assert error.code().name == "UNAVAILABLE"


def test_f43_runs_go_on_while_the_server_is_away(env, api, quick_pool, deploy):
    quick_pool(lease_ttl=10000, crash_after=30000)
    deploy("flow/one", "sleep", "2")
    env.new_worker("alpha")
    run_id = api.submit("flow/one")
    wait_until(lambda: env.marks.starts(run_id), what="user code began")
    assert env.server.terminate() == 0
    wait_until(lambda: env.marks.of(run_id, "end"), what="user code ended")
    env.restart_server()
    run = api.wait_for_end(run_id)
    assert (api.state(run_id), run.attempt_count) == ("COMPLETED", 1)
    env.checker.check(api, env.marks)


def test_f43_a_drained_worker_finishes_what_it_holds_and_takes_nothing_new(env, api, quick_pool, deploy):
    quick_pool()
    deploy("flow/slow", "sleep", "2")
    deploy("flow/quick")
    worker = env.new_worker("alpha")
    slow = api.submit("flow/slow")
    wait_until(lambda: env.marks.starts(slow), what="user code began")
    worker.signal(15)
    draining = "SELECT draining FROM workers WHERE id = %s"
    wait_until(lambda: env.checker.value(draining, worker.worker_id), what="the server knows of the drain")
    quick = api.submit("flow/quick")
    assert worker.wait() == 0
    assert (api.state(slow), api.state(quick)) == ("COMPLETED", "SCHEDULED")
    listed = api.FleetService.ListWorkers(include_offline=True).workers
    assert [w.name for w in listed] == [f"workers/{worker.worker_id}"] and listed[0].status == 3
    env.checker.check(api, env.marks)


def test_f43_a_second_term_signal_stops_the_runs(env, api, quick_pool, deploy):
    quick_pool()
    deploy("flow/slow", "sleep", "600")
    worker = env.new_worker("alpha")
    run_id = api.submit("flow/slow")
    wait_until(lambda: env.marks.starts(run_id), what="user code began")
    worker.signal(15)
    draining = "SELECT draining FROM workers WHERE id = %s"
    wait_until(lambda: env.checker.value(draining, worker.worker_id), what="the server knows of the drain")
    worker.signal(15)
    worker.wait()
    api.wait_for_end(run_id)
    env.checker.check(api, env.marks)
    env.checker.check_no_leaks([run_id])


def test_f43_an_operator_drains_a_worker(env, api, calm_pool, deploy):
    calm_pool()
    deploy()
    worker = env.fake_worker("alpha")
    poll = worker.start_poll()
    worker.api.WorkerService.DrainWorker(worker_id=worker.worker_id)
    run_id = api.submit("flow/one")
    assert not poll.result().assignments
    assert api.state(run_id) == "SCHEDULED"
    worker.api.WorkerService.DeregisterWorker(worker_id=worker.worker_id)
    with pytest.raises(ApiError, match="WORKER_UNKNOWN"):
        worker.heartbeat()


def test_a_deregistered_workers_started_attempts_can_be_adopted_at_once(env, api, calm_pool, deploy):
    calm_pool()
    deploy()
    run_id = api.submit("flow/one")
    first, second = env.fake_worker("alpha"), env.fake_worker("alpha")
    (assignment,) = first.take()
    first.report(gate(assignment))
    (held,) = second.adopt(assignment.attempt)
    assert held.verdict == 2 and held.retry_after.ToMilliseconds() > 0
    first.api.WorkerService.DeregisterWorker(worker_id=first.worker_id)
    (adopted,) = second.adopt(assignment.attempt)
    assert adopted.verdict == 1 and adopted.gate_passed
    assert adopted.assignment.attempt.epoch > assignment.attempt.epoch
    assert second.report(exited(adopted.assignment.attempt)) == ["ACCEPTED"]
    assert api.state(run_id) == "COMPLETED"
    (stale,) = second.adopt(assignment.attempt)
    assert stale.verdict == 3
    env.checker.check(api)
