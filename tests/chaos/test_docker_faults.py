"""Containers of a real engine while workers and the engine itself die: nothing begins twice, no line is lost."""

import json

import pytest
from forebay.images import BUSYBOX
from forebay.waiting import wait_until

COUNT = 400
# Numbered lines for some seconds.
WRITES = f"i=0; while [ $i -lt {COUNT} ]; do echo line $i; i=$((i+1)); [ $((i % 20)) = 0 ] && sleep 0.1; done; true"
IN_BOX = {"image": BUSYBOX, "image_pull_policy": "Never", "network_mode": "none", "auto_remove": True}


@pytest.fixture
def pool(api):
    return api.create_pool("boxes", "docker", lease_ttl=2000, cancel_grace=1000, crash_after=4000)


@pytest.fixture
def make_worker(env, pool, own_engine):
    def make(**options):
        return env.make_worker("boxes", arguments=("--docker-host", own_engine.address), **options)

    return make


@pytest.fixture
def submit(api, pool):
    def submit(script: str, **variables) -> str:
        api.deploy("flow/box", "boxes", ["/bin/sh", "-c", script], job_variables=json.dumps(IN_BOX | variables))
        return api.submit("flow/box")

    return submit


def numbered(api, run_id: str) -> list[str]:
    return [line for line in api.output(run_id) if line.startswith("line ")]


def assert_whole(api, run_id: str):
    assert numbered(api, run_id) == [f"line {n}" for n in range(COUNT)]


def status_of(api) -> tuple[str, str]:
    pool = api.WorkPoolService.GetWorkPool(name="workPools/boxes").work_pool
    return {1: "READY", 2: "NOT_READY", 3: "PAUSED"}[pool.status], pool.status_reason


def test_f05_a_container_outlives_its_worker_and_no_line_is_lost_or_doubled(api, make_worker, submit, own_engine):
    worker = make_worker().start()
    run_id = submit(WRITES)
    for lines in (50, 200):
        wait_until(lambda: len(numbered(api, run_id)) >= lines, what=f"{lines} lines")
        worker.kill()
        worker.start()
    run = api.wait_for_end(run_id)
    assert (run.state.name, run.attempt_count) == ("Completed", 1)
    assert_whole(api, run_id)
    wait_until(lambda: not own_engine.containers(), what="the container to go")


def test_a_worker_with_an_empty_state_directory_arrives_at_the_same_lines(env, api, make_worker, submit, own_engine):
    first = make_worker().start()
    run_id = submit(WRITES)
    wait_until(lambda: len(numbered(api, run_id)) >= 100)
    first.kill()
    make_worker().start()
    api.wait_for_end(run_id)
    assert api.run(run_id).attempt_count == 1
    assert_whole(api, run_id)


@pytest.mark.parametrize("moment", range(6))
def test_f03_f04_a_worker_killed_in_the_middle_of_a_launch_begins_nothing_twice(api, make_worker, submit, own_engine, moment):
    worker = make_worker().start()
    own_engine.events(0, 1)
    run_id = submit("echo begun; sleep 0.3")
    # The moments lie between the assignment and the running container.
    wait_until(lambda: api.state(run_id) != "SCHEDULED", pause=0.001)
    wait_until(lambda: len(own_engine.containers()) >= min(moment, 1), pause=0.001 * (moment + 1))
    worker.kill()
    worker.start()
    run = api.wait_for_end(run_id)
    assert run.state.name == "Completed"
    assert api.output(run_id).count("begun") == 1
    wait_until(lambda: not own_engine.containers())


def test_f31_an_engine_that_is_killed_and_comes_back_finds_its_containers_running(api, make_worker, submit, own_engine):
    make_worker().start()
    run_id = submit(WRITES)
    wait_until(lambda: len(numbered(api, run_id)) >= 50)
    own_engine.kill()
    wait_until(lambda: status_of(api)[0] == "NOT_READY", what="the pool to be not ready")
    assert own_engine.address in status_of(api)[1]
    own_engine.start()
    run = api.wait_for_end(run_id)
    assert (run.state.name, run.attempt_count) == ("Completed", 1)
    assert_whole(api, run_id)
    wait_until(lambda: status_of(api)[0] == "READY")


def test_a_pool_is_not_ready_until_its_worker_reaches_the_engine_and_then_its_runs_go_on(api, make_worker, submit, own_engine):
    own_engine.kill()
    make_worker().start()
    wait_until(lambda: "none can launch" in status_of(api)[1])
    run_id = submit("echo late")
    own_engine.start()
    assert api.wait_for_end(run_id).attempt_count == 1
    assert api.output(run_id) == ["late"]


def test_an_engine_that_hangs_costs_no_worker_its_lease_and_no_run_its_attempt(api, make_worker, submit, own_engine):
    worker = make_worker().start()
    run_id = submit(WRITES)
    wait_until(lambda: len(numbered(api, run_id)) >= 50)
    own_engine.pause()
    seen = set()

    def five_beats():
        found = api.FleetService.GetWorker(name=f"workers/{worker.worker_id}").worker
        assert found.status == 1, "the worker lost its lease"
        seen.add(found.last_seen_time.ToNanoseconds())
        return len(seen) > 5

    wait_until(five_beats, what="five heartbeats")
    own_engine.resume()
    run = api.wait_for_end(run_id)
    assert (run.state.name, run.attempt_count) == ("Completed", 1)
    assert_whole(api, run_id)


def test_an_engine_that_dies_in_the_middle_of_a_launch_begins_the_run_once_when_it_is_back(api, make_worker, submit, own_engine):
    make_worker().start()
    wait_until(lambda: status_of(api)[0] == "READY")
    own_engine.pause()
    run_id = submit("echo begun")
    wait_until(lambda: api.state(run_id) == "PENDING")
    own_engine.kill()
    own_engine.start()
    assert api.wait_for_end(run_id).state.name == "Completed"
    assert api.output(run_id) == ["begun"]
    wait_until(lambda: not own_engine.containers())


def test_f33_f34_a_container_that_does_not_listen_is_made_to_end(api, make_worker, submit, own_engine):
    make_worker().start()
    run_id = submit("trap '' TERM; echo deaf; while :; do sleep 1; done")
    wait_until(lambda: "deaf" in api.output(run_id))
    api.cancel(run_id)
    assert api.wait_for_end(run_id).state.name == "Cancelled"
    wait_until(lambda: not own_engine.containers())


def test_what_carries_the_pools_label_and_belongs_to_nobody_is_reaped(api, pool, make_worker, own_engine):
    stranger = own_engine.create("somebody-elses", BUSYBOX, ["sleep", "600"])
    orphan = "forebay-01a207da-7fd6-79f8-87d8-ae0ed5a4bbb0-1"
    own_engine.create(orphan, BUSYBOX, ["sleep", "600"], Labels={"forebay.io/pool-id": pool.uid})
    own_engine.start_container(orphan)
    make_worker().start()
    wait_until(lambda: not own_engine.exists(orphan), what="the orphan to be reaped")
    assert own_engine.exists(stranger)


@pytest.mark.parametrize(
    "behaviour, reason",
    [("unauthorized", "IMAGE_UNAUTHORIZED"), ("manifest unknown", "IMAGE_NOT_FOUND"), ("corrupt", "IMAGE_CORRUPT")],
)
def test_f32_a_pull_that_fails_for_good_ends_the_run_with_its_class(api, make_worker, submit, registry_double, behaviour, reason):
    make_worker().start()
    run_id = submit("true", image=registry_double.image("team/app", behaviour), image_pull_policy="Always")
    run = api.wait_for_end(run_id)
    assert (run.state.name, run.state.reason) == ("Failed", reason), run.state.message
    assert "team/app" in run.state.message


def test_f32_a_pull_that_hangs_is_cancelled_with_its_run(api, make_worker, submit, registry_double, own_engine):
    make_worker().start()
    run_id = submit("true", image=registry_double.image("team/slow", "hang in layer"), image_pull_policy="Always")
    wait_until(lambda: registry_double.pulls("team/slow") > 0, what="the pull")
    api.cancel(run_id)
    assert api.wait_for_end(run_id, deadline=20).state.name == "Cancelled"
    assert not own_engine.containers()


def test_an_image_is_pulled_and_the_log_tells_how_it_came(api, make_worker, submit, registry_double):
    make_worker().start()
    run_id = submit("true", image=registry_double.image("team/fine"), image_pull_policy="Always")
    api.wait_for_end(run_id)
    system = [line.entry.text for line in api.log(run_id)]
    assert any(line.startswith("pulling ") for line in system), system
    assert any("layer" in line for line in system), system
