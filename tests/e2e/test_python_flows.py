"""Flows in Python, from `flow.deploy()` to the run's log: the real SDK, server, worker and processes."""

import json
import pathlib
import subprocess
import textwrap

import pytest
from forebay.certificates import certificate
from forebay.python_project import SDK, Project
from forebay.waiting import wait_until


@pytest.fixture
def project(env, api, scratch):
    api.create_pool("alpha")
    return Project(env, scratch / "project")


DEPLOY = 'deploy("d", work_pool_name="alpha", VARIABLES)'

HELLO = """
    import datetime
    from typing import Optional

    from forebay import flow, get_run_logger, runtime, task

    @task
    def double(n):
        return 2 * n

    @flow(log_prints=True, description="says hello")
    def hello(name: str = "world", when: Optional[datetime.date] = None, times: int = 1):
        print(f"hello {name} {times} {type(when).__name__}")
        get_run_logger().info("run %s of %s", runtime.flow_run.name, runtime.deployment.name)
        return sum(future.result() for future in double.map([1, 2, 3]))
"""


def test_a_flow_is_deployed_and_runs(env, api, project):
    told = project.deploy("hello", HELLO, DEPLOY)
    assert "hello/d" in told and "created" in told and "forebay deployment run 'hello/d' --watch" in told
    assert "forebay worker start --pool alpha" in told
    env.new_worker("alpha")
    assert "worker start" not in project.python("deploy.py").stdout
    run_id = api.submit("hello/d", parameters='{"name": "Ada", "when": "2026-01-31", "times": 2}')
    run = api.wait_for_end(run_id)
    assert run.state.name == "Completed", api.output(run_id)
    assert api.output(run_id) == ["hello Ada 2 date", f"run {run.display_name} of hello/d"]


def outcome(env, api, project, name: str, text: str, **fields):
    project.deploy(name, text, DEPLOY)
    env.new_worker("alpha")
    run_id = api.submit(f"{name.replace('_', '-')}/d", **fields)
    run = api.wait_for_end(run_id)
    return run, api.output(run_id)


def test_an_exception_fails_the_run_and_shows_the_users_frames(env, api, project):
    text = """
        from forebay import flow

        def deep(x):
            raise ValueError("no such thing")

        @flow
        def broken():
            deep(1)
    """
    run, output = outcome(env, api, project, "broken", text)
    assert (run.state.name, run.state.reason) == ("Failed", "REPORTED_FAILED")
    assert run.state.message == "ValueError: no such thing"
    trace = "\n".join(output)
    assert 'flows.py", line 9' in trace and "in deep" in trace and "engine" not in trace and "flows.py" in trace
    assert str(SDK) not in trace


@pytest.mark.parametrize(
    ("body", "state", "told"),
    [
        ("import os; os._exit(0)", "Crashed", "without having reported"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "Crashed", "signal 9"),
        ("raise SystemExit(3)", "Failed", "SystemExit: 3"),
        ("raise SystemExit(0)", "Completed", ""),
        ("import time; time.sleep(60)", "Failed", "timeout of 1"),
        ("raise KeyboardInterrupt", "Failed", "KeyboardInterrupt"),
    ],
)
def test_ways_to_end(env, api, project, body, state, told):
    text = f"""
        from forebay import flow

        @flow(timeout_seconds=1 if "sleep" in {body!r} else None)
        def ends():
            {body}
    """
    run, _ = outcome(env, api, project, "ends", text)
    assert run.state.name == state and told in run.state.message, run.state


def test_the_server_decides_retries_and_the_flow_sees_its_attempt(env, api, project):
    text = """
        from forebay import flow, runtime

        @flow(retries=2, retry_delay_seconds=[0, 0.2], log_prints=True)
        def third_time():
            print(f"attempt {runtime.flow_run.attempt}")
            if runtime.flow_run.attempt < 3:
                raise RuntimeError("not yet")
    """
    run, output = outcome(env, api, project, "third_time", text)
    assert run.state.name == "Completed"
    assert [line for line in output if line.startswith("attempt")] == ["attempt 1", "attempt 2", "attempt 3"]


def test_a_cancel_runs_the_hooks_and_cleans_up(env, api, project):
    text = """
        import time
        from forebay import flow

        def hook(flow, run, state):
            print(f"hook {state.type}")

        @flow(on_cancellation=[hook], log_prints=True)
        def waits():
            try:
                print("waiting")
                time.sleep(600)
            except Exception:
                print("swallowed")
            finally:
                print("finally")
    """
    project.deploy("waits", text, DEPLOY)
    env.new_worker("alpha")
    run_id = api.submit("waits/d")
    wait_until(lambda: "waiting" in api.output(run_id), what="it waits")
    api.cancel(run_id)
    assert api.wait_for_end(run_id).state.name == "Cancelled"
    output = api.output(run_id)
    assert "finally" in output and "hook CANCELLED" in output and "swallowed" not in output


def test_wrong_parameters_are_refused_before_anything_starts(env, api, project):
    project.deploy("hello", HELLO, DEPLOY)
    script = "from forebay import run_deployment\nrun_deployment('hello/d', {'times': 'x'})"
    done = project.python("-c", script)
    assert done.returncode == 1 and "parameter `times`" in done.stderr and "INVALID" not in done.stdout


def test_run_deployment_waits_for_the_end(env, api, project):
    project.deploy("hello", HELLO, DEPLOY)
    env.new_worker("alpha")
    done = project.python("-c", "from forebay import run_deployment\nprint(run_deployment('hello/d', timeout=50)['state']['type'])")
    assert done.stdout.strip() == "STATE_TYPE_COMPLETED", done.stderr


def test_a_flow_that_cannot_be_imported_says_why_in_its_log(env, api, project):
    project.deploy("hello", HELLO, DEPLOY)
    project.write("flows.py", "import no_such_module\n")
    env.new_worker("alpha")
    run_id = api.submit("hello/d")
    run = api.wait_for_end(run_id)
    assert run.state.name == "Failed" and "cannot be imported" in run.state.message
    assert "No module named 'no_such_module'" in "\n".join(api.output(run_id))


def test_from_a_repository_the_commit_is_pinned(env, api, project, scratch):
    repository = scratch / "repository"
    repository.mkdir()

    def git(*words: str):
        who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *who, *words], cwd=repository, check=True, capture_output=True)

    def commit(text: str):
        flow = f'from forebay import flow\n\n@flow(log_prints=True)\ndef from_git():\n    print("{text}")\n'
        (repository / "repo_flows.py").write_text(flow)
        git("add", ".")
        git("commit", "-m", text)

    git("init", "-b", "main")
    git("config", "uploadpack.allowAnySHA1InWant", "true")
    commit("first")
    variables = f'{{"env": {{"PYTHONPATH": "{SDK}", "PYTHONDONTWRITEBYTECODE": "1"}}}}'
    project.write(
        "deploy.py",
        f"""
        from forebay import flow
        from forebay.flows import Flow
        source = dict(source="file://{repository}", entrypoint="repo_flows.py:from_git")
        Flow.from_source(**source).deploy("pinned", work_pool_name="alpha", job_variables={variables})
        Flow.from_source(**source, branch="main", follow_branch=True).deploy("follows", work_pool_name="alpha", job_variables={variables})
        """,
    )
    done = project.python("deploy.py")
    assert done.returncode == 0, done.stderr
    commit("second")
    env.new_worker("alpha")
    for deployment, told in (("pinned", "first"), ("follows", "second")):
        run_id = api.submit(f"from-git/{deployment}")
        assert api.wait_for_end(run_id).state.name == "Completed", api.output(run_id)
        assert api.output(run_id)[-1] == told


def test_a_killed_worker_and_a_restarted_server_do_not_disturb_it(env, api, project):
    text = """
        import time
        from forebay import flow

        @flow(log_prints=True)
        def steady():
            for n in range(40):
                print(f"line {n}")
                time.sleep(0.1)
    """
    project.deploy("steady", text, DEPLOY)
    worker = env.new_worker("alpha")
    run_id = api.submit("steady/d")
    wait_until(lambda: "line 3" in api.output(run_id), what="it is at work")
    worker.kill()
    env.restart_server("kill")
    worker.start()
    assert api.wait_for_end(run_id).state.name == "Completed"
    assert api.output(run_id) == [f"line {n}" for n in range(40)]
    assert len(api.run(run_id, full=True).attempts) == 1


def test_over_tls_runs_know_their_server_by_the_authority_of_their_worker(env, api, project, scratch):
    cert, key = certificate(scratch)
    server = env.new_server(arguments=("--tls-certificate-file", cert, "--tls-key-file", key))
    context = f"current: safe\ncontexts:\n  safe:\n    server: {server.address}\n    tls_ca_file: {cert}\n"
    project.write(".config/forebay/config.yaml", context)
    project.write("flows.py", HELLO)
    path = json.dumps({"env": {"PYTHONPATH": str(SDK), "PYTHONDONTWRITEBYTECODE": "1"}})
    project.write("deploy.py", f"import flows\nflows.hello.deploy('d', work_pool_name='alpha', job_variables={path})\n")
    done = project.python("deploy.py", FOREBAY_API_URL=server.http_url, FOREBAY_CONTEXT="safe")
    assert done.returncode == 0, done.stderr
    env.new_worker("alpha", server=server.address, arguments=("--tls-ca-file", cert))
    run_id = api.submit("hello/d")
    assert api.wait_for_end(run_id).state.name == "Completed", api.output(run_id)
    # Somebody else's authority vouches for nothing.
    (scratch / "other").mkdir()
    other, _ = certificate(scratch / "other")
    project.write(".config/forebay/config.yaml", context.replace(cert, other))
    refused = project.python("deploy.py", FOREBAY_API_URL=server.http_url, FOREBAY_CONTEXT="safe")
    assert refused.returncode == 1 and "certificate verify failed" in refused.stderr
