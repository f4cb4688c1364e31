"""Runs that are tried again by their own policy, timeouts, and retries by hand."""

import pytest
from forebay import protocol
from forebay.api import ApiError
from forebay.fake_worker import exited, gate, launch_failed, launched, launching
from google.protobuf import duration_pb2

CAUSES = protocol.enum("RetryCause")
WAITING = protocol.enum("WaitingCause")
Retry = protocol.message("RetryPolicy")


@pytest.fixture
def pool(api):
    return api.create_pool("alpha")


def delays(*seconds):
    return [duration_pb2.Duration(seconds=int(s), nanos=int(s % 1 * 1e9)) for s in seconds]


def fail(worker, assignment, code=1):
    assert worker.complete(assignment, exit_code=code)[-1] == "ACCEPTED"


def test_a_failure_is_tried_again_as_often_as_the_deployment_says(env, api, pool):
    api.deploy("flow/one", "alpha", ["false"], retry=Retry(retries=2))
    run_id = api.submit("flow/one")
    worker = env.fake_worker("alpha")
    for number in (1, 2, 3):
        (assignment,) = worker.take(1)
        assert assignment.attempt.attempt == number
        worker.append(assignment.attempt, 0, f"line of attempt {number}")
        fail(worker, assignment)
    run = api.run(run_id, full=True)
    assert run.state.name == "Failed" and run.attempt_count == 3
    assert [attempt.outcome.name for attempt in run.attempts] == ["Failed"] * 3
    # No attempt's log is lost.
    assert api.output(run_id) == [f"line of attempt {n}" for n in (1, 2, 3)]
    names = [state.name for state in run.states]
    assert names == ["Scheduled", *["Pending", "Running", "AwaitingRetry"] * 2, "Pending", "Running", "Failed"]
    env.checker.check(api)


def test_a_retry_waits_its_delay_and_says_so(env, api, pool):
    api.deploy("flow/one", "alpha", ["false"], retry=Retry(retries=5, delays=delays(0.3, 3600)))
    run_id = api.submit("flow/one")
    worker = env.fake_worker("alpha")
    fail(worker, worker.take(1)[0])
    fail(worker, worker.take(1)[0])
    first, second = api.run(run_id, full=True).attempts
    assert second.grant_time.ToMilliseconds() - first.end_time.ToMilliseconds() >= 295
    run = api.run(run_id)
    assert run.state.name == "AwaitingRetry" and run.waiting.cause == WAITING["RETRY_DELAY"]
    assert 3500 < run.waiting.until.seconds - second.end_time.seconds <= 3601
    assert run.state.reason == "EXIT_CODE"
    api.cancel(run_id)
    assert api.state(run_id) == "CANCELLED"


def test_only_the_causes_that_are_named_are_tried_again(env, api, pool):
    on = [CAUSES["CRASHED"], CAUSES["LAUNCH_FAILED"]]
    api.deploy("flow/one", "alpha", ["x"], retry=Retry(retries=9, on=on))
    worker = env.fake_worker("alpha")
    run_id = api.submit("flow/one")
    (first,) = worker.take(1)
    worker.report(launching(first.attempt), launch_failed(first.attempt, "COMMAND_NOT_FOUND", retryable=False))
    (second,) = worker.take(1)
    ref = second.attempt
    worker.report(launching(ref), launched(ref), gate(second), exited(ref, None, "SIGNALED", signal=9))
    (third,) = worker.take(1)
    assert third.attempt.attempt == 3
    fail(worker, third)
    run = api.run(run_id, full=True)
    assert [attempt.outcome.name for attempt in run.attempts] == ["Failed", "Crashed", "Failed"]
    assert run.state.name == "Failed"


def test_crash_retries_are_used_before_the_policys(env, api, pool):
    api.deploy("flow/one", "alpha", ["x"], crash_retries=1, retry=Retry(retries=1, on=[CAUSES["CRASHED"]]))
    worker = env.fake_worker("alpha")
    run_id = api.submit("flow/one")
    for _ in range(3):
        (assignment,) = worker.take(1)
        ref = assignment.attempt
        worker.report(launching(ref), launched(ref), gate(assignment), exited(ref, None, "SIGNALED", signal=9))
    run = api.wait_for_end(run_id)
    assert run.state.name == "Crashed" and run.attempt_count == 3


def test_an_attempt_that_runs_too_long_is_stopped_and_tried_again(env, api, pool):
    api.deploy(
        "flow/one", "alpha", ["sleep", "600"], timeout=duration_pb2.Duration(seconds=1), retry=Retry(retries=1)
    )
    run_id = api.submit("flow/one")
    env.new_worker("alpha")
    run = api.wait_for_end(run_id)
    assert (run.state.name, run.state.reason) == ("TimedOut", "TIMED_OUT")
    run = api.run(run_id, full=True)
    assert [attempt.outcome.name for attempt in run.attempts] == ["TimedOut", "TimedOut"]
    assert "TimingOut" in [state.name for state in run.states]
    env.checker.check(api)


def test_a_retry_by_hand_is_a_new_run_with_the_same_parameters(env, api, pool):
    api.deploy("flow/one", "alpha", ["x"], parameters='{"a": 1, "b": 2}', tags=["t"])
    old = api.submit("flow/one", parameters='{"b": 3}', tags=["u"])
    worker = env.fake_worker("alpha")
    fail(worker, worker.take(1)[0])
    # The deployment's own change does not reach into what is repeated.
    api.deploy("flow/one", "alpha", ["x"], parameters='{"c": 4}')
    request = "0190c1e4-7f3a-7000-8000-000000000001"
    new = api.FlowRunService.RetryFlowRun(name=old, request_id=request).flow_run
    assert new.retry_of == f"flowRuns/{old}" and new.name != new.retry_of
    assert new.parameters == '{"a":1,"b":3}' and sorted(new.tags) == ["t", "u"]
    again = api.FlowRunService.RetryFlowRun(name=old, request_id=request).flow_run
    assert again.name == new.name
    assert api.state(old) == "FAILED"
    worker.complete(worker.take(1)[0])
    assert api.state(new.name.removeprefix("flowRuns/")) == "COMPLETED"


def test_what_is_not_over_or_completed_is_not_retried(env, api, pool):
    api.deploy("flow/one", "alpha", ["x"])
    run_id = api.submit("flow/one")
    for reason in ("RUN_NOT_FINISHED", "RUN_COMPLETED"):
        with pytest.raises(ApiError) as refused:
            api.FlowRunService.RetryFlowRun(name=run_id)
        assert (refused.value.code, refused.value.reason) == ("FAILED_PRECONDITION", reason)
        assert refused.value.metadata["next"]
        if reason == "RUN_NOT_FINISHED":
            worker = env.fake_worker("alpha")
            worker.complete(worker.take(1)[0])


def test_policies_out_of_range_are_refused(env, api, pool):
    cases = [
        ({"retry": Retry(retries=-1)}, "retry.retries"),
        ({"retry": Retry(retries=101)}, "retry.retries"),
        ({"retry": Retry(retries=1, jitter=1.5)}, "retry.jitter"),
        ({"retry": Retry(retries=1, delays=delays(-1))}, "retry.delays"),
        ({"retry": Retry(retries=1, delays=delays(8 * 86400))}, "retry.delays"),
        ({"retry": Retry(retries=1, on=[17])}, "retry.on"),
        ({"timeout": duration_pb2.Duration(nanos=1)}, "timeout"),
    ]
    for fields, field in cases:
        with pytest.raises(ApiError) as refused:
            api.deploy("flow/bad", "alpha", ["x"], **fields)
        assert (refused.value.code, refused.value.metadata["field"]) == ("INVALID_ARGUMENT", field)
