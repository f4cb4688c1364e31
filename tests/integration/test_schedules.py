"""Runs that schedules make: ahead of time, once each, replaced when something changes, caught up as wanted."""

import datetime
import json

import pytest
from forebay import protocol
from forebay.api import ApiError
from forebay.waiting import wait_until
from google.protobuf import duration_pb2, field_mask_pb2

Schedule = protocol.message("Schedule")
CATCH_UP = protocol.enum("CatchUp")


@pytest.fixture
def pool(api):
    return api.create_pool("alpha")


@pytest.fixture
def deployment(api, pool):
    return api.deploy("flow/one", "alpha", ["true"], parameters='{"a": 1}')


def cron(expression="* * * * *", **fields):
    return Schedule(cron=protocol.message("CronRule")(expression=expression), **fields)


def every(seconds, anchor=None, **fields):
    rule = protocol.message("IntervalRule")(every=duration_pb2.Duration(seconds=seconds))
    if anchor is not None:
        rule.anchor.FromDatetime(anchor)
    return Schedule(interval=rule, **fields)


def create(api, schedule, parent="flow/one"):
    return api.ScheduleService.CreateSchedule(parent=parent, schedule=schedule).schedule


def update(api, name, schedule, *paths):
    schedule.name = name
    mask = field_mask_pb2.FieldMask(paths=paths)
    return api.ScheduleService.UpdateSchedule(schedule=schedule, update_mask=mask).schedule


def made(env, deployment="one", since="clock_timestamp()"):
    """(due, parameters) of the runs that schedules made and that wait; what has become due meanwhile is left out."""
    return env.checker.rows(
        f"""SELECT f.due_at, f.parameters FROM queued_runs w JOIN flow_runs f ON f.id = w.run_id
            JOIN deployments d ON d.id = f.deployment_id
            WHERE f.schedule_id IS NOT NULL AND d.name = %s AND f.due_at > {since} ORDER BY 1""",
        deployment,
    )


def wait_for_made(env, count):
    return wait_until(lambda: len(rows := made(env)) >= count and rows, what=f"{count} runs made ahead")


def test_runs_are_made_ahead_once_each(env, api, deployment):
    schedule = create(api, cron(parameters='{"b": 2}'))
    assert schedule.slug == "cron" and len(schedule.next_fires) == 10
    rows = wait_for_made(env, 59)
    times = [due for due, _ in rows]
    assert len(rows) in (59, 60, 61) and all(b - a == datetime.timedelta(minutes=1) for a, b in zip(times, times[1:]))
    assert rows[0][1] == '{"a":1,"b":2}'
    (listed,) = api.ScheduleService.ListSchedules(parent="flow/one").schedules
    assert listed.name == schedule.name and len(listed.next_fires) == 1
    run = api.FlowRunService.ListFlowRuns(page_size=1).flow_runs[0]
    assert run.schedule == schedule.name
    env.checker.check(api)


def test_a_rare_schedule_has_its_next_three_runs(env, api, deployment):
    create(api, cron("0 1 1 1 *", time_zone="Europe/Berlin"))
    rows = wait_for_made(env, 3)
    assert len(rows) == 3
    berlin = [due.astimezone(datetime.timezone.utc) for due, _ in rows]
    assert [(due.month, due.day, due.hour) for due in berlin] == [(1, 1, 0)] * 3


def test_a_scheduled_run_starts_when_it_is_due(env, api, deployment):
    create(api, every(1))
    worker = env.fake_worker("alpha")
    taken = worker.take(3)
    for assignment in taken:
        run = api.run(assignment.attempt.run_id, full=True)
        late = run.attempts[0].grant_time.ToMicroseconds() - run.due_time.ToMicroseconds()
        assert late >= 0, "granted before it was due"
        worker.complete(assignment)
    env.checker.check(api)


def test_a_change_replaces_what_is_not_due_yet(env, api, deployment):
    name = create(api, cron()).name
    wait_for_made(env, 59)
    update(api, name, cron("0 * * * *"), "rule")
    rows = wait_until(lambda: len(rows := made(env)) == 3 and rows, what="the new runs alone")
    assert all(due.minute == 0 for due, _ in rows)
    update(api, name, Schedule(parameters='{"z": 9}'), "parameters")
    wait_until(lambda: [p for _, p in made(env)] == ['{"a":1,"z":9}'] * 3, what="runs with the new parameters")
    # So does a change of the deployment.
    api.deploy("flow/one", "alpha", ["true"], parameters='{"a": 5}')
    wait_until(lambda: [p for _, p in made(env)] == ['{"a":5,"z":9}'] * 3, what="runs of the new revision")
    assert len(api.FlowRunService.ListFlowRuns(states=[protocol.enum("StateType")["SCHEDULED"]]).flow_runs) in (3, 4, 5)
    env.checker.check(api)


def test_pause_resume_and_delete(env, api, deployment):
    name = create(api, cron(slug="minutely")).name
    wait_for_made(env, 59)
    assert api.ScheduleService.PauseSchedule(name=name).schedule.paused
    assert made(env) == []
    assert not api.ScheduleService.ResumeSchedule(name="flow/one/minutely").schedule.paused
    wait_for_made(env, 59)
    api.ScheduleService.DeleteSchedule(name=name)
    assert made(env) == []
    with pytest.raises(ApiError) as refused:
        api.ScheduleService.GetSchedule(name=name)
    assert refused.value.reason == "SCHEDULE_NOT_FOUND"
    # The slug is free again.
    assert create(api, cron(slug="minutely")).slug == "minutely"


def test_deploying_brings_schedules_along_in_one_step(env, api, pool):
    deployment = protocol.message("Deployment")(name="flow/one", work_pool="workPools/alpha", command=["true"])
    apply = api.DeploymentService.ApplyDeployment
    first = apply(deployment=deployment, schedules=[cron(slug="a"), every(3600, slug="b")]).deployment
    assert [schedule.slug for schedule in first.schedules] == ["a", "b"]
    wait_for_made(env, 62)
    again = apply(deployment=deployment, schedules=[cron("0 * * * *", slug="a")]).deployment
    assert [schedule.slug for schedule in again.schedules] == ["a", "b"]
    wait_until(lambda: len(made(env)) == 6, what="three of each")
    only = apply(deployment=deployment, schedules=[every(7200, slug="b")], replace_schedules=True).deployment
    assert [schedule.slug for schedule in only.schedules] == ["b"]
    with pytest.raises(ApiError):
        apply(
            deployment=protocol.message("Deployment")(name="flow/two", work_pool="workPools/alpha", command=["true"]),
            schedules=[cron("61 * * * *")],
        )
    with pytest.raises(ApiError) as gone:
        api.DeploymentService.GetDeployment(name="flow/two")
    assert gone.value.reason == "DEPLOYMENT_NOT_FOUND", "a bad schedule changes nothing"


def test_deleting_a_deployment_takes_its_future_runs_along(env, api, deployment):
    create(api, cron())
    wait_for_made(env, 59)
    api.DeploymentService.DeleteDeployment(name="flow/one")
    assert made(env) == []
    env.checker.check(api)


def test_a_server_that_was_away_makes_up_what_the_schedule_wants(env, api, deployment):
    ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=3)
    for slug, kind in (("all", "ALL"), ("last", "LAST"), ("skip", "SKIP")):
        api.deploy(f"flow/{slug}", "alpha", ["true"])
        create(api, every(3600, anchor=ago, slug=slug, catch_up=CATCH_UP[kind]), parent=f"flow/{slug}")
    wait_until(lambda: all(len(made(env, slug)) == 3 for slug in ("all", "last", "skip")), what="runs ahead")
    env.server.kill()
    # As if nobody had made runs for three hours and a half.
    env.checker.rows("DELETE FROM schedule_fires RETURNING 1")
    env.checker.rows("DELETE FROM flow_runs WHERE id IN (SELECT run_id FROM queued_runs) RETURNING 1")
    env.checker.rows("DELETE FROM queued_runs RETURNING 1")
    env.checker.rows(
        "UPDATE schedules SET made_until = clock_timestamp() - interval '3 hours 30 minutes', look_at = clock_timestamp() RETURNING 1"
    )
    env.restart_server("kill")
    api.wait_until_served()

    def behind(slug):
        now = datetime.datetime.now(datetime.timezone.utc)
        return len([due for due, _ in made(env, slug, "'-infinity'") if due < now])

    wait_until(lambda: all(len(made(env, slug)) >= 3 for slug in ("all", "last", "skip")), what="runs again")
    assert (behind("all"), behind("last"), behind("skip")) == (4, 1, 1), "skip has the one of this very moment"


def test_runs_that_come_too_late_are_dropped_as_the_schedule_says(env, api, deployment):
    window = duration_pb2.Duration(seconds=2)
    api.deploy("flow/skip", "alpha", ["true"])
    api.deploy("flow/last", "alpha", ["true"])
    create(api, every(1, catch_up=CATCH_UP["SKIP"], catch_up_window=window), parent="flow/skip")
    create(api, every(1, catch_up=CATCH_UP["LAST"], catch_up_window=window), parent="flow/last")

    def ended(reason):
        return env.checker.value("SELECT count(*) FROM flow_runs WHERE state = 'CANCELLED' AND state_reason = %s", reason)

    # There is no worker.
    wait_until(lambda: ended("MISSED") >= 3 and ended("SUPERSEDED") >= 3, what="runs that came too late")
    env.checker.check(api)


def test_upcoming_runs_of_a_pool(env, api, deployment):
    create(api, cron("*/10 * * * *", slug="tens"))
    by_hand = api.submit("flow/one")
    answer = api.WorkPoolService.ListUpcomingRuns(work_pool="alpha", within=duration_pb2.Duration(seconds=4 * 3600))
    assert answer.runs[0].flow_run == f"flowRuns/{by_hand}" and not answer.runs[0].schedule
    fires = [run for run in answer.runs if run.schedule]
    assert len(fires) == 24 and {run.schedule for run in fires} == {
        "teams/default/flows/flow/deployments/one/schedules/tens"
    }
    times = [run.due_time.seconds for run in fires]
    assert times == sorted(set(times))
    assert api.WorkPoolService.ListUpcomingRuns(work_pool="alpha", most=2).truncated
    with pytest.raises(ApiError) as refused:
        api.WorkPoolService.ListUpcomingRuns(work_pool="alpha", within=duration_pb2.Duration(seconds=8 * 86400))
    assert refused.value.reason == "OUT_OF_RANGE"


def test_a_fire_is_in_the_forecast_while_it_becomes_a_run(env, api, deployment):
    ahead = duration_pb2.Duration(seconds=3600)

    def has_a_run(name):
        runs = api.WorkPoolService.ListUpcomingRuns(work_pool="alpha", within=ahead).runs
        assert name in {run.schedule for run in runs}
        return all(run.flow_run for run in runs if run.schedule == name)

    for _ in range(10):
        name = create(api, every(1800)).name
        wait_until(lambda: has_a_run(name), what="runs made ahead", pause=0)


def test_bad_schedules_are_refused_exactly(env, api, deployment):
    far = datetime.datetime(2500, 1, 1)
    recurrence = protocol.message("RecurrenceRule")
    cases = [
        (cron("61 * * * *"), "INVALID_CRON"),
        (cron("* * * *"), "INVALID_CRON"),
        (cron("0 0 31 2 *"), "SCHEDULE_NEVER_FIRES"),
        (every(0), "INVALID_INTERVAL"),
        (every(60, anchor=far), "INVALID_ANCHOR"),
        (Schedule(recurrence=recurrence(text="FREQ=DAILY;INTERVAL=0")), "INVALID_RRULE"),
        (cron(time_zone="Europe/Berlim"), "UNKNOWN_TIME_ZONE"),
        (cron(parameters="[]"), "INVALID_JSON"),
        (cron(slug="Not A Slug"), "INVALID_NAME"),
        (cron(catch_up_window=duration_pb2.Duration(nanos=1)), "OUT_OF_RANGE"),
        (Schedule(), "SCHEDULE_RULE_MISSING"),
    ]
    for schedule, reason in cases:
        with pytest.raises(ApiError) as refused:
            create(api, schedule)
        assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", reason), schedule
    assert list(api.ScheduleService.ListSchedules().schedules) == []
    create(api, cron(slug="one"))
    with pytest.raises(ApiError) as twice:
        create(api, cron(slug="one"))
    assert (twice.value.code, twice.value.reason) == ("ALREADY_EXISTS", "SCHEDULE_EXISTS")


def test_what_a_run_would_be_refused_for_the_schedule_is_refused_for(env, api, deployment):
    for variables in ('{"no_such_variable": 1}', '{"env": 7}', "[]"):
        with pytest.raises(ApiError) as refused:
            create(api, cron(job_variables=variables))
        assert refused.value.code == "INVALID_ARGUMENT", variables
    create(api, cron(job_variables='{"env": {"A": "1"}}'))
    wait_for_made(env, 59)
    with pytest.raises(ApiError, match="no_such_variable"):
        update(api, "flow/one/cron", Schedule(job_variables='{"no_such_variable": 1}'), "job_variables")
    assert len(made(env)) >= 59


def test_a_schedule_whose_runs_are_refused_since_says_so(env, api, deployment):
    create(api, cron(job_variables='{"working_dir": "/tmp"}'))
    wait_for_made(env, 59)
    template = json.loads(api.WorkPoolService.GetWorkPool(name="alpha").work_pool.base_job_template)
    del template["variables"]["properties"]["working_dir"], template["job_configuration"]["working_dir"]
    pool = protocol.message("WorkPool")(name="workPools/alpha", base_job_template=json.dumps(template))
    mask = field_mask_pb2.FieldMask(paths=["base_job_template"])
    api.WorkPoolService.UpdateWorkPool(work_pool=pool, update_mask=mask)
    update(api, "flow/one/cron", Schedule(time_zone="UTC"), "time_zone")
    wait_until(
        lambda: "working_dir" in api.ScheduleService.GetSchedule(name="flow/one/cron").schedule.problem,
        what="the problem is shown",
    )
    assert made(env) == []
    update(api, "flow/one/cron", Schedule(job_variables="{}"), "job_variables")
    wait_for_made(env, 59)
    assert api.ScheduleService.GetSchedule(name="flow/one/cron").schedule.problem == ""
