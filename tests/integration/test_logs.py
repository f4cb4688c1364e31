"""The log of a run through the API: order, offsets, following."""

import threading

import pytest
from forebay.api import ApiError
from forebay.fake_worker import exited, gate
from google.protobuf import duration_pb2


@pytest.fixture
def running(env, api):
    """(worker, assignment) of a run whose user code runs."""
    api.create_pool("alpha")
    api.deploy("flow/one", "alpha", ["true"])
    api.submit("flow/one")
    worker = env.fake_worker("alpha")
    (assignment,) = worker.take()
    assert worker.report(gate(assignment)) == ["ACCEPTED"]
    return worker, assignment


def page(api, run_id, offset=0, most=0, wait=0, timeout=60):
    return api.LogService.ListLogLines(
        flow_run=f"flowRuns/{run_id}", offset=offset, max_lines=most, wait=duration_pb2.Duration(seconds=wait), timeout=timeout
    )


def test_lines_are_numbered_from_nought_without_gaps(api, running):
    worker, assignment = running
    run_id = assignment.attempt.run_id
    assert worker.append(assignment.attempt, 0, "a", "b").next_sequence == 2
    assert worker.append(assignment.attempt, 2, "c").next_sequence == 3
    lines = page(api, run_id).lines
    assert [(line.offset, line.attempt, line.entry.text) for line in lines] == [(0, 1, "a"), (1, 1, "b"), (2, 1, "c")]
    assert page(api, run_id, offset=1, most=1).lines[0].entry.text == "b"
    assert page(api, run_id, offset=3).next_offset == 3


def test_a_resent_batch_adds_only_what_is_new(api, running):
    worker, assignment = running
    worker.append(assignment.attempt, 0, "a", "b")
    assert worker.append(assignment.attempt, 0, "a", "b").next_sequence == 2
    assert worker.append(assignment.attempt, 1, "b", "c").next_sequence == 3
    assert api.output(assignment.attempt.run_id) == ["a", "b", "c"]


def test_a_gap_is_refused_and_the_expected_number_told(api, running):
    worker, assignment = running
    worker.append(assignment.attempt, 0, "a")
    assert worker.append(assignment.attempt, 5, "f").next_sequence == 1
    assert api.output(assignment.attempt.run_id) == ["a"]


def test_an_exit_is_not_applied_before_its_lines_have_arrived(env, api, running):
    worker, assignment = running
    assert worker.report(exited(assignment.attempt, log_lines=2)) == ["LOGS_MISSING"]
    assert api.state(assignment.attempt.run_id) == "RUNNING"
    worker.append(assignment.attempt, 0, "a", "b")
    assert worker.report(exited(assignment.attempt, log_lines=2)) == ["ACCEPTED"]
    end = page(api, assignment.attempt.run_id)
    assert end.complete and end.next_offset == 2
    env.checker.check(api)


def test_a_follower_gets_lines_as_they_come_and_learns_of_the_end(api, running):
    worker, assignment = running
    run_id = assignment.attempt.run_id
    seen = []

    def follow():
        offset = 0
        while True:
            got = page(api, run_id, offset, wait=30)
            seen.extend(line.entry.text for line in got.lines)
            offset = got.next_offset
            if got.complete:
                return

    follower = threading.Thread(target=follow)
    follower.start()
    for number in range(50):
        worker.append(assignment.attempt, number, f"line {number}")
    worker.report(exited(assignment.attempt, log_lines=50))
    follower.join(60)
    assert seen == [f"line {number}" for number in range(50)]


def test_many_runs_logs_do_not_mix(env, api, running):
    worker, _ = running
    run_ids = api.submit_many("flow/one", 10)
    assignments = worker.take(10)
    worker.report(*(gate(assignment) for assignment in assignments))

    def write(assignment):
        for number in range(20):
            worker.append(assignment.attempt, number, f"{assignment.attempt.run_id} {number}")

    threads = [threading.Thread(target=write, args=(assignment,)) for assignment in assignments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for run_id in run_ids:
        assert api.output(run_id) == [f"{run_id} {number}" for number in range(20)]
    env.checker.check(api)


def test_text_that_is_hard_to_carry_arrives_whole(api, running):
    worker, assignment = running
    texts = ["", "ünï→😀", "tab\tand\x1b[31mred", "x" * 65536, "nul\x00inside"]
    worker.append(assignment.attempt, 0, *texts)
    assert api.output(assignment.attempt.run_id) == texts


@pytest.mark.parametrize("fields", [{"offset": -1}, {"most": -1}])
def test_arguments_out_of_range_are_refused(api, running, fields):
    with pytest.raises(ApiError) as refused:
        page(api, running[1].attempt.run_id, **fields)
    assert refused.value.code == "INVALID_ARGUMENT"


def test_a_stale_attempt_cannot_write(api, running):
    worker, assignment = running
    ref = assignment.attempt
    ref.epoch += 1
    assert worker.append(ref, 0, "late").verdict == 2
    assert api.output(ref.run_id) == []
