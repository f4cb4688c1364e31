"""`forebay` for runs: run, watch, logs, cancel, delete, and exit codes that say how a run ended."""

import json
import os
import signal
import subprocess

import pytest
from forebay.process import binary, clean_environment
from forebay.waiting import wait_until

FAILED, CRASHED, TIMED_OUT, INTERRUPTED = 6, 7, 8, 130


@pytest.fixture
def forebay(env):
    """The command line, with a pool, a worker and a deployment f/shell whose parameter `script` is run by sh."""
    cli = env.new_cli()
    assert cli("work-pool", "create", "--type", "process", "p", "--cancel-grace", "1s").code == 0
    env.new_worker("p")
    deploy(cli, "shell", "echo out; echo err >&2; exit ${CODE:-0}")
    return cli


def deploy(cli, name, script):
    result = cli("deploy", "--name", name, "--flow", "f", "--pool", "p", "--", "/bin/sh", "-c", script)
    assert result.code == 0, result.err


def test_run_and_watch_prints_states_and_log_and_ends_with_the_runs_outcome(forebay):
    done = forebay("deployment", "run", "f/shell", "--watch")
    assert done.code == 0, done.err
    text = done.out + done.err
    for word in ("PENDING", "RUNNING", "COMPLETED", "out", "err"):
        assert word in text
    failed = forebay("deployment", "run", "f/shell", "--watch", "--job-variable", "env.CODE=9")
    assert failed.code == FAILED and "9" in failed.err
    deploy(forebay, "crash", "kill -9 $$")
    assert forebay("deployment", "run", "f/crash", "--watch").code == CRASHED
    deploy(forebay, "slow", "sleep 600")
    late = forebay("deployment", "run", "f/slow", "--watch", "--timeout", "500ms")
    assert late.code == TIMED_OUT


def test_parameters_from_words_and_from_json_reach_the_command(forebay):
    deploy(forebay, "echo", 'printf "%s" "$FOREBAY_PARAMETERS"')
    result = forebay("deployment", "run", "f/echo", "--watch", "--param", "n=3", "--param", "s=a b", "--param", "l=[1,2]",
                     "--params", '{"m": {"k": null}}', "-o", "json")  # fmt: skip
    assert result.code == 0, result.err
    run_id = forebay("flow-run", "ls", "-o", "name").out.split()[0]
    assert json.loads(forebay("flow-run", "logs", run_id).out) == {"n": 3, "s": "a b", "l": [1, 2], "m": {"k": None}}


def test_a_run_is_listed_inspected_its_log_printed_and_deleted(forebay):
    created = forebay("deployment", "run", "f/shell", "-o", "name")
    run_id = created.out.strip()
    assert forebay("flow-run", "watch", run_id).code == 0
    (listed,) = forebay("flow-run", "ls", "--state", "completed", "-o", "json").json
    assert listed["name"] == f"flowRuns/{run_id}"
    assert forebay("flow-run", "ls", "--state", "failed", "-o", "json").json == []
    inspected = forebay("flow-run", "inspect", run_id, "-o", "json").json
    assert len(inspected["attempts"]) == 1 and inspected["exit_code"] == 0
    card = forebay("flow-run", "inspect", run_id).out
    assert "COMPLETED" in card and "ATTEMPT" in card
    logs = forebay("flow-run", "logs", run_id).out.splitlines()
    assert sorted(logs) == ["err", "out"]
    assert forebay("flow-run", "logs", run_id, "--offset", "1").out.splitlines() == logs[1:]
    assert forebay("flow-run", "delete", run_id).code == 0
    assert forebay("flow-run", "inspect", run_id).code == 3


def test_following_a_log_across_a_server_restart_loses_and_repeats_nothing(env, forebay):
    deploy(forebay, "count", "i=0; while [ $i -lt 60 ]; do echo line $i; i=$((i+1)); sleep 0.1; done")
    run_id = forebay("deployment", "run", "f/count", "-o", "name").out.strip()
    follower = subprocess.Popen(
        [binary("forebay"), "flow-run", "logs", "-f", run_id],
        stdout=subprocess.PIPE, text=True, env=clean_environment(**forebay.environment),
    )  # fmt: skip
    wait_until(lambda: "line 5" in forebay("flow-run", "logs", run_id).out, what="some lines")
    env.restart_server()
    out, _ = follower.communicate(timeout=90)
    assert out.splitlines() == [f"line {number}" for number in range(60)]
    assert follower.returncode == 0


def test_a_cancelled_run_ends_watch_with_its_code(forebay):
    deploy(forebay, "slow", "echo ready; sleep 600")
    run_id = forebay("deployment", "run", "f/slow", "-o", "name").out.strip()
    wait_until(lambda: "ready" in forebay("flow-run", "logs", run_id).out, what="first line")
    watcher = forebay.background("watcher", "flow-run", "watch", run_id)
    assert forebay("flow-run", "delete", run_id).code == 5
    assert forebay("flow-run", "cancel", run_id).code == 0
    assert watcher.wait() == CRASHED
    assert "CANCELLED" in watcher.tail()
    assert forebay("flow-run", "cancel", run_id).code == 5


def test_an_interrupted_watch_leaves_the_run_alone(env, forebay):
    deploy(forebay, "slow", "sleep 600")
    run_id = forebay("deployment", "run", "f/slow", "-o", "name").out.strip()
    env.api.wait_for_state(run_id, "RUNNING")
    watcher = forebay.background("watcher", "flow-run", "watch", run_id)
    wait_until(lambda: "RUNNING" in watcher.tail(), what="the watcher sees it")
    watcher.signal(signal.SIGINT)
    assert watcher.wait() == INTERRUPTED
    assert env.api.state(run_id) == "RUNNING"


def test_the_same_idempotency_key_runs_once(forebay):
    first = forebay("deployment", "run", "f/shell", "--idempotency-key", "k", "-o", "name").out
    assert first and forebay("deployment", "run", "f/shell", "--idempotency-key", "k", "-o", "name").out == first
    assert forebay("deployment", "run", "f/shell", "--idempotency-key", "k", "--param", "a=1").code == 5


def test_a_run_in_the_future_says_when_it_is_due(forebay):
    run_id = forebay("deployment", "run", "f/shell", "--in", "1h", "-o", "name").out.strip()
    assert "SCHEDULED" in forebay("flow-run", "inspect", run_id).out
    assert forebay("flow-run", "cancel", run_id).code == 0


def test_a_reader_that_goes_away_ends_the_command_quietly(forebay):
    deploy(forebay, "many", "seq 1 20000")
    run_id = forebay("deployment", "run", "f/many", "-o", "name").out.strip()
    assert forebay("flow-run", "watch", run_id).code == 0
    read, write = os.pipe()
    process = subprocess.Popen(
        [binary("forebay"), "flow-run", "logs", run_id], stdout=write, stderr=subprocess.PIPE, text=True,
        env=clean_environment(**forebay.environment),
    )  # fmt: skip
    os.close(write)
    os.read(read, 10)
    os.close(read)
    _, err = process.communicate(timeout=60)
    assert "terminate" not in err and process.returncode != -6
