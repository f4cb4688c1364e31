"""Which run is granted, to whom, and when."""

import contextlib
import threading

import grpc
import pytest
from forebay import protocol
from forebay.api import ApiError
from forebay.fake_worker import gate
from google.protobuf import field_mask_pb2


@pytest.fixture
def pool(api):
    return api.create_pool("alpha")


def deploy(api, name="flow/one", queue=""):
    return api.deploy(name, "alpha", ["true"], queue=queue)


def create_queue(api, name, **fields):
    queue = protocol.message("WorkQueue")(name=f"workPools/alpha/queues/{name}", **fields)
    return api.WorkQueueService.CreateWorkQueue(work_queue=queue)


def set_pool_limit(api, limit):
    pool = protocol.message("WorkPool")(name="workPools/alpha")
    if limit is not None:
        pool.concurrency_limit = limit
    api.WorkPoolService.UpdateWorkPool(
        work_pool=pool, update_mask=field_mask_pb2.FieldMask(paths=["concurrency_limit"])
    )


def ids(assignments):
    return [assignment.attempt.run_id for assignment in assignments]


def test_a_parked_poll_gets_a_run_that_is_submitted_later(env, api, pool):
    deploy(api)
    worker = env.fake_worker("alpha")
    poll = worker.start_poll()
    run_id = api.submit("flow/one")
    assert ids(poll.result().assignments) == [run_id]
    env.checker.check(api)


def test_an_assignment_carries_everything_needed_to_launch(env, api, pool):
    api.deploy("flow/one", "alpha", ["echo", "a b"], parameters='{"x": 1}', job_variables='{"env": {"A": "1"}}')
    run_id = api.submit("flow/one", parameters='{"y": 2}', job_variables='{"env": {"B": "2"}}')
    (assignment,) = env.fake_worker("alpha").take()
    assert assignment.attempt.run_id == run_id and assignment.attempt.attempt == 1 and assignment.attempt.epoch >= 1
    assert assignment.launch_ticket.startswith("fbt_")
    assert list(assignment.command) == ["echo", "a b"]
    assert (assignment.flow, assignment.deployment) == ("flow", "flow/one")
    assert '"y"' in assignment.parameters and '"A"' in assignment.deployment_job_variables
    assert '"B"' in assignment.run_job_variables


def test_within_a_queue_the_oldest_is_first(env, api, pool):
    deploy(api)
    run_ids = [api.submit("flow/one") for _ in range(20)]
    worker = env.fake_worker("alpha")
    assert ids(worker.take(5) + worker.take(15)) == run_ids
    env.checker.check_order("default")


def test_a_higher_priority_is_always_first(env, api, pool):
    create_queue(api, "urgent", priority=1)
    create_queue(api, "idle", priority=9)
    api.WorkQueueService.UpdateWorkQueue(
        work_queue=protocol.message("WorkQueue")(name="workPools/alpha/queues/default", priority=5),
        update_mask=field_mask_pb2.FieldMask(paths=["priority"]),
    )
    deploy(api, "flow/idle", "idle")
    deploy(api, "flow/middle", "default")
    deploy(api, "flow/urgent", "urgent")
    wanted = {}
    for name in ("idle", "middle", "urgent"):
        wanted[name] = [api.submit(f"flow/{name}") for _ in range(3)]
    worker = env.fake_worker("alpha")
    assert ids(worker.take(4) + worker.take(5)) == wanted["urgent"] + wanted["middle"] + wanted["idle"]


def test_a_worker_of_some_queues_gets_only_theirs(env, api, pool):
    create_queue(api, "fast")
    deploy(api, "flow/slow")
    deploy(api, "flow/fast", "fast")
    slow, fast = api.submit("flow/slow"), api.submit("flow/fast")
    assert ids(env.fake_worker("alpha", queues=["fast"]).take()) == [fast]
    assert api.state(slow) == "SCHEDULED"
    assert ids(env.fake_worker("alpha").take()) == [slow]


def test_a_pool_limit_is_never_exceeded_and_a_freed_slot_dispatches_at_once(env, api):
    api.create_pool("alpha", limit=2)
    deploy(api)
    run_ids = [api.submit("flow/one") for _ in range(6)]
    first, second = env.fake_worker("alpha"), env.fake_worker("alpha")
    held = first.take(2)
    assert ids(held) == run_ids[:2]
    assert "limit" in api.run(run_ids[2]).waiting_reason
    for expected in run_ids[2:]:
        poll = second.start_take(free_slots=5)
        worker = first if held[0].attempt.run_id in run_ids[:2] else second
        worker.complete(held.pop(0))
        got = poll.result()
        assert ids(got) == [expected]
        held += got
    env.checker.check(api, pool_limits={"alpha": 2})


def test_a_queue_limit_holds_its_queue_back_and_no_other(env, api, pool):
    create_queue(api, "narrow", priority=1, concurrency_limit=1)
    deploy(api, "flow/narrow", "narrow")
    deploy(api, "flow/wide", "default")
    narrow = [api.submit("flow/narrow") for _ in range(3)]
    wide = [api.submit("flow/wide") for _ in range(2)]
    assert set(ids(env.fake_worker("alpha").take(3))) == {narrow[0], *wide}
    env.checker.check(api, queue_limits={"narrow": 1})


def test_a_raised_limit_dispatches_and_a_lowered_one_only_stops_new_grants(env, api):
    api.create_pool("alpha", limit=1)
    deploy(api)
    run_ids = [api.submit("flow/one") for _ in range(4)]
    worker = env.fake_worker("alpha")
    held = worker.take()
    poll = worker.start_take(2, free_slots=5)
    set_pool_limit(api, 3)
    held += poll.result()
    assert ids(held) == run_ids[:3]
    set_pool_limit(api, 1)
    assert [api.state(run_id) for run_id in run_ids[:3]] == ["PENDING"] * 3
    worker.complete(held[0])
    worker.complete(held[1])
    assert api.state(run_ids[3]) == "SCHEDULED"
    poll = worker.start_take()
    set_pool_limit(api, None)
    assert ids(poll.result()) == run_ids[3:]
    env.checker.check(api, pool_limits={"alpha": 3})


def test_a_limit_of_nought_holds_everything_back(env, api):
    api.create_pool("alpha", limit=0)
    deploy(api)
    run_id = api.submit("flow/one")
    worker = env.fake_worker("alpha")
    poll = worker.start_take()
    assert api.state(run_id) == "SCHEDULED"
    set_pool_limit(api, 1)
    assert ids(poll.result()) == [run_id]


def test_a_paused_pool_or_queue_grants_nothing_until_it_resumes(env, api, pool):
    deploy(api)
    worker = env.fake_worker("alpha")
    pools, queues = api.WorkPoolService, api.WorkQueueService
    for pause, resume, name in (
        (pools.PauseWorkPool, pools.ResumeWorkPool, "workPools/alpha"),
        (queues.PauseWorkQueue, queues.ResumeWorkQueue, "workPools/alpha/queues/default"),
    ):
        pause(name=name)
        poll = worker.start_take()
        run_id = api.submit("flow/one")
        assert "paused" in api.run(run_id).waiting_reason
        assert not poll.done()
        resume(name=name)
        assert ids(poll.result()) == [run_id]


def test_a_burst_reaches_many_parked_workers_without_loss_or_double(env, api, pool):
    deploy(api)
    workers = [env.fake_worker("alpha", name=f"w{number}") for number in range(8)]
    polls = [worker.start_poll(free_slots=4) for worker in workers]
    run_ids = set(api.submit_many("flow/one", 200))
    done = []

    def serve(worker, poll):
        while True:
            got = list(poll.result().assignments)
            done.extend(ids(got))
            for assignment in got:
                assert worker.complete(assignment)[-1] == "ACCEPTED"
            if len(done) >= 200:
                return
            poll = worker.start_poll(free_slots=4, timeout=120)

    def serve_until_closed(worker, poll):
        # The last poll of each ends with the test.
        with contextlib.suppress(grpc.RpcError):
            serve(worker, poll)

    threads = [threading.Thread(target=serve_until_closed, args=pair, daemon=True) for pair in zip(workers, polls)]
    for thread in threads:
        thread.start()
    for run_id in run_ids:
        api.wait_for_end(run_id)
    assert len(done) == 200 and set(done) == run_ids
    env.checker.check(api)
    env.checker.check_order("default", slack=64)


def test_many_racing_workers_never_exceed_the_limits(env, api):
    api.create_pool("alpha", limit=5)
    create_queue(api, "narrow", concurrency_limit=2)
    deploy(api, "flow/wide")
    deploy(api, "flow/narrow", "narrow")
    stop = threading.Event()

    def serve(worker):
        while not stop.is_set():
            try:
                assignments = worker.poll(free_slots=3).assignments
            except ApiError:
                # The last poll ends with the test.
                assert stop.is_set()
                return
            for assignment in assignments:
                worker.report(gate(assignment))
                worker.complete(assignment)

    # A second server on the same database: the limits hold across both.
    other = env.new_api(env.new_server().address)
    for number in range(6):
        key = env.worker_key("alpha")
        address = (api if number % 2 else other).address
        worker = env.fake_worker("alpha", api=env.new_api(address, key))
        threading.Thread(target=serve, args=(worker,), daemon=True).start()
    run_ids = api.submit_many("flow/wide", 100) + api.submit_many("flow/narrow", 100)
    for run_id in run_ids:
        api.wait_for_end(run_id)
    stop.set()
    env.checker.check(api, pool_limits={"alpha": 5}, queue_limits={"narrow": 2})
