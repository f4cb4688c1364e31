"""Runs as containers of a real engine: each variable by its effect inside, what is told of the end, what is left."""

import json
import os

import pytest
from forebay import protocol
from forebay.api import ApiError
from forebay.ended import STREAMS, Ended, reasons
from forebay.images import BUSYBOX, ENTRY, USER
from forebay.registry import PASSWORD
from forebay.waiting import wait_until
from google.protobuf import field_mask_pb2


@pytest.fixture
def pool(api):
    return api.create_pool("boxes", "docker", cancel_grace=1000)


@pytest.fixture
def worker(env, pool, docker_engine):
    return env.new_worker("boxes", limit=8, arguments=("--docker-host", docker_engine.address))


@pytest.fixture
def submit(api, pool):
    """submit(script, **variables): a run of a shell script in a busybox container without network."""

    def submit(script: str | list[str], **variables) -> str:
        command = script if isinstance(script, list) else ["/bin/sh", "-c", script]
        defaults = {"image": BUSYBOX, "image_pull_policy": "Never", "network_mode": "none"}
        if "networks" in variables:
            del defaults["network_mode"]
        api.deploy("flow/box", "boxes", command, job_variables=json.dumps(defaults))
        return api.submit("flow/box", job_variables=json.dumps(variables) if variables else "")

    return submit


@pytest.fixture
def run(api, worker, submit):
    """run(script, **variables): the ended run, with its output in `.lines`."""

    def run(script: str | list[str], **variables) -> Ended:
        run_id = submit(script, **variables)
        api.wait_for_end(run_id)
        return Ended(api, run_id)

    return run


def test_a_run_is_a_container_with_its_attribution(run, docker_engine, worker):
    ended = run("echo hello; env")
    assert ended.state == "COMPLETED"
    assert ended.lines[0] == "hello"
    environment = dict(line.split("=", 1) for line in ended.lines[1:])
    assert environment["FOREBAY_RUN_ID"] == ended.id
    assert environment["FROM_IMAGE"] == "image"
    inspected = docker_engine.inspect(ended.infrastructure)
    labels = inspected["Config"]["Labels"]
    assert labels["forebay.io/run-id"] == ended.id
    assert labels["forebay.io/attempt"] == "1"
    assert labels["forebay.io/flow"] == "flow"
    assert labels["forebay.io/deployment"] == "flow/box"
    assert labels["forebay.io/pool"] == "boxes"
    assert labels["forebay.io/worker"]
    text = json.dumps(inspected)
    assert not [prefix for prefix in ("fbk_", "fbw_", "fbr_", "fbt_", "fbj_") if prefix in text]


@pytest.mark.parametrize(
    "variables, script, expected",
    [
        ({"mem_limit": "64m"}, "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes 2>/dev/null || cat memory.max", "67108864"),
        ({"cpus": 0.5}, "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cat /sys/fs/cgroup/cpu.max", "50000"),
        ({"pids_limit": 20}, "cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max", "20"),
        ({"shm_size": "32m"}, "df -k /dev/shm | tail -1", "32768"),
        ({"user": "1000"}, "id -u", "1000"),
        ({"user": "user:user"}, "id -g", "1000"),
        ({"image": USER}, "id -u", "1000"),
        ({"read_only": True}, "touch /x || echo read-only", "read-only"),
        ({"cap_drop": ["ALL"]}, "grep CapEff /proc/self/status", "0000000000000000"),
        ({"working_dir": "/etc"}, "pwd", "/etc"),
        ({"network_mode": "none"}, "ls /sys/class/net", "lo"),
        ({"env.ADDED": "by dots"}, "echo $ADDED", "by dots"),
        ({"env": {"FROM_IMAGE": None}}, "echo [${FROM_IMAGE-unset}]", "[unset]"),
        ({"env": {"NUMBER": 9007199254740993, "FLAG": True}}, "echo $NUMBER $FLAG", "9007199254740993 true"),
        ({"command": ["/bin/echo", "a  b", "$HOME"]}, "false", "a  b $HOME"),
        ({"image": ENTRY, "command": ["more"]}, "false", "entry more"),
        ({"entrypoint": ["/bin/echo", "own"], "command": ["x"]}, "false", "own x"),
        ({"image": ENTRY, "entrypoint": [], "command": ["/bin/echo", "bare"]}, "false", "bare"),
        ({"platform": "linux/amd64"}, "echo fits", "fits"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_variable_does_what_it_says(run, variables, script, expected):
    ended = run(script, **variables)
    assert ended.state == "COMPLETED", ended.message
    assert any(expected in line.split() or expected == line for line in ended.lines), ended.lines


def test_output_of_both_streams_arrives_whole_and_in_order(run):
    ended = run("echo first; sleep 0.05; echo problem >&2; sleep 0.05; seq 5000; sleep 0.05; printf 'no newline'")
    assert ended.lines == ["first", "problem", *[str(n) for n in range(1, 5001)], "no newline"]
    assert STREAMS[ended.entries[1].stream] == "STDERR"


def test_a_line_longer_than_the_engine_keeps_in_one_piece_is_joined_again(run):
    ended = run("x=0123456789; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do x=$x$x; done; echo $x; echo after")
    assert ended.lines[0] == "0123456789" * 4096
    assert ended.lines[1] == "after"


@pytest.mark.parametrize("code, state", [(0, "COMPLETED"), (3, "FAILED")])
def test_the_exit_code_decides(run, code, state):
    ended = run(f"exit {code}")
    assert (ended.state, ended.exit_code) == (state, code)


def test_a_signal_is_told_apart_from_an_exit_code(run):
    ended = run("sh -c 'kill -SEGV $$'; exit $?")
    assert ended.state == "CRASHED"
    assert "signal 11" in ended.message


def test_a_run_out_of_memory_is_said_to_be_that(run):
    ended = run("x=x; while :; do x=$x$x; done", mem_limit="16m", memswap_limit="16m")
    assert ended.state == "CRASHED"
    assert ended.reason == "OOM_KILLED"
    assert ended.exit_code == 137
    assert ended.usage.max_rss_bytes > 8 << 20


def test_usage_is_read_at_the_end_however_short_the_run(run):
    ended = run("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done")
    assert ended.usage.cpu_user_micros + ended.usage.cpu_system_micros > 50_000
    assert ended.usage.max_rss_bytes > 100_000


def test_a_command_that_is_not_there_fails_the_run_with_its_class(run):
    ended = run(["/nothing/here"])
    assert (ended.state, ended.reason) == ("FAILED", "COMMAND_NOT_FOUND")


@pytest.mark.parametrize("auto_remove", [True, False])
def test_the_container_is_removed_or_kept_as_asked(run, docker_engine, auto_remove):
    ended = run("true", auto_remove=auto_remove)
    if auto_remove:
        wait_until(lambda: not docker_engine.exists(ended.infrastructure), what="the container to go")
    else:
        assert docker_engine.inspect(ended.infrastructure)["State"]["Status"] == "exited"


def test_a_cancelled_run_is_asked_first_and_then_made_to_end(api, worker, submit, docker_engine):
    run_id = submit("trap 'echo asked' TERM; echo ready; while :; do sleep 0.1; done", auto_remove=True)
    wait_until(lambda: "ready" in api.output(run_id))
    api.cancel(run_id)
    api.wait_for_end(run_id)
    assert api.state(run_id) == "CANCELLED"
    assert "asked" in api.output(run_id)
    wait_until(lambda: not docker_engine.exists(f"forebay-{run_id}-1"))


def test_a_volume_outlives_its_run(run, docker_engine):
    name = "forebay-test-volume"
    run("echo kept > /data/file", volumes=[f"{name}:/data"], auto_remove=True)
    ended = run("cat /data/file; touch /data/x 2>/dev/null || echo read-only", volumes=[f"{name}:/data:ro"], auto_remove=True)
    assert ended.lines[0] == "kept"
    assert ended.lines[-1] == "read-only"


def test_a_run_joins_the_networks_it_names(run, docker_engine):
    names = ["forebay-test-net1", "forebay-test-net2"]
    for name in names:
        docker_engine.make_network(name)
    try:
        ended = run("ls /sys/class/net", networks=names, auto_remove=True)
        assert sorted(ended.lines) == ["eth0", "eth1", "lo"]
    finally:
        for name in names:
            docker_engine.remove_network(name)


def test_an_image_that_is_not_there_and_may_not_be_pulled(run):
    ended = run("true", image="forebay-test/none:1")
    assert (ended.state, ended.reason) == ("FAILED", "IMAGE_NOT_FOUND")
    assert "forebay-test/none:1" in ended.message


def test_labels_of_the_job_stand_beside_the_attribution(run, docker_engine):
    ended = run("true", labels={"cost-centre": "7"})
    (found,) = docker_engine.containers(**{"forebay.io/run-id": ended.id, "cost-centre": "7"})
    assert found["Names"] == [f"/{ended.infrastructure}"]


def test_a_job_cannot_take_the_labels_of_the_attribution(submit):
    with pytest.raises(ApiError) as refused:
        submit("true", labels={"forebay.io/run-id": "mine"})
    assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", "INVALID_JOB")
    assert refused.value.metadata["field"] == "labels.forebay.io/run-id"


def test_a_line_of_200_kilobytes_is_kept(run):
    ended = run("head -c 200000 /dev/zero | tr '\\0' x; echo; echo after")
    assert "".join(ended.lines[:-1]) == "x" * 200000 and ended.lines[-1] == "after"
    assert all(len(entry.text) <= 65536 for entry in ended.entries)


def test_the_engine_can_be_named_in_the_environment(env, api, pool, submit, docker_engine):
    env.new_worker("boxes", FOREBAY_WORKER_DOCKER_HOST=docker_engine.address)
    run_id = submit("echo here")
    api.wait_for_state(run_id, "COMPLETED")
    assert api.output(run_id) == ["here"]


def test_the_example_of_the_tutorial_runs_in_its_image(api, worker, repo_stats_image):
    variables = json.dumps({"image": repo_stats_image, "image_pull_policy": "Never", "network_mode": "none"})
    api.deploy("stats/clone", "boxes", ["python3", "/app/repo_stats.py"], job_variables=variables)
    run_id = api.submit("stats/clone", parameters='{"path": "/app/clone", "top": 1}')
    api.wait_for_state(run_id, "COMPLETED")
    assert any("2 commits" in line for line in api.output(run_id))


# Policy.


@pytest.fixture
def allow(api, pool):
    """allow(field=[values], …): the pool's policy, whole."""

    def allow(**rules):
        policy = json.dumps({"rules": [{"field": field, "allow": values} for field, values in rules.items()]})
        changed = protocol.message("WorkPool")(name=pool.name, policy=policy)
        mask = field_mask_pb2.FieldMask(paths=["policy"])
        api.WorkPoolService.UpdateWorkPool(work_pool=changed, update_mask=mask)

    return allow


@pytest.mark.parametrize(
    "field, variables",
    [
        ("network_mode", {"network_mode": "host"}),
        ("network_mode", {"network_mode": "container:other"}),
        ("volumes", {"volumes": ["/etc:/host"]}),
        ("volumes", {"volumes": ["data:/data", "/etc:/host:ro"]}),
        ("cap_add", {"cap_add": ["NET_ADMIN"]}),
        ("privileged", {"privileged": True}),
        ("gpus", {"gpus": "all"}),
    ],
    ids=str,
)
def test_what_reaches_the_host_is_refused_when_the_run_is_created(submit, field, variables):
    with pytest.raises(ApiError) as refused:
        submit("true", **variables)
    assert (refused.value.code, refused.value.reason) == ("PERMISSION_DENIED", "POLICY_DENIED")
    assert field in refused.value.metadata["field"] and refused.value.metadata["set_by"] == "run"


def test_a_policy_lets_a_run_onto_the_hosts_network(allow, run):
    allow(network_mode=["host"])
    ended = run("readlink /proc/self/ns/net", network_mode="host")
    assert ended.lines == [os.readlink("/proc/self/ns/net")]


def test_a_policy_lets_a_run_have_a_capability(allow, run):
    allow(cap_add=["NET_ADMIN"])
    ended = run("grep CapEff /proc/self/status", cap_add=["NET_ADMIN"])
    assert int(ended.lines[0].split()[1], 16) & 1 << 12


def test_a_policy_lets_a_run_see_a_folder_of_the_host(allow, run, submit, scratch):
    folder = scratch / "shared"
    folder.mkdir()
    (folder / "in").write_text("from the host\n")
    allow(volumes=[f"{folder}", f"{folder}/**"])
    ended = run("cat /shared/in; echo back > /shared/out", volumes=[f"{folder}:/shared"])
    assert (ended.state, ended.lines) == ("COMPLETED", ["from the host"])
    assert (folder / "out").read_text() == "back\n"
    with pytest.raises(ApiError) as refused:
        submit("true", volumes=["/etc:/host"])
    assert refused.value.reason == "POLICY_DENIED"


def test_a_host_path_that_does_not_exist_is_not_made(allow, run, scratch):
    allow(volumes=[f"{scratch}/**"])
    ended = run("true", volumes=[f"{scratch}/absent:/shared"])
    assert (ended.state, ended.reason) == ("FAILED", "INVALID_JOB")
    assert f"{scratch}/absent" in ended.message and not (scratch / "absent").exists()


def test_a_policy_that_came_after_the_run_holds_for_it(env, api, allow, submit, docker_engine):
    allow(network_mode=["host"])
    run_id = submit("true", network_mode="host")
    allow()
    env.new_worker("boxes", arguments=("--docker-host", docker_engine.address))
    ended = api.wait_for_end(run_id)
    assert protocol.STATES[ended.state.type] == "FAILED" and ended.state.reason == "POLICY_DENIED"
    assert not docker_engine.exists(f"forebay-{run_id}-1")


# What cannot begin.


@pytest.mark.parametrize(
    "reason, command, variables",
    [
        ("COMMAND_NOT_FOUND", ["not-a-program"], {}),
        ("PERMISSION_DENIED", ["/etc/passwd"], {}),
        ("INVALID_JOB", ["true"], {"user": "nobody-here"}),
        ("INVALID_JOB", ["true"], {"networks": ["no-such-network"]}),
        ("INVALID_JOB", ["true"], {"volumes": ["data:/etc/passwd"]}),
        ("INVALID_JOB", ["true"], {"cpus": 4000}),
        ("IMAGE_WRONG_PLATFORM", ["true"], {"platform": "linux/arm64"}),
    ],
    ids=str,
)
def test_a_container_that_cannot_begin_fails_its_run_with_the_engines_words(run, reason, command, variables):
    ended = run(command, **variables)
    assert (ended.state, ended.reason) == ("FAILED", reason), ended.message
    assert ended.message


# Ending.


def test_a_run_that_ignores_its_cancel_is_killed_after_the_grace(api, worker, submit, docker_engine):
    run_id = submit("trap '' TERM; echo ready; while :; do sleep 0.1; done")
    wait_until(lambda: "ready" in api.output(run_id), what="first line")
    api.cancel(run_id)
    api.wait_for_state(run_id, "CANCELLED", deadline=20)
    assert docker_engine.inspect(f"forebay-{run_id}-1")["State"]["ExitCode"] == 137


def test_an_exit_code_counts_when_only_a_child_ran_out_of_memory(run):
    ended = run("sh -c 'x=x; while :; do x=$x$x; done'; echo went on; exit 0", mem_limit="16m", memswap_limit="16m")
    assert (ended.state, ended.exit_code) == ("COMPLETED", 0), ended.message
    assert "went on" in ended.lines


def test_a_cancel_ends_a_pull_too(api, worker, submit, registry_double, docker_engine):
    image = registry_double.image("stuck", "hang in layer")
    run_id = submit("true", image=image, image_pull_policy="Always")
    wait_until(lambda: registry_double.pulls("stuck"), what="the pull began")
    api.cancel(run_id)
    api.wait_for_state(run_id, "CANCELLED", deadline=20)
    assert not docker_engine.exists(f"forebay-{run_id}-1")


# Images from registries.


@pytest.mark.parametrize(
    "behaviour, reason",
    [
        ("manifest unknown", "IMAGE_NOT_FOUND"),
        ("name unknown", "IMAGE_NOT_FOUND"),
        ("denied", "IMAGE_UNAUTHORIZED"),
        ("unauthorized", "IMAGE_UNAUTHORIZED"),
        ("other platform", "IMAGE_WRONG_PLATFORM"),
        ("corrupt", "IMAGE_CORRUPT"),
    ],
)
def test_an_image_that_cannot_be_had_ends_the_run_with_its_class(run, registry_double, behaviour, reason):
    image = registry_double.image("bad", behaviour)
    ended = run("true", image=image, image_pull_policy="IfNotPresent")
    assert (ended.state, ended.reason) == ("FAILED", reason), ended.message
    assert image in ended.message


@pytest.mark.parametrize("behaviour", ["error", "unavailable", "too many", "cut off"])
def test_a_registry_in_trouble_is_asked_again(api, worker, submit, registry_double, behaviour):
    image = registry_double.image("later", behaviour)
    run_id = submit("cat /repository", image=image, image_pull_policy="IfNotPresent")
    wait_until(lambda: reasons(api, run_id), what="an attempt failed")
    registry_double.image("later")
    api.wait_for_state(run_id, "COMPLETED")
    assert api.output(run_id) == ["later"]
    assert reasons(api, run_id)[0] == "REGISTRY_UNREACHABLE"


def test_a_host_that_does_not_exist_is_told_by_its_name(api, worker, submit):
    run_id = submit("true", image="no-such-host.invalid/x:1", image_pull_policy="IfNotPresent")
    wait_until(lambda: reasons(api, run_id), what="an attempt failed")
    assert reasons(api, run_id)[0] == "REGISTRY_UNREACHABLE"
    assert "no-such-host.invalid" in api.run(run_id, full=True).attempts[0].outcome.message
    api.cancel(run_id)
    api.wait_for_state(run_id, "CANCELLED")


@pytest.mark.parametrize("behaviour", ["silent", "hang in layer"])
def test_a_pull_that_hangs_ends_before_the_start_deadline(env, api, docker_engine, registry_double, behaviour):
    api.create_pool("impatient", "docker", start_deadline=5000)
    variables = json.dumps({"image": registry_double.image("stuck", behaviour), "network_mode": "none"})
    api.deploy("flow/stuck", "impatient", ["true"], job_variables=variables)
    env.new_worker("impatient", arguments=("--docker-host", docker_engine.address))
    run_id = api.submit("flow/stuck")
    wait_until(lambda: reasons(api, run_id), what="an attempt failed")
    assert reasons(api, run_id)[0] == "IMAGE_PULL_TIMEOUT"
    api.cancel(run_id)
    api.wait_for_end(run_id)


def test_the_log_tells_of_a_pull(run, registry_double):
    ended = run("cat /repository", image=registry_double.image("slow", "slow"), image_pull_policy="Always")
    told = [entry.text for entry in ended.entries if STREAMS[entry.stream] == "SYSTEM"]
    assert any("Downloading" in line and "%" in line for line in told), told
    assert any("Pull complete" in line for line in told) and ended.lines == ["slow"]


def test_an_image_is_pulled_as_often_as_the_policy_says(run, registry_double):
    image = registry_double.image("policies")
    asked = lambda: sum("/policies/manifests/" in path for _, path, _ in registry_double.requests)  # noqa: E731
    assert run("true", image=image, image_pull_policy="IfNotPresent").state == "COMPLETED" and asked() > 0
    before = asked()
    assert run("true", image=image).state == "COMPLETED"
    assert run("true", image=image, image_pull_policy="IfNotPresent").state == "COMPLETED" and asked() == before
    assert run("true", image=image, image_pull_policy="Always").state == "COMPLETED" and asked() > before


def test_if_possible_goes_on_with_the_image_that_is_here(run, registry_double):
    image = registry_double.image("fallback")
    assert run("true", image=image, image_pull_policy="IfPossible").state == "COMPLETED"
    registry_double.image("fallback", "error")
    ended = run("cat /repository", image=image, image_pull_policy="IfPossible")
    assert (ended.state, ended.lines) == ("COMPLETED", ["fallback"])


@pytest.fixture
def run_with_login(env, api, pool, submit, docker_engine, closed_registry, scratch):
    """run_with_login(name): the ended run of an image that takes a login, with those credentials of the worker's."""
    image = closed_registry.push(docker_engine, BUSYBOX)
    (login,) = closed_registry.docker_config["auths"].values()
    # Names of several lengths: what the engine is sent is padded to groups of three bytes.
    entries = {"good": login, "good1": login, "good22": login, "bad": {"username": "tester", "password": "wrong"}}
    file = scratch / "registries.json"
    file.write_text(json.dumps({"auths": entries}))
    file.chmod(0o600)
    env.new_worker("boxes", arguments=("--docker-host", docker_engine.address, "--registry-credentials-file", str(file)))

    def run(name: str) -> Ended:
        variables = {"registry_credentials": name} if name else {}
        docker_engine.remove_image(image)
        run_id = submit("echo in", image=image, image_pull_policy="Always", **variables)
        api.wait_for_end(run_id)
        return Ended(api, run_id)

    return run


@pytest.mark.parametrize("name", ["good", "good1", "good22"])
def test_an_image_behind_a_login_is_pulled_with_the_workers_credentials(run_with_login, docker_engine, name, scratch):
    ended = run_with_login(name)
    assert (ended.state, ended.lines) == ("COMPLETED", ["in"]), ended.message
    shown = json.dumps(docker_engine.inspect(ended.infrastructure)) + "".join(entry.text for entry in ended.entries)
    shown += "".join(log.read_text(errors="replace") for log in scratch.glob("worker*.log"))
    assert PASSWORD not in shown


@pytest.mark.parametrize(
    "name, reason",
    [("", "IMAGE_UNAUTHORIZED"), ("bad", "IMAGE_UNAUTHORIZED"), ("goood", "REGISTRY_CREDENTIALS_MISSING")],
)
def test_an_image_behind_a_login_is_not_had_without(run_with_login, name, reason):
    ended = run_with_login(name)
    assert (ended.state, ended.reason) == ("FAILED", reason), ended.message


# An engine or a worker that goes away.


def test_a_run_outlives_its_engine(env, api, pool, submit, own_engine):
    env.new_worker("boxes", arguments=("--docker-host", own_engine.address))
    run_id = submit("for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.5; done; exit 4")
    wait_until(lambda: api.output(run_id), what="first line")
    own_engine.kill()
    own_engine.start()
    run = api.wait_for_end(run_id)
    assert (run.exit_code, run.attempt_count) == (4, 1)
    assert api.output(run_id) == [str(number) for number in range(1, 9)]


def test_a_worker_without_an_engine_says_so_and_takes_no_run(env, api, pool, submit, own_engine):
    own_engine.kill()
    env.new_worker("boxes", arguments=("--docker-host", own_engine.address))
    run_id = submit("echo at last")
    (seen,) = api.FleetService.ListWorkers(work_pool=pool.name).workers
    assert str(own_engine.socket) in seen.not_ready_reason
    assert api.state(run_id) == "SCHEDULED"
    own_engine.start()
    api.wait_for_state(run_id, "COMPLETED")


def test_a_container_is_adopted_by_the_next_worker_with_its_log_and_its_end(env, api, pool, submit, docker_engine):
    worker = env.new_worker("boxes", arguments=("--docker-host", docker_engine.address))
    run_id = submit("for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done; exit 3")
    wait_until(lambda: api.output(run_id), what="first line")
    worker.kill()
    worker.start()
    run = api.wait_for_end(run_id)
    assert (run.exit_code, run.attempt_count) == (3, 1)
    assert api.output(run_id) == [str(number) for number in range(1, 7)]
    env.checker.check(api)
