"""Runs whose own program passes the start gate and reports for itself, as the engine of Python flows does."""

import json
import pathlib

import pytest
from forebay import protocol
from forebay.api import ApiError
from forebay.checker import processes_of_runs
from forebay.waiting import wait_until


MINI_ENGINE = pathlib.Path(protocol.__file__).parent / "mini_engine.py"


def deploy(api, name: str, *steps: str, **fields):
    fields.setdefault("entrypoint", "flows/hello.py:hello")
    return api.deploy(name, "alpha", ["/usr/bin/python3", str(MINI_ENGINE), *steps], **fields)


@pytest.fixture
def alpha(env, api):
    api.create_pool("alpha")
    env.new_worker("alpha")
    return api


def outcome(api, *steps: str, **fields):
    deploy(api, "flow/one", *steps, **fields)
    return api.wait_for_end(api.submit("flow/one"))


def short_id(run) -> str:
    return run.name.removeprefix("flowRuns/")


def test_it_passes_its_gate_logs_reports_and_ends(alpha):
    steps = '[{"set_working_directory": {"directory": "/tmp"}}]'
    run = outcome(alpha, "print=before", "gate", "log=logged", "completed", "print=after", pull_steps=steps, parameters='{"n": 1}')
    assert run.state.name == "Completed", run.state
    lines = alpha.output(short_id(run))
    assert sorted(line for line in lines if not line.startswith("context")) == ["after", "before", "logged"]
    (context,) = (json.loads(line.removeprefix("context ")) for line in lines if line.startswith("context"))
    assert context == {"entrypoint": "flows/hello.py:hello", "pullSteps": steps, "parameters": '{"n":1}'}


def test_nobody_else_passes_its_gate(env, alpha):
    run = outcome(alpha, "gate", "gate", "completed")
    assert "StartAttempt: TICKET_INVALID" in alpha.output(short_id(run)) or run.state.reason == "ENDED_UNREPORTED"
    assert run.state.name == "Crashed"
    attempts = alpha.run(short_id(run), full=True).attempts
    assert len(attempts) == 1 and attempts[0].HasField("start_time")


@pytest.mark.parametrize(
    ("steps", "state", "reason", "told"),
    [
        (("gate", "failed=ValueError: no"), "Failed", "REPORTED_FAILED", "ValueError: no"),
        (("gate", "failed=no", "exit=0"), "Failed", "REPORTED_FAILED", "no"),
        (("gate", "completed", "kill"), "Completed", "", ""),
        (("gate", "completed", "exit=9"), "Completed", "", ""),
        (("gate", "exit=0"), "Crashed", "ENDED_UNREPORTED", "exit code 0"),
        (("gate", "exit=3"), "Crashed", "ENDED_UNREPORTED", "exit code 3"),
        (("gate", "kill"), "Crashed", "SIGNALED", "signal 9"),
        (("print=no such module", "exit=1"), "Failed", "ENGINE_FAILED", "exit code 1 before it began"),
    ],
)
def test_what_it_said_counts_and_silence_is_a_crash(alpha, steps, state, reason, told):
    run = outcome(alpha, *steps)
    assert (run.state.name, run.state.reason) == (state, reason) and told in run.state.message, run.state


def test_what_failed_is_tried_again_by_its_policy(alpha):
    retry = protocol.message("RetryPolicy")(retries=1)
    run = outcome(alpha, "gate", "failed=no", retry=retry)
    assert run.state.name == "Failed" and len(alpha.run(short_id(run), full=True).attempts) == 2


def test_it_hears_of_a_cancel_and_ends_by_itself(alpha):
    deploy(alpha, "flow/one", "gate", "log=on", "beat-until-cancel", "print=heard", "exit=143")
    run_id = alpha.submit("flow/one")
    wait_until(lambda: "on" in alpha.output(run_id), what="it is at work")
    alpha.cancel(run_id)
    assert alpha.wait_for_end(run_id).state.name == "Cancelled"
    assert "heard" in alpha.output(run_id)


def test_a_report_that_was_acknowledged_survives_the_worker(env, alpha):
    worker = env.new_worker("alpha", name="second")
    deploy(alpha, "flow/one", "gate", "completed", "log=said", "sleep=600")
    run_id = alpha.submit("flow/one")
    wait_until(lambda: "said" in alpha.output(run_id), what="it has reported")
    assert alpha.run(run_id).state.name == "Running"
    worker.kill()
    env.restart_server("kill")
    # Its infrastructure does not end by itself: a minute later it is ended.
    assert alpha.wait_for_end(run_id, deadline=120).state.name == "Completed"
    wait_until(lambda: run_id not in [run for _, run in processes_of_runs()], what="its process is gone")


def test_a_killed_worker_leaves_it_running(env, api):
    api.create_pool("alpha")
    worker = env.new_worker("alpha", name="mortal")
    deploy(api, "flow/one", "gate", "log=on", "sleep=3", "log=still", "completed")
    run_id = api.submit("flow/one")
    wait_until(lambda: "on" in api.output(run_id), what="it is at work")
    worker.kill()
    worker.start()
    run = api.wait_for_end(run_id)
    assert run.state.name == "Completed" and len(api.run(run_id, full=True).attempts) == 1
    assert [line for line in api.output(run_id) if not line.startswith("context")] == ["on", "still"]


def test_parameters_are_checked_by_their_schema(alpha):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}, "to": {"enum": ["a", "b"]}}, "required": ["n"],
              "additionalProperties": False}  # fmt: skip
    deploy(alpha, "flow/one", "gate", "completed", parameter_schema=json.dumps(schema))
    for given, field, told in [
        ({}, "parameters", "n"),
        ({"n": "1"}, "parameters.n", "integer"),
        ({"n": 1, "to": "c"}, "parameters.to", "a"),
        ({"n": 1, "m": 2}, "parameters", "m"),
    ]:
        with pytest.raises(ApiError) as refused:
            alpha.submit("flow/one", parameters=json.dumps(given))
        assert refused.value.reason == "INVALID_PARAMETERS"
        assert refused.value.metadata["field"].startswith(field) and told in str(refused.value)
    assert alpha.wait_for_end(alpha.submit("flow/one", parameters='{"n": 1}')).state.name == "Completed"
    with pytest.raises(ApiError) as refused:
        deploy(alpha, "flow/two", "gate", parameter_schema=json.dumps(schema), parameters='{"n": "x"}')
    assert refused.value.reason == "INVALID_PARAMETERS"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"entrypoint": "hello"}, "INVALID_ENTRYPOINT"),
        ({"entrypoint": "-x.py:f"}, "INVALID_ENTRYPOINT"),
        ({"entrypoint": "a.py:f()"}, "INVALID_ENTRYPOINT"),
        ({"entrypoint": "a" * 2000 + ".py:f"}, "TOO_LARGE"),
        ({"pull_steps": "{}"}, "INVALID_PULL_STEPS"),
        ({"pull_steps": '["x"]'}, "INVALID_PULL_STEPS"),
        ({"pull_steps": '[{"a": {}, "b": {}}]'}, "INVALID_PULL_STEPS"),
        ({"pull_steps": "["}, "INVALID_JSON"),
        ({"parameter_schema": '{"type": "thing"}'}, "INVALID_SCHEMA"),
        ({"entrypoint": "", "pull_steps": '[{"a": {}}]'}, "INVALID_PULL_STEPS"),
    ],
)
def test_bad_programs(api, fields, reason):
    api.create_pool("alpha")
    with pytest.raises(ApiError) as refused:
        deploy(api, "flow/one", "gate", **fields)
    assert refused.value.reason == reason


def test_without_a_command_the_engine_runs_it(env, api):
    api.create_pool("alpha")
    api.deploy("flow/one", "alpha", [], entrypoint="hello.py:hello")
    worker = env.fake_worker("alpha")
    run_id = api.submit("flow/one")
    (assignment,) = worker.take()
    assert list(assignment.command) == ["python3", "-m", "forebay", "flow-run", "execute"]
    assert assignment.entrypoint == "hello.py:hello" and assignment.attempt.run_id == run_id
    with pytest.raises(ApiError) as refused:
        api.deploy("flow/one", "alpha", [])
    assert refused.value.reason == "COMMAND_MISSING"


def test_without_an_http_listener_it_fails_with_the_reason(env):
    env.server_arguments = ("--http-listen", "off")
    env.api.create_pool("alpha")
    env.new_worker("alpha")
    run = outcome(env.api, "gate", "completed")
    assert (run.state.name, run.state.reason) == ("Failed", "NO_HTTP_LISTENER") and "HTTP" in run.state.message


def test_the_ticket_is_the_only_credential_it_is_given(alpha, tmp_path):
    seen: pathlib.Path = tmp_path / "environment"
    tmp_path.chmod(0o777)
    alpha.deploy("flow/env", "alpha", ["sh", "-c", f"env > {seen}; exit 1"], entrypoint="a.py:f")
    alpha.wait_for_end(alpha.submit("flow/env"))
    secrets = [line for line in seen.read_text().splitlines() if any(kind in line for kind in ("fbk_", "fbw_", "fbr_", "fbt_"))]
    assert len(secrets) == 1 and secrets[0].startswith("FOREBAY_LAUNCH_TICKET=fbt_")
