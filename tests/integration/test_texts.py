"""U+0000, which the database keeps in no text: a user's request that has it is refused, the word of a worker or a program is taken without
it, and nobody else's batch fails for it."""

import pathlib

import pytest
from forebay import protocol
from forebay.api import ApiError
from forebay.fake_worker import exited, gate, launch_failed

MINI_ENGINE = pathlib.Path(protocol.__file__).parent / "mini_engine.py"
MOST = 2**63 - 1


@pytest.fixture
def pool(api):
    api.create_pool("alpha")
    api.deploy("flow/one", "alpha", ["true"])
    return api


@pytest.fixture
def worker(env, pool):
    return env.fake_worker("alpha")


@pytest.mark.parametrize(
    "call, field",
    [
        (lambda api: api.submit("flow/one", tags=["fine", "a\0b"]), "tags"),
        (lambda api: api.submit("flow/one", idempotency_key="a\0b"), "idempotency_key"),
        (lambda api: api.deploy("flow/two", "alpha", ["echo", "a\0b"]), "deployment.command"),
        (lambda api: api.deploy("flow/two", "alpha", ["true"], tags=["a\0b"]), "deployment.tags"),
        (lambda api: api.create_pool("a\0b"), "work_pool.name"),
        (lambda api: api.FlowRunService.GetFlowRun(name="flowRuns/a\0b"), "name"),
    ],
)
def test_a_users_text_with_it_is_refused_by_name(pool, call, field):
    with pytest.raises(ApiError) as refused:
        call(pool)
    assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", "INVALID_TEXT")
    assert refused.value.metadata["field"] == field and refused.value.metadata["value"] in ("a", "workPools/a", "flowRuns/a")


def test_the_others_of_its_batch_are_accepted(pool):
    request = protocol.message("CreateFlowRunRequest")
    tags = (["fine"], ["a\0b"], ["fine"])
    answer = pool.FlowRunService.BatchCreateFlowRuns(requests=[request(deployment="flow/one", tags=each) for each in tags])
    assert [item.error_reason for item in answer.items] == ["", "INVALID_TEXT", ""]


def test_a_workers_words_are_taken_without_it(pool, worker):
    run_ids = [pool.submit("flow/one") for _ in range(2)]
    first, second = worker.take(2)
    failed = launch_failed(first.attempt, "NO\0SUCH\0IMAGE", retryable=False)
    failed.launch_failed.message = "it is\0 not there"
    assert worker.report(failed, gate(second)) == ["ACCEPTED", "ACCEPTED"]
    state = pool.wait_for_end(first.attempt.run_id).state
    assert (state.reason, state.message) == ("NOSUCHIMAGE", "it is not there")
    worker.complete(second)
    assert pool.state(second.attempt.run_id) == "COMPLETED" and {first.attempt.run_id, second.attempt.run_id} == set(run_ids)


def test_a_programs_words_are_taken_without_it(env, pool):
    pool.deploy("flow/own", "alpha", ["/usr/bin/python3", str(MINI_ENGINE), "gate", r"failed=no\0body"], entrypoint="flows/hello.py:hello")
    env.new_worker("alpha")
    state = pool.wait_for_end(pool.submit("flow/own")).state
    assert (state.reason, state.message) == ("REPORTED_FAILED", "nobody")


@pytest.mark.parametrize("figure", [-1, MOST])
def test_a_figure_of_use_that_cannot_be_is_none(pool, worker, figure):
    run_id = pool.submit("flow/one")
    (assignment,) = worker.take(1)
    end = exited(assignment.attempt)
    end.exited.usage.cpu_user_micros = figure
    end.exited.usage.max_rss_bytes = 4096
    assert worker.report(gate(assignment), end) == ["ACCEPTED", "ACCEPTED"]
    usage = pool.run(run_id, full=True).attempts[0].usage
    assert not usage.HasField("cpu_user_micros") and usage.max_rss_bytes == 4096
