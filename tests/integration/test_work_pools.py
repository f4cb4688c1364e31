"""Work pools and queues through the API."""

import json

import pytest
from forebay import protocol
from forebay.api import ApiError
from google.protobuf import field_mask_pb2

NOWHERE = "workPools/nowhere"


def mask(*paths):
    return field_mask_pb2.FieldMask(paths=paths)


def pool_message(name, **fields):
    return protocol.message("WorkPool")(name=f"workPools/{name}", **fields)


def queue_message(pool, name, **fields):
    return protocol.message("WorkQueue")(name=f"workPools/{pool}/queues/{name}", **fields)


def test_a_new_pool_has_the_types_template_and_a_default_queue(api):
    created = api.create_pool("alpha")
    assert created.name == "workPools/alpha"
    assert created.uid and created.creator and created.revision >= 1
    template = json.loads(created.base_job_template)
    assert set(template) >= {"job_configuration", "variables"}
    default = api.WorkPoolService.GetDefaultBaseJobTemplate(type="process").base_job_template
    assert json.loads(default) == template
    queues = api.WorkQueueService.ListWorkQueues(parent="workPools/alpha").work_queues
    assert [queue.name for queue in queues] == ["workPools/alpha/queues/default"]


def test_a_pool_without_workers_says_why_it_is_not_ready(api):
    api.create_pool("alpha")
    pool = api.WorkPoolService.GetWorkPool(name="workPools/alpha").work_pool
    assert pool.status == protocol.enum("PoolStatus")["NOT_READY"]
    assert "worker" in pool.status_reason


def test_a_pool_with_a_worker_is_ready(env, api):
    api.create_pool("alpha")
    env.fake_worker("alpha")
    pool = api.WorkPoolService.GetWorkPool(name="workPools/alpha").work_pool
    assert pool.status == protocol.enum("PoolStatus")["READY"]
    assert pool.online_workers == 1


def test_a_paused_pool_says_so_and_resumes(api):
    api.create_pool("alpha")
    paused = api.WorkPoolService.PauseWorkPool(name="workPools/alpha").work_pool
    assert paused.paused and paused.status == protocol.enum("PoolStatus")["PAUSED"]
    assert not api.WorkPoolService.ResumeWorkPool(name="workPools/alpha").work_pool.paused


@pytest.mark.parametrize("name", ["", "-a", "Capital", "with space", "a" * 64, "a/b", "ä"])
def test_a_name_that_is_not_a_name_is_refused(api, name):
    with pytest.raises(ApiError) as refused:
        api.WorkPoolService.CreateWorkPool(work_pool=pool_message(name, type="process"))
    assert refused.value.code == "INVALID_ARGUMENT"
    assert refused.value.reason == "INVALID_NAME"


def test_an_unknown_type_names_the_nearest(api):
    with pytest.raises(ApiError) as refused:
        api.WorkPoolService.CreateWorkPool(work_pool=pool_message("alpha", type="proces"))
    assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", "UNKNOWN_POOL_TYPE")
    assert refused.value.metadata["nearest"] == "process"
    assert refused.value.metadata["value"] == "proces"


@pytest.mark.parametrize("template", ["not json", "[]", "{}", '{"job_configuration": 1, "variables": {}}'])
def test_a_template_that_is_none_is_refused(api, template):
    with pytest.raises(ApiError) as refused:
        api.WorkPoolService.CreateWorkPool(work_pool=pool_message("alpha", type="process", base_job_template=template))
    assert refused.value.code == "INVALID_ARGUMENT"
    assert refused.value.reason in ("INVALID_TEMPLATE", "INVALID_JSON")


def test_two_pools_of_one_name_are_refused(api):
    api.create_pool("alpha")
    with pytest.raises(ApiError) as refused:
        api.create_pool("alpha")
    assert (refused.value.code, refused.value.reason) == ("ALREADY_EXISTS", "WORK_POOL_EXISTS")


def test_an_unknown_pool_is_not_found_and_the_next_command_is_named(api):
    for method in (api.WorkPoolService.GetWorkPool, api.WorkPoolService.PauseWorkPool, api.WorkPoolService.DeleteWorkPool):
        with pytest.raises(ApiError) as refused:
            method(name=NOWHERE)
        assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", "WORK_POOL_NOT_FOUND")
        assert refused.value.metadata["next"].startswith("forebay work-pool")


def test_an_update_changes_what_the_mask_names_and_nothing_else(api):
    api.create_pool("alpha", limit=3)
    update = api.WorkPoolService.UpdateWorkPool
    changed = update(work_pool=pool_message("alpha", description="new"), update_mask=mask("description")).work_pool
    assert (changed.description, changed.concurrency_limit) == ("new", 3)
    cleared = update(work_pool=pool_message("alpha"), update_mask=mask("concurrency_limit")).work_pool
    assert not cleared.HasField("concurrency_limit") and cleared.description == "new"


@pytest.mark.parametrize("paths", [(), ("type",), ("name",), ("nonsense",)])
def test_an_update_of_nothing_or_of_what_cannot_change_is_refused(api, paths):
    api.create_pool("alpha")
    with pytest.raises(ApiError) as refused:
        api.WorkPoolService.UpdateWorkPool(work_pool=pool_message("alpha"), update_mask=mask(*paths))
    assert refused.value.code == "INVALID_ARGUMENT"


def test_a_pool_with_deployments_or_runs_is_deleted_only_by_force(api):
    api.create_pool("alpha")
    api.deploy("flow/one", "alpha", ["true"])
    with pytest.raises(ApiError) as refused:
        api.WorkPoolService.DeleteWorkPool(name="workPools/alpha")
    assert (refused.value.code, refused.value.reason) == ("FAILED_PRECONDITION", "POOL_HAS_DEPLOYMENTS")
    run_id = api.submit("flow/one")
    with pytest.raises(ApiError) as refused:
        api.WorkPoolService.DeleteWorkPool(name="workPools/alpha")
    assert refused.value.reason in ("POOL_HAS_RUNS", "POOL_HAS_DEPLOYMENTS")
    api.WorkPoolService.DeleteWorkPool(name="workPools/alpha", force=True)
    assert api.state(run_id) == "CANCELLED"
    api.create_pool("alpha")


def test_a_pool_with_held_attempts_is_not_deleted_even_by_force(env, api):
    api.create_pool("alpha")
    api.deploy("flow/one", "alpha", ["true"])
    run_id = api.submit("flow/one")
    worker = env.fake_worker("alpha")
    worker.take()
    with pytest.raises(ApiError) as refused:
        api.WorkPoolService.DeleteWorkPool(name="workPools/alpha", force=True)
    assert (refused.value.code, refused.value.reason) == ("FAILED_PRECONDITION", "POOL_HAS_RUNS")
    assert api.state(run_id) == "PENDING"
    env.checker.check(api)


def test_pages_of_a_list_hold_every_pool_once(api):
    names = [f"pool-{number:02d}" for number in range(7)]
    for name in names:
        api.create_pool(name)
    seen, token = [], ""
    while True:
        page = api.WorkPoolService.ListWorkPools(page_size=3, page_token=token)
        seen += [pool.name.removeprefix("workPools/") for pool in page.work_pools]
        assert len(page.work_pools) <= 3
        token = page.next_page_token
        if not token:
            break
    assert sorted(seen) == names


@pytest.mark.parametrize("token", ["x", "AAAA", "' OR 1=1 --", "0" * 5000])
def test_a_page_token_that_is_not_the_servers_is_refused(api, token):
    with pytest.raises(ApiError) as refused:
        api.WorkPoolService.ListWorkPools(page_token=token)
    assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", "INVALID_PAGE_TOKEN")


def test_queues_are_listed_by_priority(api):
    api.create_pool("alpha")
    create = api.WorkQueueService.CreateWorkQueue
    create(work_queue=queue_message("alpha", "low", priority=9))
    create(work_queue=queue_message("alpha", "high", priority=1))
    behind = create(work_queue=queue_message("alpha", "last")).work_queue
    assert behind.priority == 10
    queues = api.WorkQueueService.ListWorkQueues(parent="workPools/alpha").work_queues
    assert [queue.name.rsplit("/")[-1] for queue in queues] == ["default", "high", "low", "last"]


def test_queue_errors_name_what_is_wrong(api):
    api.create_pool("alpha")
    queues = api.WorkQueueService
    with pytest.raises(ApiError, match="WORK_POOL_NOT_FOUND"):
        queues.CreateWorkQueue(work_queue=queue_message("nowhere", "fast"))
    with pytest.raises(ApiError, match="WORK_QUEUE_EXISTS"):
        queues.CreateWorkQueue(work_queue=queue_message("alpha", "default"))
    with pytest.raises(ApiError, match="WORK_QUEUE_NOT_FOUND"):
        queues.GetWorkQueue(name="workPools/alpha/queues/fast")
    with pytest.raises(ApiError, match="DEFAULT_QUEUE"):
        queues.DeleteWorkQueue(name="workPools/alpha/queues/default")
    with pytest.raises(ApiError) as refused:
        queues.CreateWorkQueue(work_queue=queue_message("alpha", "fast", priority=-1))
    assert refused.value.code == "INVALID_ARGUMENT"


def test_a_queue_in_use_is_not_deleted(api):
    api.create_pool("alpha")
    api.WorkQueueService.CreateWorkQueue(work_queue=queue_message("alpha", "fast"))
    api.deploy("flow/one", "alpha", ["true"], queue="fast")
    with pytest.raises(ApiError, match="QUEUE_HAS_DEPLOYMENTS"):
        api.WorkQueueService.DeleteWorkQueue(name="workPools/alpha/queues/fast")
    api.DeploymentService.DeleteDeployment(name="flow/one")
    api.WorkQueueService.DeleteWorkQueue(name="workPools/alpha/queues/fast")
