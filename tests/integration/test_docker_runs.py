"""Runs as containers of a real engine: each variable by its effect inside, what is told of the end, what is left."""

import json

import pytest
from forebay import protocol
from forebay.images import BUSYBOX
from forebay.waiting import wait_until

STREAMS = {number: name for name, number in protocol.enum("LogStream").items()}


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

    def run(script: str | list[str], **variables) -> "Ended":
        run_id = submit(script, **variables)
        api.wait_for_end(run_id)
        return Ended(api, run_id)

    return run


class Ended:
    def __init__(self, api, run_id: str):
        self.id = run_id
        run = api.run(run_id, full=True)
        self.state = protocol.STATES[run.state.type]
        self.reason, self.message = run.state.reason, run.state.message
        self.exit_code = run.exit_code if run.HasField("exit_code") else None
        self.usage = run.attempts[-1].usage
        self.entries = [line.entry for line in api.log(run_id)]
        self.lines = [entry.text for entry in self.entries if STREAMS[entry.stream] != "SYSTEM"]

    @property
    def container(self) -> str:
        return f"forebay-{self.id}-1"


def test_a_run_is_a_container_with_its_attribution(run, docker_engine, worker):
    ended = run("echo hello; env")
    assert ended.state == "COMPLETED"
    assert ended.lines[0] == "hello"
    environment = dict(line.split("=", 1) for line in ended.lines[1:])
    assert environment["FOREBAY_RUN_ID"] == ended.id
    assert environment["FROM_IMAGE"] == "image"
    inspected = docker_engine.inspect(ended.container)
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
        ({"mem_limit": "64m"}, "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max", "67108864"),
        ({"cpus": 0.5}, "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cat /sys/fs/cgroup/cpu.max", "50000"),
        ({"pids_limit": 20}, "cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max", "20"),
        ({"shm_size": "32m"}, "df -k /dev/shm | tail -1", "32768"),
        ({"user": "1000"}, "id -u", "1000"),
        ({"user": "user:user"}, "id -g", "1000"),
        ({"read_only": True}, "touch /x || echo read-only", "read-only"),
        ({"cap_drop": ["ALL"]}, "grep CapEff /proc/self/status", "0000000000000000"),
        ({"working_dir": "/etc"}, "pwd", "/etc"),
        ({"network_mode": "none"}, "ls /sys/class/net", "lo"),
        ({"env.ADDED": "by dots"}, "echo $ADDED", "by dots"),
        ({"env": {"FROM_IMAGE": None}}, "echo [${FROM_IMAGE-unset}]", "[unset]"),
        ({"env": {"NUMBER": 9007199254740993, "FLAG": True}}, "echo $NUMBER $FLAG", "9007199254740993 true"),
        ({"command": ["/bin/echo", "a  b", "$HOME"]}, "false", "a  b $HOME"),
        ({"image": "forebay-test/entry:1", "command": ["more"]}, "false", "entry more"),
        ({"entrypoint": ["/bin/echo", "own"], "command": ["x"]}, "false", "own x"),
        ({"image": "forebay-test/entry:1", "entrypoint": [], "command": ["/bin/echo", "bare"]}, "false", "bare"),
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
        wait_until(lambda: not docker_engine.exists(ended.container), what="the container to go")
    else:
        assert docker_engine.inspect(ended.container)["State"]["Status"] == "exited"


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
