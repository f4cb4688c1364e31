"""How a worker starts, and how it refuses to."""

import pathlib

import pytest
from forebay.api import Api
from forebay.waiting import wait_until


@pytest.fixture
def pool(api):
    return api.create_pool("alpha")


def refuses(worker, *words: str) -> str:
    """Spawns a worker that must end with an error naming the words; what it said."""
    worker.spawn()
    assert worker.wait() not in (0, -6, -11), worker.tail()
    said = worker.tail()
    for word in words:
        assert word in said, said
    return said


def mapped(pid: int) -> str:
    """The files that a process has mapped, a line each."""
    return pathlib.Path(f"/proc/{pid}/maps").read_text()


def test_it_says_its_name_and_shows_up_in_the_list(env, api, pool):
    worker = env.new_worker("alpha", shown_name="box-7", limit=3)
    assert f"'ProcessWorker {worker.worker_id}' started!" in worker.log.read_text()
    (listed,) = api.FleetService.ListWorkers().workers
    assert (listed.name, listed.display_name, listed.slots) == (f"workers/{worker.worker_id}", "box-7", 3)
    assert listed.type == "process"
    assert worker.terminate() == 0
    assert not api.FleetService.ListWorkers().workers


def test_it_loads_the_library_for_http_only_when_it_speaks_http(env, api, pool, scratch):
    idle = env.new_worker("alpha")
    assert "libcurl" not in mapped(idle.pid)
    assert "libcurl" not in mapped(env.server.pid)
    api.create_pool("engines", type="docker")
    docker = env.new_worker("engines", arguments=("--docker-host", f"unix://{scratch}/nobody.sock"))
    assert "libcurl" in mapped(docker.pid)


def test_a_worker_that_needs_the_library_for_http_says_that_it_is_missing(env, api, scratch):
    (scratch / "libcurl.so.4").write_text("no library\n")
    api.create_pool("engines", type="docker")
    refuses(env.make_worker("engines", LD_LIBRARY_PATH=str(scratch)), "libcurl.so.4", "apt-get install libcurl4")


def test_a_join_token_is_exchanged_once_and_replaced_by_the_key(env, api, pool):
    token = api.TokenService.CreateJoinToken(work_pool="workPools/alpha").secret
    worker = env.new_worker("alpha", key=token)
    key = worker.key_file.read_text().strip()
    assert key.startswith("fbw_") and worker.key_file.stat().st_mode & 0o777 == 0o600
    worker.kill()
    worker.start()
    other = env.make_worker("alpha", key=token)
    refuses(other, "join token")


def test_a_pool_that_does_not_exist_is_named(env, api, pool):
    refuses(env.make_worker("alpah", key=env.worker_key("alpha")), "alpah")


def test_a_key_that_is_wrong_or_of_another_pool_is_refused(env, api, pool):
    api.create_pool("beta")
    refuses(env.make_worker("alpha", key=env.worker_key("beta")), "alpha")
    refuses(env.make_worker("alpha", key="fbw_" + "a" * 49), "key")
    refuses(env.make_worker("alpha", key="hello"), "key")
    said = refuses(env.make_worker("alpha", key=env.admin_key), "fbw_")
    assert env.admin_key not in said


def test_a_revoked_key_ends_a_running_worker_with_the_reason(env, api, pool):
    secret = api.TokenService.CreateWorkerKey(work_pool="workPools/alpha")
    worker = env.new_worker("alpha", key=secret.secret)
    api.TokenService.RevokeToken(name=secret.token.name)
    assert worker.wait() != 0
    assert "key" in worker.tail()


def test_a_key_file_that_others_can_read_is_refused(env, api, pool):
    worker = env.make_worker("alpha")
    worker.key_file.chmod(0o644)
    refuses(worker, "0600", str(worker.key_file))


def test_a_second_worker_on_one_state_directory_is_refused(env, api, pool):
    first = env.new_worker("alpha")
    refuses(env.make_worker("alpha", state_dir=first.state_dir), str(first.state_dir))
    assert first.running


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("--limt", "3"), ("limt", "limit")),
        (("--limit", "0"), ("limit", "0")),
        (("--limit", "many"), ("limit", "many")),
        (("--log-level", "loud"), ("loud",)),
        (("--queues", "nope"), ("nope",)),
        (("--type", "scripted"), ("scripted", "process")),
    ],
)
def test_a_wrong_flag_is_named(env, api, pool, arguments, words):
    refuses(env.make_worker("alpha", arguments=arguments), *words)


def test_a_configuration_file_with_an_unknown_key_names_the_nearest(env, api, pool):
    config = env.scratch / "worker.yaml"
    config.write_text("limt: 3\n")
    refuses(env.make_worker("alpha", arguments=("--config", str(config))), "limt", "limit", str(config))


def test_a_worker_waits_for_a_server_that_is_not_there_yet(env, api, pool):
    worker = env.make_worker("alpha")
    env.server.kill()
    worker.spawn()
    wait_until(lambda: env.server.address in worker.tail(), what="it says whom it cannot reach")
    assert worker.running
    env.server.start()
    worker.wait_ready(worker.ready_file)


def test_environment_and_flags_are_laid_over_the_file(env, api, pool):
    config = env.scratch / "worker.yaml"
    config.write_text("limit: 2\nname: from-file\n")
    worker = env.make_worker("alpha", arguments=("--config", str(config)), FOREBAY_WORKER_LIMIT="5")
    del worker.argv[worker.argv.index("--limit") : worker.argv.index("--limit") + 2]
    del worker.argv[worker.argv.index("--name") : worker.argv.index("--name") + 2]
    worker.start()
    (listed,) = Api(env.server.address, env.admin_key).FleetService.ListWorkers().workers
    assert (listed.display_name, listed.slots) == ("from-file", 5)
