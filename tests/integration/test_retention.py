"""Old history goes, by weeks where nobody wants it, by runs where pools differ; what is not over stays."""

import pytest
from forebay import protocol
from forebay.api import ApiError
from forebay.waiting import wait_until
from google.protobuf import duration_pb2, field_mask_pb2

DAY = 86400
Retry = protocol.message("RetryPolicy")


def make_older(env, run_id: str, days: int, ended: bool = True) -> str:
    """As if the run had been made, and had `ended`, so many days ago; its id then."""
    (old,) = env.checker.rows(
        """SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp() - %s * interval '1 day') * 1000)::bigint), 12, '0')
                   || substr(replace(%s, '-', ''), 13))::uuid::text""",
        days,
        run_id,
    )[0]
    with env.checker.another() as session:
        session.execute("SELECT ensure_partition(clock_timestamp() - %s * interval '1 day')", (days,))
        session.execute("BEGIN")
        session.execute("UPDATE flow_runs SET id = %s WHERE id = %s", (old, run_id))
        if ended:
            session.execute("UPDATE flow_runs SET ended_at = ended_at - %s * interval '1 day' WHERE id = %s", (days, old))
        for table in ("earlier_attempts", "run_logs", "queued_runs", "held_attempts"):
            session.execute(f"UPDATE {table} SET run_id = %s WHERE run_id = %s", (old, run_id))
        session.execute("UPDATE run_events SET run_id = array_replace(run_id, %s::uuid, %s::uuid)", (run_id, old))
        session.execute("COMMIT")
    return old


def finished(env, deployment="flow/one", pool="alpha") -> str:
    """At its second attempt, so that it has rows in every table of history."""
    run_id = env.api.submit(deployment)
    worker = env.fake_worker(pool)
    (failing,) = worker.take()
    worker.append(failing.attempt, 0, "a line")
    worker.complete(failing, exit_code=1)
    (assignment,) = worker.take()
    worker.complete(assignment)
    worker.api.WorkerService.DeregisterWorker(worker_id=worker.worker_id)
    return run_id


def is_gone(api, run_id: str) -> bool:
    try:
        api.run(run_id)
    except ApiError as error:
        assert error.reason == "FLOW_RUN_NOT_FOUND", error
        return True
    return False


def rows_of(env, run_id: str) -> int:
    return env.checker.value(
        """SELECT (SELECT count(*) FROM flow_runs WHERE id = %s) + (SELECT count(*) FROM earlier_attempts WHERE run_id = %s)
                + (SELECT count(*) FROM run_logs WHERE run_id = %s)""",
        run_id, run_id, run_id,
    )  # fmt: skip


def weeks(env, older_than_days: int) -> int:
    return env.checker.value(
        "SELECT count(*) FROM history_weeks WHERE of_runs AND ends < clock_timestamp() - %s * interval '1 day'", older_than_days
    )


def set_retention(api, pool: str, seconds: int | None):
    changed = protocol.message("WorkPool")(name=f"workPools/{pool}")
    if seconds is not None:
        changed.retention.seconds = seconds
    mask = field_mask_pb2.FieldMask(paths=["retention"])
    return api.WorkPoolService.UpdateWorkPool(work_pool=changed, update_mask=mask).work_pool


@pytest.fixture
def two_pools(api):
    for pool, deployment in (("alpha", "flow/one"), ("beta", "flow/two")):
        api.create_pool(pool)
        api.deploy(deployment, pool, ["true"], retry=Retry(retries=1))
    return api


def test_a_week_that_nobody_wants_is_dropped_whole(env, two_pools):
    old = make_older(env, finished(env), 200)
    fresh = finished(env)
    env.new_server()
    wait_until(lambda: is_gone(two_pools, old), what="the old run is gone")
    assert rows_of(env, old) == 0
    wait_until(lambda: weeks(env, older_than_days=100) == 0, what="its partitions are gone")
    assert two_pools.run(fresh).state.name == "Completed" and two_pools.output(fresh) == ["a line"]
    assert old not in [run.name.split("/")[1] for run in two_pools.FlowRunService.ListFlowRuns().flow_runs]


def test_the_server_says_how_long_where_the_pool_does_not(env, two_pools):
    kept, old = make_older(env, finished(env), 60), make_older(env, finished(env, "flow/two", "beta"), 120)
    wait_until(lambda: is_gone(two_pools, old), what="what is older than 90 days is gone")
    assert not is_gone(two_pools, kept)
    env.server.terminate()
    short = env.new_server(arguments=("--retention-days", "30"))
    api = env.new_api(short.address, env.admin_key)
    wait_until(lambda: is_gone(api, kept), what="so is what is older than 30")


def test_of_pools_that_differ_each_gets_what_it_wants(env, two_pools):
    brief, long = finished(env), finished(env, "flow/two", "beta")
    assert set_retention(two_pools, "alpha", DAY).retention.seconds == DAY
    brief, long = make_older(env, brief, 30), make_older(env, long, 30)
    wait_until(lambda: is_gone(two_pools, brief), what="the run of the pool that wants less is gone")
    assert rows_of(env, brief) == 0 and two_pools.output(long) == ["a line"]
    # A pool that wants less from now on.
    set_retention(two_pools, "beta", 2 * DAY)
    wait_until(lambda: is_gone(two_pools, long), what="the run of the other is gone")
    assert not set_retention(two_pools, "beta", None).HasField("retention")


def test_more_runs_than_one_batch(env, two_pools):
    set_retention(two_pools, "alpha", DAY)
    long = make_older(env, finished(env, "flow/two", "beta"), 30)
    old, fresh = make_older(env, finished(env), 30), finished(env)
    with env.checker.another() as session:
        session.execute("SELECT ensure_partition(clock_timestamp() - interval '30 days')")
        session.execute(
            """INSERT INTO flow_runs SELECT (r).* FROM (
                 SELECT jsonb_populate_record(f, jsonb_build_object('id',
                          left(%s, 23) || '-' || lpad(to_hex(n), 12, '0'))) AS r
                 FROM flow_runs f, generate_series(1, 1800) AS n WHERE f.id = %s) AS copies""",
            (old, old),
        )
    assert env.checker.value("SELECT count(*) FROM flow_runs") > 1800
    wait_until(lambda: env.checker.value("SELECT count(*) FROM flow_runs") == 2, what="all of them are gone")
    assert not is_gone(two_pools, long) and not is_gone(two_pools, fresh)


def test_a_run_that_is_not_over_is_kept_and_keeps_its_week(env, two_pools):
    waiting = two_pools.submit("flow/one")
    two_pools.FlowRunService.PauseFlowRun(name=f"flowRuns/{waiting}")
    waiting = make_older(env, waiting, 200)
    over = make_older(env, finished(env), 200)
    wait_until(lambda: is_gone(two_pools, over), what="its finished neighbour is gone")
    assert two_pools.run(waiting).state.name == "Paused"


def test_the_age_of_a_run_that_ended_late_is_counted_from_its_end(env, two_pools):
    late = two_pools.submit("flow/one")
    two_pools.cancel(late)
    late, over = make_older(env, late, 200, ended=False), make_older(env, finished(env), 200)
    wait_until(lambda: is_gone(two_pools, over), what="its neighbour that ended early is gone")
    assert two_pools.run(late).state.name == "Cancelled"


def test_nobody_waits_for_a_drop_that_has_to_wait(env, two_pools):
    old = make_older(env, finished(env), 30)
    with env.checker.another() as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM flow_runs")
        set_retention(two_pools, "alpha", DAY)
        for _ in range(20):
            finished(env)
        assert not is_gone(two_pools, old)
        reader.execute("COMMIT")
    wait_until(lambda: is_gone(two_pools, old), what="it is dropped when nobody reads")


def test_old_events_are_dropped_and_old_cursors_refused(env, two_pools):
    begin = two_pools.EventService.WatchEvents().cursor
    finished(env)
    with env.checker.another() as session:
        session.execute("SELECT ensure_event_partition(clock_timestamp() - interval '30 days')")
        session.execute("UPDATE run_events SET recorded_at = recorded_at - interval '30 days'")

    def refused():
        try:
            two_pools.EventService.WatchEvents(cursor=begin, wait={"seconds": 0})
        except ApiError as error:
            assert error.reason == "CURSOR_GONE", error
            return True
        return False

    wait_until(refused, what="the cursor is refused")
    run_id = two_pools.submit("flow/one")
    (event,) = two_pools.EventService.WatchEvents(from_oldest=True).events
    assert event.flow_run == f"flowRuns/{run_id}"


def test_workers_that_are_long_gone_are_forgotten(env, two_pools):
    run_id = finished(env)
    with env.checker.another() as session:
        session.execute("UPDATE workers SET last_seen_at = clock_timestamp() - interval '99 days'")
    wait_until(lambda: env.checker.value("SELECT count(*) FROM workers") == 0, what="the worker is forgotten")
    assert [attempt.outcome.name for attempt in two_pools.run(run_id, full=True).attempts] == ["Failed", "Completed"]


def test_a_deleted_deployment_says_what_becomes_of_its_runs(env, two_pools):
    done = finished(env)
    worker = env.fake_worker("alpha")
    held, waiting = two_pools.submit("flow/one"), two_pools.submit("flow/one")
    (assignment,) = worker.take()
    forebay = env.new_cli()
    refused = forebay("deployment", "delete", "flow/one")
    assert refused.code == 5 and "--force" in refused.err
    deleted = forebay("deployment", "delete", "flow/one", "--force")
    assert deleted.code == 0 and "Cancelled: 1 flow run. Still under way: 1 flow run." in deleted.err, deleted.err
    assert worker.complete(assignment)[-1] == "ACCEPTED"
    states = {run_id: two_pools.run(run_id) for run_id in (done, held, waiting)}
    assert [run.state.name for run in states.values()] == ["Completed", "Completed", "Cancelled"]
    assert {run.deployment for run in states.values()} == {"teams/default/flows/flow/deployments/one"}
    assert two_pools.output(done) == ["a line"]


@pytest.mark.parametrize("seconds", [0, DAY - 1, 3650 * DAY + 1, -1])
def test_bad_retention(api, seconds):
    pool = protocol.message("WorkPool")(
        name="workPools/x", type="process", retention=duration_pb2.Duration(seconds=seconds)
    )
    with pytest.raises(ApiError) as refused:
        api.WorkPoolService.CreateWorkPool(work_pool=pool)
    assert (refused.value.reason, refused.value.metadata["field"]) == ("OUT_OF_RANGE", "retention")


def test_the_command_line(env):
    forebay = env.new_cli()
    assert forebay("work-pool", "create", "--type", "process", "--retention", "30d", "p").code == 0
    assert "720h" in forebay("work-pool", "inspect", "p").out
    assert forebay("work-pool", "inspect", "p", "-o", "json").json["retention"] == "720h"
    assert forebay("work-pool", "update", "p", "--retention", "default").code == 0
    assert "Retention" not in forebay("work-pool", "inspect", "p").out
    wrong = forebay("work-pool", "update", "p", "--retention", "12h")
    assert wrong.code == 2 and "retention is 12h; it must be between 24h and" in wrong.err
