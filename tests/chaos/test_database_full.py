"""F24: the database's disk is full: of tables, where reads go on, and of its write-ahead log, where it stops."""

import json
import os
import uuid

import pytest
from forebay.api import ApiError
from forebay.environment import Environment
from forebay.health import is_serving
from forebay.postgres import TestPostgres
from forebay.small_disk import SmallDisk
from forebay.waiting import wait_until


@pytest.fixture
def disk(scratch):
    try:
        disk = SmallDisk(scratch / "disk", 200)
    except (PermissionError, FileNotFoundError) as error:
        pytest.skip(f"no small file system to fill: mounting one is not permitted here ({error})")
    yield disk
    disk.close()


def on_its_own_cluster(make_migrated, scratch, disk, cluster):
    try:
        environment = Environment(cluster, make_migrated(cluster), scratch)
        yield environment
        disk.free_space()
        environment.close()
    finally:
        cluster.destroy()


@pytest.fixture
def full_tables(disk, scratch, make_migrated):
    """An environment whose tables lie on the small disk, the write-ahead log elsewhere."""
    yield from on_its_own_cluster(make_migrated, scratch, disk, TestPostgres(data=disk.folder, shared_buffers="16MB"))


@pytest.fixture
def full_log(disk, scratch, make_migrated):
    """The reverse."""
    cluster = TestPostgres(log=disk.folder, shared_buffers="16MB", max_wal_size="64MB", min_wal_size="32MB")
    yield from on_its_own_cluster(make_migrated, scratch, disk, cluster)


def large() -> str:
    """Parameters that no compression makes small."""
    return json.dumps({"noise": os.urandom(60_000).hex()})


def submit_until_refused(api, disk, most: int = 2000) -> list[ApiError]:
    """Keeps the disk full and submits; the first refusals."""
    refused = []
    for _ in range(most):
        disk.fill()
        try:
            api.submit("flow/one", parameters=large(), idempotency_key=str(uuid.uuid4()), timeout=10)
        except ApiError as error:
            refused.append(error)
            if len(refused) == 3:
                return refused
    raise AssertionError("the disk is full and nothing was refused")


def accepted(api) -> str:
    """A run's id once the database takes it."""
    try:
        return api.submit("flow/one", timeout=10)
    except ApiError as error:
        assert error.code in ("RESOURCE_EXHAUSTED", "UNAVAILABLE", "DEADLINE_EXCEEDED"), error
        return ""


def prepare(env) -> str:
    """A pool, a deployment, a worker that takes its runs; a run that has ended."""
    env.api.create_pool("alpha", lease_ttl=10000, crash_after=30000)
    env.api.deploy("flow/one", "alpha", env.marks.command())
    env.new_worker("alpha", limit=4)
    done = env.api.submit("flow/one")
    env.api.wait_for_state(done, "COMPLETED")
    return done


def check_all_ended(env):
    wait_until(lambda: accepted(env.api), what="submissions are accepted again")
    for submitted in env.api.submitted:
        env.api.wait_for_state(submitted.run_id, "COMPLETED")
        assert len(env.marks.starts(submitted.run_id)) == 1
    env.checker.check(env.api, env.marks)


def test_f24_with_no_space_for_tables_reads_go_on_and_writes_say_why(full_tables, disk):
    env, api = full_tables, full_tables.api
    done = prepare(env)
    refused = submit_until_refused(api, disk)
    assert {(error.code, error.reason) for error in refused} == {("RESOURCE_EXHAUSTED", "DATABASE_FULL")}, refused
    assert api.state(done) == "COMPLETED"
    assert api.ServerService.GetServerStatus().database_version
    disk.free_space()
    check_all_ended(env)


def test_f24_with_no_space_for_its_log_the_database_stops_and_comes_back_with_all_that_was_acknowledged(full_log, disk):
    env, api = full_log, full_log.api
    prepare(env)
    refused = submit_until_refused(api, disk)
    assert {error.code for error in refused} <= {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}, refused
    assert is_serving(env.server.address)
    disk.free_space()
    if not env.postgres.process.running:
        env.postgres.start()
    check_all_ended(env)
