"""Jobs of kubernetes pools as users meet them before any cluster is asked: what cannot be launched is refused when it is said."""

import json

import pytest
from forebay.api import ApiError

POD = "job_manifest.spec.template.spec"
MAIN = f"{POD}.containers.0"


@pytest.fixture
def pool(api):
    return api.create_pool("pods", "kubernetes")


@pytest.fixture
def deploy(api, pool):
    def deploy(**variables):
        variables = {"image": "registry.acme.example/team/app:1", **variables}
        return api.deploy("flow/pod", "pods", ["true"], job_variables=json.dumps(variables))

    return deploy


def refusal(call, *arguments, **fields) -> ApiError:
    with pytest.raises(ApiError) as raised:
        call(*arguments, **fields)
    return raised.value


def with_manifest(env, change) -> dict:
    """The built-in template with its manifest changed."""
    template = json.loads(env.new_cli()("work-pool", "get-default-base-job-template", "--type", "kubernetes").out)
    change(template["job_configuration"]["job_manifest"])
    return template


def test_a_pool_begins_with_the_built_in_template(env, api, pool):
    shown = api.WorkPoolService.GetWorkPool(name="workPools/pods").work_pool
    assert json.loads(shown.base_job_template) == with_manifest(env, lambda manifest: None)


@pytest.mark.parametrize(
    "variables, field",
    [
        ({"cpu_limit": "lots"}, "job_variables.cpu_limit"),
        ({"memory_request": "64mb"}, "job_variables.memory_request"),
        ({"namespace": "Team A"}, "job_variables.namespace"),
        ({"run_as_user": "root"}, "job_variables.run_as_user"),
        ({"tolerations": [{"kei": "x"}]}, "job_variables.tolerations.0.kei"),
        ({"finished_job_ttl": -1}, "job_variables.finished_job_ttl"),
    ],
)
def test_job_variables_that_do_not_fit_are_refused_when_the_deployment_is_saved(deploy, variables, field):
    error = refusal(deploy, **variables)
    assert (error.reason, error.metadata["field"]) == ("INVALID_JOB_VARIABLE", field)


@pytest.mark.parametrize(
    "variables, field",
    [
        ({"image": "Registry/UPPER"}, f"{MAIN}.image"),
        ({"cpu_request": 2, "cpu_limit": "1500m"}, f"{MAIN}.resources.requests.cpu"),
        ({"labels": {"forebay.io/run-id": "x"}}, "labels.forebay.io/run-id"),
        ({"env": {"LD_PRELOAD": "x"}}, "env.LD_PRELOAD"),
        ({"node_selector": {"a b": "c"}}, f"{POD}.nodeSelector.a b"),
    ],
)
def test_what_cannot_be_a_job_is_refused_when_the_run_is_created(api, deploy, variables, field):
    deploy(**variables)
    error = refusal(api.submit, "flow/pod")
    assert (error.reason, error.metadata["field"]) == ("INVALID_JOB", field)


def test_a_manifest_that_breaks_the_start_gate_is_refused_with_the_place(env, api, deploy):
    deploy()
    changes = [
        (lambda manifest: manifest["spec"].update(backoffLimit=3), "job_manifest.spec.backoffLimit"),
        (lambda manifest: manifest["spec"]["template"]["spec"].update(nodeName="here"), f"{POD}.nodeName"),
        (lambda manifest: manifest["spec"]["template"]["spec"].update(restartPolicy="OnFailure"), f"{POD}.restartPolicy"),
        (lambda manifest: manifest.update(kind="CronJob"), "job_manifest.kind"),
        (lambda manifest: manifest["spec"]["template"]["spec"].update(hostnetwork=True), f"{POD}.hostnetwork"),
    ]
    for change, field in changes:
        template = with_manifest(env, change)
        api.WorkPoolService.UpdateWorkPool(
            work_pool={"name": "workPools/pods", "base_job_template": json.dumps(template)}, update_mask={"paths": ["base_job_template"]}
        )
        error = refusal(api.submit, "flow/pod")
        assert (error.reason, error.metadata["field"]) == ("INVALID_JOB", field)
    # The last one is a slip of the pen.
    assert error.metadata["nearest"] == "hostNetwork"


def test_a_policy_is_about_the_whole_pod_and_names_who_set_it(env, api, deploy):
    path = env.scratch / "policy.json"
    rules = [{"field": "namespace", "allow": ["team-*"]}, {"field": "memory_limit", "max": "1g"}]
    path.write_text(json.dumps({"rules": rules}))
    assert env.new_cli()("work-pool", "policy", "set", "pods", "-f", str(path)).code == 0
    deploy(namespace="kube-system", memory_limit="2Gi")
    error = refusal(api.submit, "flow/pod")
    assert (error.code, error.reason) == ("PERMISSION_DENIED", "POLICY_DENIED")
    assert (error.metadata["field"], error.metadata["set_by"]) == ("/namespace", "deployment")
    deploy(namespace="team-a", memory_limit="2Gi")
    assert refusal(api.submit, "flow/pod").metadata["field"] == "/memory_limit"
    deploy(namespace="team-a", memory_limit="1Gi")
    api.submit("flow/pod")
