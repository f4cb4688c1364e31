"""F29: clocks of workers are an hour off, those of servers ten minutes: the database's clock alone counts."""

import datetime
import os
import re

import pytest
from forebay import false_clock, protocol
from forebay.false_clock import clock
from forebay.waiting import wait_until
from google.protobuf import timestamp_pb2

pytestmark = [
    pytest.mark.skipif(not false_clock.installed(), reason="libfaketime is not installed"),
    pytest.mark.skipif("FOREBAY_SANITIZED" in os.environ, reason="a sanitizer wants to be loaded before libfaketime"),
]


@pytest.fixture(autouse=True)
def tidy():
    yield
    false_clock.remove_leftovers()


def timestamp_of(when: datetime.datetime) -> timestamp_pb2.Timestamp:
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(when)
    return stamp


def minutes_off(process) -> int:
    """How far the clock by which the process writes its log is ahead."""
    stamp = re.search(r"^(\d{4}-\S+Z) ", process.log.read_text(), re.MULTILINE).group(1)
    off = datetime.datetime.fromisoformat(stamp) - datetime.datetime.now(datetime.UTC)
    return round(off.total_seconds() / 60)


@pytest.mark.parametrize("offset", ["+1h", "-1h"])
def test_f29_the_clock_of_a_worker_changes_nothing_about_its_lease(env, api, quick_pool, deploy, offset):
    quick_pool(crash_after=30000)
    # Twice the lease.
    deploy("flow/long", "sleep", "4")
    deploy("flow/one", "lines", "3")
    worker = env.new_worker("alpha", **clock(offset))
    assert minutes_off(worker) == {"+1h": 60, "-1h": -60}[offset]
    run_ids = [api.submit("flow/long"), *api.submit_many("flow/one", 10)]
    for run_id in run_ids:
        run = api.wait_for_state(run_id, "COMPLETED")
        assert run.attempt_count == 1
    assert [len(api.output(run_id)) for run_id in run_ids[1:]] == [3] * 10
    assert api.ServerService.GetServerStatus().parked_polls == 1
    # One that falls silent loses it as any other does.
    worker.pause()
    late = api.submit("flow/one")
    wait_until(lambda: not env.checker.value("SELECT count(*) FROM worker_leases"), what="the lease is over")
    worker.resume()
    api.wait_for_state(late, "COMPLETED")
    env.checker.check(api, env.marks)


def test_f29_a_worker_with_a_false_clock_is_taken_over_from(env, api, quick_pool, deploy):
    quick_pool()
    deploy("flow/one", "sleep", "1", crash_retries=2)
    ahead = env.new_worker("alpha", **clock("+1h"))
    run_id = api.submit("flow/one")
    wait_until(lambda: env.marks.starts(run_id), what="user code began")
    ahead.pause()
    env.new_worker("alpha", **clock("-1h"))
    api.wait_for_state(run_id, "COMPLETED")
    ahead.resume()
    env.checker.check_attempts()
    env.checker.check_no_leaks([run_id])


def test_f29_schedules_fire_once_a_time_whatever_the_servers_clocks_say(env, quick_pool):
    first = env.new_server(**clock("+10m"))
    second = env.new_server(**clock("-10m"))
    assert (minutes_off(first), minutes_off(second)) == (10, -10)
    quick_pool()
    apis = [env.new_api(server.address) for server in (first, second)]
    apis[0].deploy("flow/one", "alpha", ["true"])
    for number, api in enumerate(apis):
        schedule = protocol.message("Schedule")(slug=f"s{number}", interval=protocol.message("IntervalRule")())
        schedule.interval.every.seconds = 1
        api.ScheduleService.CreateSchedule(parent="flow/one", schedule=schedule)
    for server in (first, second):
        env.new_worker("alpha", server=server.address)
    created = env.checker.value("SELECT clock_timestamp()")
    ended = "SELECT count(*) FROM flow_runs WHERE schedule_id IS NOT NULL AND state = 'COMPLETED'"
    wait_until(lambda: env.checker.value(ended) >= 10, what="both schedules fire")
    # The duties change hands, to a clock that is twenty minutes away.
    first.kill()
    count = env.checker.value(ended)
    wait_until(lambda: env.checker.value(ended) >= count + 10, what="the other server goes on")
    first.start()
    env.checker.check_fires()
    fires = env.checker.rows(
        """SELECT f.schedule_id::text, f.due_at, a.granted_at FROM flow_runs f LEFT JOIN attempts a ON a.run_id = f.id
           WHERE f.schedule_id IS NOT NULL ORDER BY 1, 2"""
    )
    # One that has not ended has no attempt there yet, though a later one may have ended.
    for schedule_id in {fire[0] for fire in fires}:
        due = [fire[1] for fire in fires if fire[0] == schedule_id]
        assert {after - before for before, after in zip(due, due[1:], strict=False)} == {datetime.timedelta(seconds=1)}
    early = [fire for fire in fires if (fire[2] is not None and fire[2] < fire[1]) or fire[1] < created - datetime.timedelta(seconds=30)]
    assert not early, f"before their time, or before there was a schedule: {early}"


def test_f29_a_run_for_later_starts_by_the_databases_clock(env, quick_pool):
    ahead = env.new_server(**clock("+10m"))
    quick_pool()
    api = env.new_api(ahead.address)
    api.deploy("flow/one", "alpha", env.marks.command())
    env.new_worker("alpha", server=ahead.address, **clock("-1h"))
    due = env.checker.value("SELECT clock_timestamp() + interval '3 seconds'")
    run_id = api.submit("flow/one", due_time=timestamp_of(due))
    api.wait_for_state(run_id, "COMPLETED")
    granted = env.checker.value("SELECT granted_at FROM attempts WHERE run_id = %s", run_id)
    assert granted >= due
    env.checker.check(api, env.marks)
