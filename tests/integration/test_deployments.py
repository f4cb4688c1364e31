"""Deployments through the API."""

import json

import pytest
from forebay import protocol
from forebay.api import ApiError


@pytest.fixture
def pool(api):
    return api.create_pool("alpha")


def test_applying_twice_replaces_the_whole_deployment(api, pool):
    first = api.deploy("flow/one", "alpha", ["true"], parameters='{"a": 1}', tags=["x"], description="d")
    second = api.deploy("flow/one", "alpha", ["false"])
    assert second.uid == first.uid and second.revision > first.revision
    assert list(second.command) == ["false"] and not second.tags and not second.description
    assert json.loads(second.parameters or "{}") == {}


def test_names_resolve_in_dash_and_underscore_form(api, pool):
    api.deploy("repo-stats/nightly", "alpha", ["true"])
    get = api.DeploymentService.GetDeployment
    full = "teams/default/flows/repo-stats/deployments/nightly"
    for name in ("repo-stats/nightly", "repo_stats/nightly", full, "teams/default/flows/repo_stats/deployments/nightly"):
        assert get(name=name).deployment.name == full
    run = api.FlowRunService.CreateFlowRun(deployment="repo_stats/nightly").flow_run
    assert run.deployment == full
    api.deploy("my_flow/one", "alpha", ["true"])
    assert get(name="my-flow/one").deployment.flow == "my-flow"


@pytest.mark.parametrize(
    "fields, reason",
    [
        ({"command": []}, "COMMAND_MISSING"),
        ({"parameters": "{"}, "INVALID_JSON"),
        ({"parameters": "[1]"}, "INVALID_JSON"),
        ({"job_variables": "nope"}, "INVALID_JSON"),
        ({"job_variables": '{"comand": "x"}'}, "UNKNOWN_JOB_VARIABLE"),
    ],
)
def test_what_is_wrong_with_a_deployment_is_named(api, pool, fields, reason):
    command = fields.pop("command", ["true"])
    with pytest.raises(ApiError) as refused:
        api.deploy("flow/one", "alpha", command, **fields)
    assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", reason)
    assert not api.DeploymentService.ListDeployments().deployments


def test_an_unknown_job_variable_names_the_nearest_and_all_that_are_known(api, pool):
    with pytest.raises(ApiError) as refused:
        api.deploy("flow/one", "alpha", ["true"], job_variables='{"working_directry": "/"}')
    metadata = refused.value.metadata
    assert metadata["value"] == "working_directry"
    assert metadata["nearest"] in metadata["allowed"]


def test_an_unknown_pool_or_queue_is_not_found(api, pool):
    with pytest.raises(ApiError, match="WORK_POOL_NOT_FOUND"):
        api.deploy("flow/one", "nowhere", ["true"])
    with pytest.raises(ApiError, match="WORK_QUEUE_NOT_FOUND"):
        api.deploy("flow/one", "alpha", ["true"], queue="fast")


@pytest.mark.parametrize("name", ["flow", "a/b/c", "Flow/one", "flow/-x", "/", "teams/default/flows/f", "flow/" + "x" * 64])
def test_a_name_that_is_not_a_name_is_refused(api, pool, name):
    with pytest.raises(ApiError) as refused:
        api.DeploymentService.ApplyDeployment(
            deployment=protocol.message("Deployment")(name=name, work_pool="workPools/alpha", command=["true"])
        )
    assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", "INVALID_NAME")


def test_an_unknown_deployment_names_the_nearest(api, pool):
    api.deploy("repo-stats/nightly", "alpha", ["true"])
    with pytest.raises(ApiError) as refused:
        api.FlowRunService.CreateFlowRun(deployment="repo-stats/nightl")
    assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", "DEPLOYMENT_NOT_FOUND")
    assert refused.value.metadata["nearest"] == "repo-stats/nightly"


def test_a_paused_deployments_runs_wait_and_say_why(env, api, pool):
    api.deploy("flow/one", "alpha", ["true"])
    worker = env.fake_worker("alpha")
    api.DeploymentService.PauseDeployment(name="flow/one")
    run_id = api.submit("flow/one")
    assert "paused" in api.run(run_id).waiting_reason
    poll = worker.start_poll()
    api.DeploymentService.ResumeDeployment(name="flow/one")
    assert poll.result().assignments[0].attempt.run_id == run_id


def test_pausing_holds_back_runs_that_already_wait(env, api, pool):
    api.deploy("flow/one", "alpha", ["true"])
    api.deploy("flow/two", "alpha", ["true"])
    first = api.submit("flow/one")
    api.DeploymentService.PauseDeployment(name="flow/one")
    second = api.submit("flow/two")
    worker = env.fake_worker("alpha")
    assert [a.attempt.run_id for a in worker.take()] == [second]
    assert api.state(first) == "SCHEDULED"


def test_a_deployment_with_waiting_runs_is_deleted_only_by_force(api, pool):
    api.deploy("flow/one", "alpha", ["true"])
    run_id = api.submit("flow/one")
    with pytest.raises(ApiError, match="DEPLOYMENT_HAS_RUNS"):
        api.DeploymentService.DeleteDeployment(name="flow/one")
    api.DeploymentService.DeleteDeployment(name="flow/one", force=True)
    assert api.state(run_id) == "CANCELLED"
    with pytest.raises(ApiError, match="DEPLOYMENT_NOT_FOUND"):
        api.submit("flow/one")


def test_lists_are_filtered_by_pool_and_flow(api, pool):
    api.create_pool("beta")
    api.deploy("flow/one", "alpha", ["true"])
    api.deploy("flow/two", "beta", ["true"])
    api.deploy("other/one", "beta", ["true"])

    def names(**filters):
        listed = api.DeploymentService.ListDeployments(**filters).deployments
        return [d.name.removeprefix("teams/default/flows/").replace("/deployments", "") for d in listed]

    assert names() == ["flow/one", "flow/two", "other/one"]
    assert names(work_pool="workPools/beta") == ["flow/two", "other/one"]
    assert names(flow="flow", page_size=1) == ["flow/one"]
