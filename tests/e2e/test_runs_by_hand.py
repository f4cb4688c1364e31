"""`python flow.py` where a server is configured: it runs here, and the server keeps what became of it."""

import json
import signal
import socket

import pytest
from forebay.api import ApiError
from forebay.postgres import free_port
from forebay.process import ChildProcess
from forebay.python_project import PYTHON, Project
from forebay.waiting import wait_until

FLOWS = """
    import asyncio
    import os
    import signal
    import sys
    import time
    from forebay import flow, get_run_logger, runtime, task

    @task
    def double(n):
        get_run_logger().info("doubling %d", n)
        return 2 * n

    @flow(log_prints=True, flow_run_name="sums {numbers}")
    def sums(numbers: list = [1, 2]):
        print(f"run {runtime.flow_run.id}")
        inner()
        return sum(future.result() for future in double.map(numbers))

    @flow(log_prints=True)
    def inner():
        print("inner")

    @flow
    def fails():
        raise ValueError("no such thing")

    @flow
    def leaves():
        sys.exit(3)

    @flow(log_prints=True, on_cancellation=[lambda flow, run, state: print("hook")])
    def waits(seconds: float = float(os.environ.get("SECONDS", "60"))):
        print("at work")
        time.sleep(seconds)

    @flow(log_prints=True)
    def own_handler():
        print("at work")
        while not caught:
            time.sleep(0.05)
        print("my own handler")

    caught = []
    if sys.argv[1] == "own_handler":
        signal.signal(signal.SIGTERM, lambda *_: caught.append(1))

    @flow
    async def waits_a():
        await asyncio.sleep(60)

    @flow
    async def waits_b():
        while not ended:
            await asyncio.sleep(0.05)

    ended = []

    class both:
        is_async = True

        def __new__(cls):
            async def run():
                first = asyncio.ensure_future(waits_a())
                first.add_done_callback(lambda _: ended.append(1))
                await asyncio.gather(first, waits_b(), return_exceptions=True)

            return run()

    @flow
    async def later():
        get_run_logger().info("later")
        await asyncio.sleep(0)
        return 5

    if __name__ == "__main__":
        found = globals()[sys.argv[1]]
        print("result", asyncio.run(found()) if found.is_async else found())
"""


@pytest.fixture
def project(env, api, scratch):
    made = Project(env, scratch / "project")
    made.write("flows.py", FLOWS)
    return made


def only_run(api):
    (run,) = api.FlowRunService.ListFlowRuns().flow_runs
    return run


def test_it_runs_here_and_is_kept_there(env, api, project):
    done = project.python("flows.py", "sums")
    assert done.returncode == 0 and done.stdout == "result 6\n", done.stderr
    run = only_run(api)
    run_id = run.name.rpartition("/")[2]
    assert run.state.name == "Completed" and run.deployment.endswith("flows/sums/deployments/by-hand")
    assert json.loads(run.parameters) == {"numbers": [1, 2]}
    lines = api.output(run_id)
    assert lines[:2] == [f"run {run_id}", "inner"]
    assert sorted(lines[2:]) == ["[double] doubling 1", "[double] doubling 2"]
    # The terminal has the same lines.
    assert [line.partition("INFO ")[2] for line in done.stderr.splitlines()][:2] == lines[:2]
    full = api.run(run_id, full=True)
    assert len(full.attempts) == 1 and full.attempts[0].infrastructure_id


@pytest.mark.parametrize(("name", "state", "told"), [("fails", "Failed", "ValueError: no such thing"), ("leaves", "Failed", "3")])
def test_how_it_failed(api, project, name, state, told):
    done = project.python("flows.py", name)
    assert done.returncode == (1 if name == "fails" else 3)
    run = only_run(api)
    assert run.state.name == state and told in run.state.message


def test_an_async_flow(api, project):
    assert project.python("flows.py", "later").stdout == "result 5\n"
    run = only_run(api)
    assert run.state.name == "Completed" and api.output(run.name.rpartition("/")[2]) == ["later"]


@pytest.fixture
def program(project):
    started = []

    def start(name: str, **environment: str) -> ChildProcess:
        child = ChildProcess(name, [PYTHON, "flows.py", name], project.directory, **{**project.environment(), **environment})
        started.append(child)
        child.spawn()
        return child

    yield start
    for child in started:
        child.close()


def started_run(api):
    wait_until(lambda: len(api.FlowRunService.ListFlowRuns().flow_runs) == 1, what="it has begun")
    run_id = only_run(api).name.rpartition("/")[2]
    wait_until(lambda: api.output(run_id) == ["at work"], what="it is at work")
    return run_id


def test_a_cancel_reaches_it(api, project, program):
    child = program("waits")
    run_id = started_run(api)
    running = api.run(run_id)
    assert running.state.name == "Running" and running.state.message.startswith("runs where it was started by hand: ")
    # It takes no slot.
    assert api.WorkPoolService.GetWorkPool(name="workPools/by-hand").work_pool.held_attempts == 0
    api.cancel(run_id)
    assert api.wait_for_end(run_id).state.name == "Cancelled"
    assert child.wait() == 1 and "cancelled: the run was asked to stop" in child.tail()
    assert api.output(run_id) == ["at work", "hook"]


def test_ctrl_c_fails_it(api, project, program):
    child = program("waits")
    run_id = started_run(api)
    child.signal(signal.SIGINT)
    assert child.wait() != 0
    run = api.wait_for_end(run_id)
    assert run.state.name == "Failed" and "KeyboardInterrupt" in run.state.message


def test_killed_it_is_crashed(env, api, project, program):
    api.create_pool("by-hand", crash_after=2000, lease_ttl=2000)
    child = program("waits")
    run_id = started_run(api)
    child.kill()
    run = api.wait_for_end(run_id)
    assert run.state.name == "Crashed" and "started by hand has been silent" in run.state.message


def test_a_limit_of_its_pool_holds_nothing_back_and_is_not_miscounted(env, api, project):
    pool = api.create_pool("by-hand")
    pool.concurrency_limit = 0
    api.WorkPoolService.UpdateWorkPool(work_pool=pool, update_mask={"paths": ["concurrency_limit"]})
    assert project.python("flows.py", "sums").returncode == 0
    assert only_run(api).state.name == "Completed"


def test_one_that_slept_too_long_goes_on_unrecorded(env, api, project, program):
    api.create_pool("by-hand", crash_after=2000, lease_ttl=2000)
    child = program("waits", SECONDS="20")
    run_id = started_run(api)
    child.signal(signal.SIGSTOP)
    assert api.wait_for_end(run_id).state.name == "Crashed"
    child.signal(signal.SIGCONT)
    assert child.wait() == 0
    assert "the server has given this run up" in child.tail() or "how this run ended is not recorded" in child.tail()


def test_a_paused_one_that_dies_has_crashed(api, project, program):
    api.create_pool("by-hand", crash_after=2000, lease_ttl=2000)
    child = program("waits")
    run_id = started_run(api)
    child.signal(signal.SIGSTOP)
    api.FlowRunService.PauseFlowRun(name=f"flowRuns/{run_id}")
    child.kill()
    assert api.wait_for_end(run_id).state.name == "Crashed"


def test_nobody_runs_changes_or_retries_it_from_afar(api, project):
    project.python("flows.py", "fails")
    run_id = only_run(api).name.rpartition("/")[2]
    for call in (
        lambda: api.FlowRunService.CreateFlowRun(deployment="fails/by-hand"),
        lambda: api.FlowRunService.RetryFlowRun(name=f"flowRuns/{run_id}"),
        lambda: api.deploy("fails/by-hand", "by-hand", ["true"]),
    ):
        with pytest.raises(ApiError) as refused:
            call()
        assert refused.value.reason == "STARTED_BY_HAND"


def test_two_at_once_of_which_one_is_cancelled(api, project, program):
    child = program("both")
    wait_until(lambda: len(api.FlowRunService.ListFlowRuns().flow_runs) == 2, what="both have begun")
    runs = {run.flow: run.name.rpartition("/")[2] for run in api.FlowRunService.ListFlowRuns().flow_runs}
    api.cancel(runs["waits-a"])
    assert api.wait_for_end(runs["waits-a"]).state.name == "Cancelled"
    assert api.wait_for_end(runs["waits-b"]).state.name == "Completed"
    assert child.wait() == 0


def test_a_handler_of_the_programs_own_stays(api, project, program):
    child = program("own_handler")
    run_id = started_run(api)
    child.signal(signal.SIGTERM)
    assert child.wait() == 0 and "my own handler" in child.tail()
    assert api.wait_for_end(run_id).state.name == "Completed"


def test_what_answers_is_no_server(api, project, program):
    port = free_port()
    other = ChildProcess("other", [PYTHON, "-m", "http.server", "--bind", "127.0.0.1", str(port)], project.directory).spawn()
    try:
        wait_until(lambda: "Serving HTTP" in other.tail() or _listens(port), what="it listens")
        done = project.python("flows.py", "sums", FOREBAY_API_URL=f"http://127.0.0.1:{port}")
        assert done.returncode == 0 and done.stdout == "result 6\n" and "this run is not recorded" in done.stderr
    finally:
        other.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_second_server_is_asked_where_the_first_is_down(env, api, project):
    done = project.python("flows.py", "sums", FOREBAY_API_URL=f"http://127.0.0.1:{free_port()},{env.server.http_url}")
    assert done.returncode == 0 and "not recorded" not in done.stderr
    assert only_run(api).state.name == "Completed"


def test_the_server_may_restart_meanwhile(env, api, project, program):
    child = program("waits")
    run_id = started_run(api)
    env.restart_server("kill")
    api.cancel(run_id)
    assert api.wait_for_end(run_id).state.name == "Cancelled"
    assert child.wait() == 1


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"FOREBAY_API_URL": "http://127.0.0.1:1"}, "this run is not recorded: no server answers"),
        ({"FOREBAY_API_KEY": "fbk_nonsense"}, "this run is not recorded"),
        ({"FOREBAY_RECORD": "off"}, ""),
    ],
)
def test_without_a_server_that_keeps_it_it_just_runs(api, project, settings, told):
    done = project.python("flows.py", "sums", **settings)
    assert done.returncode == 0 and done.stdout == "result 6\n" and told in done.stderr
    assert ("not recorded" in done.stderr) == bool(told)
    assert not api.FlowRunService.ListFlowRuns().flow_runs


def test_a_viewer_is_told_that_it_may_not(env, api, project):
    viewer = api.TokenService.CreateUserKey(description="v", role="viewer").secret
    done = project.python("flows.py", "sums", FOREBAY_API_KEY=viewer)
    assert done.returncode == 0 and "this run is not recorded" in done.stderr and "runner" in done.stderr


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"flow": "a/b"}, "INVALID_NAME"),
        ({"flow": ""}, "INVALID_NAME"),
        ({"flow": "f", "parameters": "[1]"}, "INVALID_JSON"),
        ({"flow": "f", "tags": ["x"] * 51}, "TOO_LARGE"),
        ({"flow": "f", "display_name": "x" * 256}, "TOO_LARGE"),
    ],
)
def test_what_the_server_refuses(api, fields, reason):
    with pytest.raises(ApiError) as refused:
        api.FlowRunService.BeginFlowRun(**fields)
    assert refused.value.reason == reason
