"""Plain commands as processes: what a run gets, what of it is kept, and what is left afterwards."""

import json
import os
import pathlib

import pytest
from forebay import protocol
from forebay.process import is_alive
from forebay.waiting import wait_until

STREAMS = {number: name for name, number in protocol.enum("LogStream").items()}


@pytest.fixture
def pool(api):
    return api.create_pool("alpha", cancel_grace=1000)


@pytest.fixture
def run_shell(env, api, pool):
    """run_shell(script, …): the ended run of a shell script on a worker; the first call starts the worker."""
    workers = []

    def run(script: str, parameters: str = "", job_variables: str = "", worker=None):
        api.deploy("flow/shell", "alpha", ["/bin/sh", "-c", script])
        run_id = api.submit("flow/shell", parameters=parameters, job_variables=job_variables)
        if not workers:
            workers.append(env.new_worker("alpha", **(worker or {})))
        api.wait_for_end(run_id)
        return api.run(run_id, full=True)

    return run


def run_id_of(run) -> str:
    return run.name.removeprefix("flowRuns/")


def test_a_run_gets_its_parameters_and_its_attribution_and_little_else(env, api, run_shell):
    run = run_shell(
        "env -0",
        parameters='{"top": 5, "path": "a b", "list": [1, {"x": null}]}',
        job_variables='{"env": {"MINE": "1", "N": 2}}',
        worker={"OUTSIDE_SECRET": "hidden"},
    )
    text = "\n".join(api.output(run_id_of(run)))
    environment = dict(entry.split("=", 1) for entry in text.split("\x00") if entry)
    assert json.loads(environment["FOREBAY_PARAMETERS"]) == {"top": 5, "path": "a b", "list": [1, {"x": None}]}
    assert environment["FOREBAY_RUN_ID"] == run_id_of(run)
    assert (environment["FOREBAY_ATTEMPT"], environment["FOREBAY_EPOCH"]) == ("1", "1")
    assert (environment["MINE"], environment["N"]) == ("1", "2")
    assert "PATH" in environment and "OUTSIDE_SECRET" not in environment
    assert not [name for name, value in environment.items() if value.startswith(("fbk_", "fbw_", "fbt_", "fbr_"))]


def test_no_credential_stands_in_any_process_of_a_run(env, api, pool):
    api.deploy("flow/one", "alpha", env.marks.command("sleep", "600"))
    worker = env.new_worker("alpha")
    run_id = api.submit("flow/one")
    wait_until(lambda: env.marks.starts(run_id), what="user code began")
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if run_id.encode() in text or int(folder.name) == worker.pid:
            assert b"fbt_" not in text and b"fbw_" not in text and b"fbk_" not in text
    api.cancel(run_id)
    api.wait_for_state(run_id, "CANCELLED")


def test_every_line_of_both_streams_is_kept_in_order(api, run_shell):
    run = run_shell("i=0; while [ $i -lt 3000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; printf unended")
    lines = api.log(run_id_of(run))
    by_stream = {"STDOUT": [], "STDERR": []}
    for line in lines:
        by_stream.setdefault(STREAMS[line.entry.stream], []).append(line.entry.text)
    assert by_stream["STDOUT"] == [f"out {number}" for number in range(3000)] + ["unended"]
    assert by_stream["STDERR"] == [f"err {number}" for number in range(3000)]


def test_long_lines_are_split_and_marked_and_bytes_that_are_no_text_are_replaced(api, run_shell):
    run = run_shell("head -c 200000 /dev/zero | tr '\\0' x; echo; printf '\\377\\376ok\\n'; printf 'ü\\n'; printf '\\n'")
    entries = [line.entry for line in api.log(run_id_of(run))]
    whole = [i for i, entry in enumerate(entries) if not entry.partial][0]
    assert "".join(entry.text for entry in entries[: whole + 1]) == "x" * 200000
    assert all(len(entry.text.encode()) <= 65536 for entry in entries)
    assert [entry.text for entry in entries[whole + 1 :]] == ["\ufffd\ufffdok", "ü", ""]


def test_the_exit_code_decides(api, run_shell):
    assert (run_shell("exit 0").exit_code, run_shell("exit 255").exit_code) == (0, 255)
    failed = run_shell("exit 7")
    assert protocol.STATES[failed.state.type] == "FAILED" and failed.exit_code == 7
    assert "7" in failed.state.message


def test_a_run_ended_by_a_signal_has_crashed_and_says_by_which(api, run_shell):
    run = run_shell("kill -SEGV $$")
    assert protocol.STATES[run.state.type] == "CRASHED"
    assert run.state.reason == "SIGNALED" and ("11" in run.state.message or "SEGV" in run.state.message)


def test_what_a_run_used_is_kept(run_shell):
    run = run_shell("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done")
    usage = run.attempts[0].usage
    assert usage.cpu_user_micros > 10_000 and usage.max_rss_bytes > 100_000


def test_a_run_starts_in_a_fresh_directory_that_is_removed(api, run_shell):
    first = run_shell("pwd; ls -A | wc -l; touch left-behind; cat; umask")
    directory, count, mask = api.output(run_id_of(first))
    assert count.strip() == "0" and not os.path.exists(directory) and mask
    second = run_shell("pwd; ls -A | wc -l")
    assert api.output(run_id_of(second))[0] != directory


def test_a_directory_that_does_not_exist_is_an_error_of_the_run(run_shell):
    run = run_shell("true", job_variables='{"working_dir": "/nowhere/at/all"}')
    assert protocol.STATES[run.state.type] in ("FAILED", "CRASHED")
    assert "/nowhere/at/all" in run.state.message


def test_job_variables_of_deployment_and_run_are_merged(env, api, pool):
    command = ["/bin/sh", "-c", 'echo "$A $B $C"; pwd']
    api.deploy("flow/env", "alpha", command, job_variables='{"env": {"A": "1", "B": "1", "C": "1"}, "working_dir": "/"}')
    run_id = api.submit("flow/env", job_variables='{"env.B": "2", "env": {"C": null}, "working_dir": "/tmp"}')
    env.new_worker("alpha")
    api.wait_for_state(run_id, "COMPLETED")
    assert api.output(run_id) == ["1 2 ", "/tmp"]


def test_the_command_is_an_argv_and_never_a_shell_line(env, api, pool):
    words = ["/usr/bin/printf", "%s|", "a b", "$HOME", "`id`", "{{ name }}", "; true", "ü", ""]
    api.deploy("flow/argv", "alpha", words)
    env.new_worker("alpha")
    run_id = api.submit("flow/argv")
    api.wait_for_state(run_id, "COMPLETED")
    assert api.output(run_id) == ["|".join(words[2:]) + "|"]


def test_a_worker_runs_at_most_its_limit_at_once(env, api, pool):
    api.deploy("flow/one", "alpha", env.marks.command("sleep", "0.3"))
    env.new_worker("alpha", limit=2)
    for run_id in api.submit_many("flow/one", 8):
        api.wait_for_state(run_id, "COMPLETED")
    running = highest = 0
    for mark in sorted(env.marks.marks(), key=lambda mark: (mark.nanoseconds, mark.what)):
        running += {"start": 1, "end": -1}[mark.what]
        highest = max(highest, running)
    assert highest == 2
    env.checker.check(api, env.marks)


def test_a_worker_takes_only_from_its_queues(env, api, pool):
    queue = protocol.message("WorkQueue")(name="workPools/alpha/queues/fast")
    api.WorkQueueService.CreateWorkQueue(work_queue=queue)
    api.deploy("flow/slow", "alpha", ["true"])
    api.deploy("flow/fast", "alpha", ["true"], queue="fast")
    slow, fast = api.submit("flow/slow"), api.submit("flow/fast")
    env.new_worker("alpha", arguments=("--queues", "fast"))
    api.wait_for_state(fast, "COMPLETED")
    assert api.state(slow) == "SCHEDULED"


def test_a_cancelled_run_is_asked_first_and_what_it_says_is_kept(env, api, pool):
    script = "trap 'echo stopping; exit 3' TERM; echo ready; while :; do sleep 0.1; done"
    api.deploy("flow/one", "alpha", ["/bin/sh", "-c", script])
    env.new_worker("alpha")
    run_id = api.submit("flow/one")
    wait_until(lambda: api.output(run_id) == ["ready"], what="first line")
    assert protocol.STATES[api.cancel(run_id).state.type] == "CANCELLING"
    api.wait_for_state(run_id, "CANCELLED")
    # The shell may remark on the end of its `sleep`, too.
    output = api.output(run_id)
    assert output[0] == "ready" and "stopping" in output
    env.checker.check(api)
    env.checker.check_no_leaks([run_id])


def test_a_holder_that_is_killed_ends_its_run_with_a_reason(env, api, pool):
    api.deploy("flow/one", "alpha", env.marks.command("sleep", "600"))
    env.new_worker("alpha")
    run_id = api.submit("flow/one")
    (start,) = wait_until(lambda: env.marks.starts(run_id), what="user code began")
    holder = int(pathlib.Path(f"/proc/{start.pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(holder, 9)
    run = api.wait_for_state(run_id, "CRASHED")
    assert run.state.reason in ("HOLDER_LOST", "SIGNALED")
    wait_until(lambda: not is_alive(start.pid, start.process_start), what="user code gone with its holder")


@pytest.mark.skipif("FOREBAY_SANITIZED" in os.environ, reason="a sanitizer keeps freed memory on purpose")
def test_a_workers_memory_does_not_grow_with_the_log(env, api, pool):
    api.deploy("flow/chatty", "alpha", ["/bin/sh", "-c", "yes 0123456789012345678901234567890123456789 | head -n 200000"])
    worker = env.new_worker("alpha", limit=1, arguments=("--log-rate-bytes", "100000000", "--log-burst-bytes", "100000000"))
    sizes = []
    for _ in range(4):
        run_id = api.submit("flow/chatty")
        api.wait_for_state(run_id, "COMPLETED")
        sizes.append(worker.rss_bytes())
    assert sizes[-1] < sizes[0] + (8 << 20), sizes
    assert len(api.output(run_id)) == 200000
    env.checker.check(api)
