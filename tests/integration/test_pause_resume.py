"""Runs set aside and brought back, and stops at every stage."""

import pytest
from forebay import protocol
from forebay.api import ApiError
from forebay.fake_worker import STOPS, exited, gate, launched, launching
from forebay.waiting import wait_until
from google.protobuf import duration_pb2

WAITING = protocol.enum("WaitingCause")


@pytest.fixture
def pool(api):
    return api.create_pool("alpha")


def pause(api, run_id):
    return api.FlowRunService.PauseFlowRun(name=run_id).flow_run


def resume(api, run_id):
    return api.FlowRunService.ResumeFlowRun(name=run_id).flow_run


def test_a_waiting_run_that_is_paused_is_passed_over_until_it_is_resumed(env, api, pool):
    api.deploy("flow/one", "alpha", ["true"])
    first, second = api.submit("flow/one"), api.submit("flow/one")
    run = pause(api, first)
    assert run.state.name == "Paused" and run.waiting.cause == WAITING["RUN_PAUSED"]
    assert pause(api, first).state.name == "Paused"
    worker = env.fake_worker("alpha")
    assert [a.attempt.run_id for a in worker.take(1)] == [second]
    poll = worker.start_take(1)
    assert resume(api, first).state.type in (protocol.enum("StateType")["SCHEDULED"], protocol.enum("StateType")["PENDING"])
    (assignment,) = poll.result()
    assert assignment.attempt.run_id == first and assignment.attempt.attempt == 1
    env.checker.check(api)


def test_a_running_run_is_suspended_and_goes_on_with_a_fresh_attempt(env, api, pool):
    api.deploy("flow/one", "alpha", ["sh", "-c", "echo begun; exec sleep 600"])
    run_id = api.submit("flow/one")
    env.new_worker("alpha")
    api.wait_for_state(run_id, "RUNNING")
    pause(api, run_id)
    run = api.wait_for_state(run_id, "PAUSED")
    assert run.state.name == "Suspended" and run.attempt_count == 1
    resume(api, run_id)
    again = api.wait_for_state(run_id, "RUNNING")
    assert again.attempt_count == 2
    api.cancel(run_id)
    api.wait_for_state(run_id, "CANCELLED")
    names = [state.name for state in api.run(run_id, full=True).states]
    assert names.index("Suspending") < names.index("Suspended") < names.index("Cancelling")
    assert api.output(run_id) == ["begun", "begun"]
    env.checker.check(api)


def test_a_run_that_is_being_suspended_is_not_resumed_before_it_is(env, api, pool):
    api.deploy("flow/one", "alpha", ["true"])
    run_id = api.submit("flow/one")
    worker = env.fake_worker("alpha")
    (assignment,) = worker.take(1)
    ref = assignment.attempt
    worker.report(launching(ref), launched(ref), gate(assignment))
    poll = worker.start_poll()
    assert pause(api, run_id).state.name == "Suspending"
    (stop,) = poll.result().stops
    assert STOPS[stop.reason] == "SUSPENDED"
    with pytest.raises(ApiError) as refused:
        resume(api, run_id)
    assert refused.value.reason == "RUN_SUSPENDING"
    # A cancel overrules it.
    api.cancel(run_id)
    assert api.state(run_id) == "CANCELLING"
    with pytest.raises(ApiError) as late:
        pause(api, run_id)
    assert late.value.reason == "RUN_CANCELLING"
    worker.report(exited(ref, None, "SIGNALED", signal=15))
    assert api.state(run_id) == "CANCELLED"
    for call in (pause, resume):
        with pytest.raises(ApiError) as over:
            call(api, run_id)
        assert (over.value.code, over.value.reason) == ("FAILED_PRECONDITION", "RUN_FINISHED")


def test_a_granted_run_that_is_suspended_never_starts(env, api, pool):
    api.deploy("flow/one", "alpha", ["true"])
    run_id = api.submit("flow/one")
    worker = env.fake_worker("alpha")
    (assignment,) = worker.take(1)
    pause(api, run_id)
    assert worker.report(launching(assignment.attempt), launched(assignment.attempt), gate(assignment))[2] == "STOP"
    worker.report(exited(assignment.attempt, None, "NEVER_STARTED"))
    assert api.run(run_id).state.name == "Suspended"
    poll = worker.start_take(1)
    resume(api, run_id)
    assert poll.result()[0].attempt.attempt == 2


def test_a_cancel_carries_its_own_grace(env, api, pool):
    api.deploy("flow/one", "alpha", ["true"])
    run_id = api.submit("flow/one")
    worker = env.fake_worker("alpha")
    (assignment,) = worker.take(1)
    poll = worker.start_poll()
    api.FlowRunService.CancelFlowRun(name=run_id, grace=duration_pb2.Duration(seconds=7))
    (stop,) = poll.result().stops
    assert stop.grace.seconds == 7
    # Whatever the worker says of it is answered with the same.
    assert worker.append(assignment.attempt, 0, "line").stop_grace.seconds == 7
    facts = [launching(assignment.attempt)]
    (result,) = worker.api.WorkerService.ReportAttempts(worker_id=worker.worker_id, reports=facts).results
    assert protocol.enum("ReportVerdict")["STOP"] == result.verdict and result.stop_grace.seconds == 7
    with pytest.raises(ApiError) as refused:
        api.FlowRunService.CancelFlowRun(name=run_id, grace=duration_pb2.Duration(seconds=4000))
    assert refused.value.reason == "OUT_OF_RANGE"
    worker.report(exited(assignment.attempt, None, "NEVER_STARTED"))
    assert api.state(run_id) == "CANCELLED"


def test_a_command_that_ignores_sigterm_is_killed_after_the_grace_asked_for(env, api, pool):
    api.deploy("flow/one", "alpha", ["sh", "-c", "trap '' TERM; echo begun; while :; do sleep 0.1; done"])
    run_id = api.submit("flow/one")
    env.new_worker("alpha")
    api.wait_for_state(run_id, "RUNNING")
    # The pool's own grace is 30 s.
    api.FlowRunService.CancelFlowRun(name=run_id, grace=duration_pb2.Duration(nanos=300_000_000))
    run = api.wait_for_state(run_id, "CANCELLED")
    attempt = api.run(run_id, full=True).attempts[0]
    assert attempt.end_time.ToMilliseconds() - attempt.cancel_request_time.ToMilliseconds() < 25_000, run


def test_lists_know_paused_and_late_runs(env, api):
    api.create_pool("alpha", late_after=1000)
    api.deploy("flow/one", "alpha", ["true"], tags=["nightly"])
    api.deploy("second/two", "alpha", ["true"])
    late, paused = api.submit("flow/one"), api.submit("second/two")
    pause(api, paused)
    states = protocol.enum("StateType")

    def listed(**fields):
        return [run.name.removeprefix("flowRuns/") for run in api.FlowRunService.ListFlowRuns(**fields).flow_runs]

    assert listed(states=[states["PAUSED"]]) == [paused]
    wait_until(lambda: api.run(late).state.name == "Late", what="the run is late")
    assert listed(late=True) == [late]
    assert listed(tags=["nightly"]) == [late]
    assert listed(flow="second") == [paused]
    assert listed(work_pool="workPools/alpha", work_queue="default") == [paused, late]
    assert listed(states=[states["SCHEDULED"], states["PAUSED"]]) == [paused, late]
    with pytest.raises(ApiError) as refused:
        listed(work_queue="default")
    assert refused.value.reason == "WORK_POOL_MISSING"
