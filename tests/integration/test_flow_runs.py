"""Submission, lists, watching, cancelling and deleting of flow runs through the API, with a worker that the test plays."""

import json
import threading
import time
import uuid

import pytest
from forebay import protocol
from forebay.api import ApiError
from forebay.fake_worker import gate
from google.protobuf import timestamp_pb2


@pytest.fixture
def pool(api):
    api.create_pool("alpha")
    return api.deploy("flow/one", "alpha", ["true"], parameters='{"path": ".", "top": 5}', tags=["nightly"])


def test_a_run_is_accepted_waits_and_says_why(api, pool):
    run_id = api.submit("flow/one", parameters='{"top": 3}', tags=["mine"])
    run = api.run(run_id)
    assert uuid.UUID(run_id).version == 7
    assert json.loads(run.parameters) == {"path": ".", "top": 3}
    assert protocol.STATES[run.state.type] == "SCHEDULED"
    assert "worker" in run.waiting_reason
    assert set(run.tags) == {"nightly", "mine"}
    assert run.display_name and run.creator and run.flow == "flow" and run.work_queue.endswith("/queues/default")


@pytest.mark.parametrize(
    "fields, reason",
    [
        ({"parameters": "{top: 3}"}, "INVALID_JSON"),
        ({"parameters": "[]"}, "INVALID_JSON"),
        ({"job_variables": '{"nope": 1}'}, "UNKNOWN_JOB_VARIABLE"),
        ({"job_variables": "1"}, "INVALID_JSON"),
    ],
)
def test_what_is_wrong_with_a_submission_is_named(env, api, pool, fields, reason):
    with pytest.raises(ApiError) as refused:
        api.submit("flow/one", **fields)
    assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", reason)
    assert env.checker.value("SELECT count(*) FROM flow_runs") == 0


def test_the_same_key_and_payload_answers_the_first_run(api, pool):
    first = api.FlowRunService.CreateFlowRun(deployment="flow/one", idempotency_key="k", parameters='{"top": 1}')
    second = api.FlowRunService.CreateFlowRun(deployment="flow/one", idempotency_key="k", parameters='{"top": 1}')
    assert (first.existed, second.existed) == (False, True)
    assert first.flow_run.name == second.flow_run.name
    with pytest.raises(ApiError) as refused:
        api.FlowRunService.CreateFlowRun(deployment="flow/one", idempotency_key="k", parameters='{"top": 2}')
    assert (refused.value.code, refused.value.reason) == ("ALREADY_EXISTS", "IDEMPOTENCY_KEY_REUSED")


def test_racing_submissions_of_one_key_make_one_run(env, api, pool):
    def submit():
        for key in range(20):
            api.submit("flow/one", idempotency_key=f"key-{key}")

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(api.submitted) == 160
    assert env.checker.value("SELECT count(*) FROM flow_runs") == 20
    env.checker.check(api)


def test_a_batch_accepts_and_refuses_each_request_on_its_own(api, pool):
    request = protocol.message("CreateFlowRunRequest")
    items = api.FlowRunService.BatchCreateFlowRuns(
        requests=[
            request(deployment="flow/one"),
            request(deployment="flow/none"),
            request(deployment="flow/one", parameters="x"),
            request(deployment="flow/one", idempotency_key="same"),
            request(deployment="flow/one", idempotency_key="same"),
        ]
    ).items
    assert [item.error_reason for item in items] == ["", "DEPLOYMENT_NOT_FOUND", "INVALID_JSON", "", ""]
    assert items[3].name == items[4].name and items[4].existed
    with pytest.raises(ApiError) as refused:
        api.FlowRunService.BatchCreateFlowRuns(requests=[request(deployment="flow/one")] * 1001)
    assert refused.value.code == "INVALID_ARGUMENT"


def test_a_run_that_is_due_later_waits_for_its_time(env, api, pool):
    due = timestamp_pb2.Timestamp()
    due.FromNanoseconds(time.time_ns() + 1_500_000_000)
    run_id = api.submit("flow/one", due_time=due)
    worker = env.fake_worker("alpha")
    (assignment,) = worker.take()
    assert assignment.attempt.run_id == run_id
    granted = env.checker.value("SELECT extract(epoch FROM granted_at) FROM held_attempts")
    assert float(granted) >= due.ToNanoseconds() / 1e9


def test_the_whole_life_of_a_run_is_told(env, api, pool):
    run_id = api.submit("flow/one")
    worker = env.fake_worker("alpha", name="somebody")
    (assignment,) = worker.take()
    assert api.state(run_id) == "PENDING"
    assert worker.report(gate(assignment)) == ["ACCEPTED"]
    assert api.state(run_id) == "RUNNING"
    assert worker.complete(assignment)[-1] == "ACCEPTED"
    run = api.run(run_id, full=True)
    assert protocol.STATES[run.state.type] == "COMPLETED" and run.exit_code == 0
    assert [protocol.STATES[state.type] for state in run.states] == ["SCHEDULED", "PENDING", "RUNNING", "COMPLETED"]
    (attempt,) = run.attempts
    assert (attempt.number, attempt.worker_name) == (1, "somebody")
    assert run.start_time.ToNanoseconds() <= run.end_time.ToNanoseconds()
    env.checker.check(api)


def test_a_nonzero_exit_code_is_a_failure(env, api, pool):
    run_id = api.submit("flow/one")
    worker = env.fake_worker("alpha")
    worker.complete(worker.take()[0], exit_code=7)
    run = api.run(run_id)
    assert protocol.STATES[run.state.type] == "FAILED" and run.exit_code == 7


def test_watching_answers_when_the_run_changes(env, api, pool):
    run_id = api.submit("flow/one")
    version = api.run(run_id).version
    seen = []

    def watch():
        seen.append(api.FlowRunService.WatchFlowRun(name=f"flowRuns/{run_id}", known_version=version).flow_run)

    watcher = threading.Thread(target=watch)
    watcher.start()
    env.fake_worker("alpha").take()
    watcher.join()
    assert protocol.STATES[seen[0].state.type] == "PENDING"
    assert seen[0].version > version


def test_a_waiting_run_is_cancelled_at_once_and_is_never_granted(env, api, pool):
    cancelled, other = api.submit("flow/one"), api.submit("flow/one")
    assert protocol.STATES[api.cancel(cancelled).state.type] == "CANCELLED"
    assert env.fake_worker("alpha").take()[0].attempt.run_id == other
    with pytest.raises(ApiError, match="RUN_FINISHED"):
        api.cancel(cancelled)


def test_a_finished_run_is_deleted_with_its_log_and_a_live_one_is_not(env, api, pool):
    run_id = api.submit("flow/one")
    with pytest.raises(ApiError, match="RUN_NOT_FINISHED"):
        api.FlowRunService.DeleteFlowRun(name=f"flowRuns/{run_id}")
    worker = env.fake_worker("alpha")
    (assignment,) = worker.take()
    worker.report(gate(assignment))
    worker.append(assignment.attempt, 0, "one", "two")
    worker.complete(assignment)
    api.FlowRunService.DeleteFlowRun(name=f"flowRuns/{run_id}")
    with pytest.raises(ApiError, match="FLOW_RUN_NOT_FOUND"):
        api.run(run_id)
    assert env.checker.value("SELECT count(*) FROM run_logs") == 0


def test_lists_are_filtered_newest_first_and_paged(env, api, pool):
    run_ids = [api.submit("flow/one") for _ in range(5)]
    api.cancel(run_ids[1])

    def listed(**filters):
        ids, token = [], ""
        while True:
            page = api.FlowRunService.ListFlowRuns(page_size=2, page_token=token, **filters)
            ids += [run.name.removeprefix("flowRuns/") for run in page.flow_runs]
            token = page.next_page_token
            if not token:
                return ids

    assert listed() == list(reversed(run_ids))
    states = protocol.enum("StateType")
    assert listed(states=[states["CANCELLED"]]) == [run_ids[1]]
    assert listed(deployment="flow/one", work_pool="workPools/alpha", states=[states["SCHEDULED"]]) == [
        run_id for run_id in reversed(run_ids) if run_id != run_ids[1]
    ]


@pytest.mark.parametrize("name", ["flowRuns/nope", "nope", "", "flowRuns/00000000-0000-0000-0000-000000000000"])
def test_a_run_that_does_not_exist_is_said_so(api, pool, name):
    with pytest.raises(ApiError) as refused:
        api.FlowRunService.GetFlowRun(name=name)
    assert refused.value.reason in ("FLOW_RUN_NOT_FOUND", "INVALID_NAME")
