"""The stream of what happened to runs: nothing is missed, nothing comes twice, whatever the place to go on from."""

import pytest
from forebay import protocol
from forebay.api import ApiError
from forebay.fake_worker import exited, gate, launched, launching
from forebay.waiting import wait_until


def told(events) -> list[tuple[str, str, int]]:
    return [(event.flow_run.split("/")[1], event.state.name, event.state.attempt) for event in events]


def now(api) -> str:
    return api.EventService.WatchEvents().cursor


def read(api, cursor: str, **fields) -> list:
    """Everything behind the cursor that can be read by now."""
    found = []
    while True:
        answer = api.EventService.WatchEvents(cursor=cursor, wait={"seconds": 0}, **fields)
        cursor = answer.cursor
        found += answer.events
        if not answer.events:
            return found


def until(api, cursor: str, count: int, **fields) -> list:
    """Follows from the cursor until so many events are there."""
    found = []
    while len(found) < count:
        answer = api.EventService.WatchEvents(cursor=cursor, **fields)
        cursor = answer.cursor
        found += answer.events
    return found


@pytest.fixture
def pool(api):
    return api.create_pool("alpha")


@pytest.fixture
def deployed(api, pool):
    api.deploy("flow/one", "alpha", ["true"])
    return api


def test_a_runs_life_is_told_in_its_order(env, deployed):
    begin = now(deployed)
    run_id = deployed.submit("flow/one")
    worker = env.fake_worker("alpha")
    (assignment,) = worker.take()
    worker.complete(assignment, exit_code=3)
    events = until(deployed, begin, 4)
    assert told(events) == [
        (run_id, "Scheduled", 0), (run_id, "Pending", 1), (run_id, "Running", 1), (run_id, "Failed", 1),
    ]  # fmt: skip
    last = events[-1]
    assert (last.state.reason, last.deployment, last.work_pool) == (
        "EXIT_CODE", "teams/default/flows/flow/deployments/one", "workPools/alpha",
    )  # fmt: skip
    states = deployed.run(run_id, full=True).states
    assert [(s.type, s.name, s.attempt, s.time) for s in states] == [
        (e.state.type, e.state.name, e.state.attempt, e.state.time) for e in events
    ]
    env.checker.check(deployed)


def test_stops_pauses_and_retries_are_told(env, api, pool):
    api.deploy("flow/one", "alpha", ["true"], retry={"retries": 1})
    begin = now(api)
    worker = env.fake_worker("alpha")
    run_id = api.submit("flow/one")
    (first,) = worker.take()
    worker.complete(first, exit_code=1)
    (second,) = worker.take()
    worker.report(launching(second.attempt), launched(second.attempt), gate(second))
    api.FlowRunService.PauseFlowRun(name=f"flowRuns/{run_id}")
    worker.report(exited(second.attempt, None, "SIGNALED", signal=15))
    wait_until(lambda: api.state(run_id) == "PAUSED", what="it is suspended")
    api.FlowRunService.ResumeFlowRun(name=f"flowRuns/{run_id}")
    (third,) = worker.take()
    worker.report(launching(third.attempt), launched(third.attempt), gate(third))
    api.cancel(run_id)
    api.cancel(run_id)
    worker.report(exited(third.attempt, None, "SIGNALED", signal=15))
    names = [name for _, name, _ in told(until(api, begin, 13))]
    assert names == [
        "Scheduled", "Pending", "Running", "AwaitingRetry", "Pending", "Running", "Suspending", "Suspended", "Resuming",
        "Pending", "Running", "Cancelling", "Cancelled",
    ]  # fmt: skip
    env.checker.check(api)


def test_a_watch_is_answered_when_something_happens(env, deployed):
    cursor = now(deployed)
    method = protocol.POOL.FindServiceByName("forebay.v1.EventService").methods_by_name["WatchEvents"]
    call = deployed.start(method, protocol.message("WatchEventsRequest")(cursor=cursor), 60)
    wait_until(lambda: not call.done(), what="the call is under way")
    run_id = deployed.submit("flow/one")
    assert told(call.result().events) == [(run_id, "Scheduled", 0)]


def test_what_a_transaction_under_way_will_say_is_not_jumped_over(env, deployed):
    """An event whose transaction began first and ends last comes before those that were there to read."""
    begin = now(deployed)
    with env.checker.another() as late:
        late.execute("BEGIN")
        late.execute("SELECT pg_current_xact_id()")
        runs = deployed.submit_many("flow/one", 3)
        assert read(deployed, begin) == []
        late.execute("COMMIT")
    assert sorted(run_id for run_id, _, _ in told(until(deployed, begin, 3))) == sorted(runs)


def test_pages_follow_each_other(env, deployed):
    begin = now(deployed)
    runs = deployed.submit_many("flow/one", 25)
    wait_until(lambda: len(read(deployed, begin)) == 25, what="all are told")
    pages = read(deployed, begin, page_size=7)
    assert [event.flow_run.split("/")[1] for event in pages] == [e.flow_run.split("/")[1] for e in read(deployed, begin)]
    assert sorted({run_id for run_id, _, _ in told(pages)}) == sorted(runs)
    # Each event's own cursor is a place to go on from.
    assert read(deployed, pages[9].cursor)[0] == pages[10]


def test_filters(env, deployed):
    deployed.create_pool("beta")
    deployed.deploy("flow/two", "beta", ["true"])
    begin = now(deployed)
    first, second = deployed.submit("flow/one"), deployed.submit("flow/two")
    deployed.cancel(first)
    wait_until(lambda: len(read(deployed, begin)) == 3, what="all are told")
    assert told(read(deployed, begin, deployment="flow/two")) == [(second, "Scheduled", 0)]
    assert told(read(deployed, begin, work_pool="beta")) == [(second, "Scheduled", 0)]
    assert [name for _, name, _ in told(read(deployed, begin, flow_run=first))] == ["Scheduled", "Cancelled"]
    assert told(read(deployed, begin, states=[protocol.enum("StateType")["CANCELLED"]])) == [(first, "Cancelled", 0)]


def test_from_the_oldest(env, deployed):
    run_id = deployed.submit("flow/one")
    wait_until(
        lambda: told(deployed.EventService.WatchEvents(from_oldest=True, wait={"seconds": 0}).events)
        == [(run_id, "Scheduled", 0)],
        what="it is told",
    )


def test_runs_that_changed_come_once_and_as_they_are(env, deployed):
    begin = deployed.FlowRunService.WatchFlowRuns().cursor
    worker = env.fake_worker("alpha")
    done, waiting = deployed.submit("flow/one"), deployed.submit("flow/one")
    (assignment,) = worker.take()
    worker.complete(assignment)
    wait_until(lambda: len(read(deployed, begin)) == 5, what="all are told")
    answer = deployed.FlowRunService.WatchFlowRuns(cursor=begin)
    states = {run.name.split("/")[1]: run.state.name for run in answer.flow_runs}
    assert states == {done: "Completed", waiting: "Scheduled"} and not answer.deleted
    deployed.FlowRunService.DeleteFlowRun(name=f"flowRuns/{done}")
    answer = deployed.FlowRunService.WatchFlowRuns(cursor=answer.cursor)
    assert list(answer.deleted) == [f"flowRuns/{done}"] and not answer.flow_runs


def test_runs_that_a_schedule_takes_back_are_told_as_gone(env, deployed):
    begin = now(deployed)
    schedule = protocol.message("Schedule")(slug="s", cron={"expression": "0 3 * * *"})
    deployed.ScheduleService.CreateSchedule(parent="flow/one", schedule=schedule)
    made = until(deployed, begin, 3)
    deployed.ScheduleService.PauseSchedule(name="flow/one/s")
    gone = until(deployed, made[-1].cursor, 3)
    assert {event.state.name for event in gone} == {"Deleted"}
    assert {event.flow_run for event in gone} == {event.flow_run for event in made}


@pytest.mark.parametrize("cursor", ["x", "1", "1.x", "-1.0", "1.2.3", "99999999999999999999.0"])
def test_a_cursor_of_nobody_is_refused(deployed, cursor):
    with pytest.raises(ApiError, match="INVALID_CURSOR"):
        deployed.EventService.WatchEvents(cursor=cursor)


def test_a_cursor_of_another_database_is_refused(deployed):
    with pytest.raises(ApiError, match="CURSOR_GONE"):
        deployed.EventService.WatchEvents(cursor="999999999999.0")


def test_any_server_goes_on_from_the_cursor_of_any(env, deployed):
    two = env.new_server()
    other = env.new_api(two.address, env.admin_key)
    begin = now(deployed)
    method = protocol.POOL.FindServiceByName("forebay.v1.EventService").methods_by_name["WatchEvents"]
    call = other.start(method, protocol.message("WatchEventsRequest")(cursor=begin), 60)
    run_id = deployed.submit("flow/one")
    events = call.result().events
    assert told(events) == [(run_id, "Scheduled", 0)]
    deployed.cancel(run_id)
    assert told(until(deployed, events[-1].cursor, 1)) == [(run_id, "Cancelled", 0)]
