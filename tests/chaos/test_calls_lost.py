"""F11, F12, F13: answers are lost, requests come twice, late and out of order, tickets are exchanged twice."""

import concurrent.futures
import random
import uuid

import grpc
import pytest
from forebay.api import ApiError
from forebay.fake_worker import exited, gate, launched, launching
from forebay.process import sleep


@pytest.fixture
def pool(api, deploy):
    api.create_pool("alpha", start_deadline=600_000)
    deploy()


def keys(assignments):
    return sorted((a.attempt.run_id, a.attempt.attempt, a.attempt.epoch) for a in assignments)


def test_f11_the_same_request_id_answers_the_same_assignments(env, api, pool):
    api.submit_many("flow/one", 10)
    worker = env.fake_worker("alpha")
    request_id = str(uuid.uuid4())
    first = worker.poll(4, request_id).assignments
    again = worker.poll(4, request_id, replay=True).assignments
    assert len(first) == 4 and keys(again) == keys(first)
    assert worker.complete(again[0])[-1] == "ACCEPTED"
    assert keys(worker.poll(4, request_id, replay=True).assignments) == keys(again[1:])
    env.checker.check(api)


def test_f11_a_replay_is_answered_by_another_server_and_after_a_restart(env, api, pool):
    api.submit_many("flow/one", 3)
    worker = env.fake_worker("alpha")
    request_id = str(uuid.uuid4())
    first = keys(worker.poll(3, request_id).assignments)
    worker.api = env.new_api(env.new_server().address, worker.api.token)
    assert keys(worker.poll(3, request_id, replay=True).assignments) == first
    env.restart_server()
    worker.api = env.new_api(token=worker.api.token)
    assert keys(worker.poll(3, request_id, replay=True).assignments) == first


def test_f11_another_worker_cannot_replay_a_request_id(env, api, pool):
    api.submit("flow/one")
    worker, other = env.fake_worker("alpha"), env.fake_worker("alpha")
    request_id = str(uuid.uuid4())
    assert worker.poll(1, request_id).assignments
    replay = other.start_poll(1, request_id, replay=True, timeout=3)
    try:
        assert not replay.result().assignments
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_f11_polls_whose_answers_are_thrown_away_lose_and_double_nothing(env, api, pool, repeats):
    """Every second poll is given up at a random moment and repeated by its id until an answer comes."""
    count = repeats(300, 10_000)
    run_ids = api.submit_many("flow/one", count)
    worker = env.fake_worker("alpha", slots=count, beating=True)
    dice = random.Random(11)
    seen = []
    while len(seen) < count:
        request_id = str(uuid.uuid4())
        replay = False
        if dice.random() < 0.5:
            call = worker.start_poll(8, request_id)
            sleep(dice.uniform(0, 0.004))
            call.cancel()
            replay = True
        assignments = worker.poll(8, request_id, replay, timeout=20).assignments
        seen += [assignment.attempt.run_id for assignment in assignments]
    assert sorted(seen) == sorted(run_ids)
    env.checker.check(api)


def test_f11_a_swallowed_answer_through_a_real_connection(env, api, pool):
    run_id = api.submit("flow/one")
    way = env.new_gate()
    worker = env.fake_worker("alpha", api=env.new_api(way.address, env.worker_key("alpha")))
    request_id = str(uuid.uuid4())
    way.swallow_replies()
    with pytest.raises(ApiError):
        worker.poll(1, request_id, timeout=2)
    assert api.state(run_id) == "PENDING"
    way.open()
    for _ in range(20):
        try:
            assert [a.attempt.run_id for a in worker.poll(1, request_id, replay=True, timeout=5).assignments] == [run_id]
            break
        except ApiError as error:
            assert error.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED"), error
            sleep(0.1)
    else:
        raise AssertionError("no answer after the way was open again")


def test_f12_reports_that_come_twice_and_late_change_nothing_more(env, api, pool):
    """Each report is sent again at every later step; accepted or stale, the state stays where it is."""
    run_ids = api.submit_many("flow/one", 5)
    worker = env.fake_worker("alpha")
    for assignment in worker.take(5):
        ref = assignment.attempt
        facts = [launching(ref), launched(ref), gate(assignment), exited(ref, 4)]
        for step, fact in enumerate(facts):
            assert worker.report(fact) == ["ACCEPTED"]
            before = api.run(ref.run_id).state
            for earlier in facts[: step + 1]:
                assert worker.report(earlier)[0] in ("ACCEPTED", "STALE")
            assert api.run(ref.run_id).state == before
    assert [api.run(run_id).exit_code for run_id in run_ids] == [4] * 5
    env.checker.check(api)


def test_f12_concurrent_repeats_of_every_call_are_applied_once(env, api, pool, repeats):
    count = repeats(40, 1000)
    api.submit_many("flow/one", count)
    worker = env.fake_worker("alpha", slots=count)
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        for assignment in worker.take(count):
            ref = assignment.attempt
            passed = gate(assignment)
            batches = [[passed], [passed, exited(ref, 0)], [passed, exited(ref, 1)], [launching(ref), passed]]
            list(threads.map(lambda reports: worker.report(*reports), batches * 2))
            run = api.wait_for_end(ref.run_id)
            assert run.attempt_count == 1
    env.checker.check(api)


def test_f12_a_slow_way_changes_nothing(env, api, pool):
    way = env.new_gate()
    way.delay(0.05)
    env.new_worker("alpha", server=way.address)
    for run_id in api.submit_many("flow/one", 10):
        api.wait_for_state(run_id, "COMPLETED")
    env.checker.check(api, env.marks)


def test_f12_registering_again_with_the_same_instance_id_is_the_same_worker(env, api, pool):
    key_api = env.new_api(token=env.worker_key("alpha"))
    first = env.fake_worker("alpha", api=key_api)
    again = env.fake_worker("alpha", api=key_api, instance_id=first.instance_id)
    assert again.worker_id == first.worker_id


def test_f13_of_many_exchanges_of_one_ticket_exactly_one_wins(env, api, pool, repeats):
    races = repeats(100, 1000)
    api.submit_many("flow/one", races)
    worker = env.fake_worker("alpha", slots=races)
    clients = [env.new_api() for _ in range(4)]

    def exchange(client, assignment):
        client.token = assignment.launch_ticket
        try:
            return client.RunService.StartAttempt(run_id=assignment.attempt.run_id).run_token
        except ApiError as error:
            assert error.reason in ("TICKET_USED", "CREDENTIAL_INVALID"), error
            return None

    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        for assignment in worker.take(races):
            tokens = list(threads.map(exchange, clients, [assignment] * len(clients)))
            winners = [token for token in tokens if token]
            assert len(winners) == 1, tokens
            assert worker.report(gate(assignment))[0] != "ACCEPTED"
    env.checker.check(api)
