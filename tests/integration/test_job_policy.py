"""What may be launched: templates, variables and policies as users meet them, refused at the earliest place that can know."""

import contextlib
import json
import socketserver
import threading

import pytest
from forebay.api import ApiError
from forebay.waiting import wait_until

GOOD = {"image": "registry.acme.example/team/app:1"}


@pytest.fixture
def cli(env, api):
    api.create_pool("boxes", "docker")
    return env.new_cli()


@pytest.fixture
def deploy(api, cli):
    def deploy(**variables):
        return api.deploy("flow/box", "boxes", ["true"], job_variables=json.dumps(variables))

    return deploy


def refusal(call, *arguments, **fields) -> ApiError:
    with pytest.raises(ApiError) as raised:
        call(*arguments, **fields)
    return raised.value


def write(env, name: str, value) -> str:
    path = env.scratch / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return str(path)


def test_a_run_without_a_required_variable_is_refused_when_it_is_created(api, deploy):
    deploy()
    error = refusal(api.submit, "flow/box")
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "MISSING_JOB_VARIABLE")
    assert error.metadata["field"] == "job_variables.image"


@pytest.mark.parametrize(
    "variables, reason, field",
    [
        ({"image": 5}, "INVALID_JOB_VARIABLE", "job_variables.image"),
        ({"cpus": "2"}, "INVALID_JOB_VARIABLE", "job_variables.cpus"),
        ({"auto_remove": 1}, "INVALID_JOB_VARIABLE", "job_variables.auto_remove"),
        ({"image_pull_policy": "Nver"}, "INVALID_JOB_VARIABLE", "job_variables.image_pull_policy"),
        ({"imge": "x"}, "UNKNOWN_JOB_VARIABLE", "job_variables"),
        ({"env": {"A": [1]}}, "INVALID_ENV", "env.A"),
    ],
)
def test_job_variables_that_do_not_fit_are_refused_when_the_deployment_is_saved(deploy, variables, reason, field):
    error = refusal(deploy, **variables)
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", reason)
    assert error.metadata["field"] == field


@pytest.mark.parametrize(
    "variables, reason",
    [
        ({"image": "Not An Image"}, "INVALID_JOB"),
        ({"mem_limit": "1m"}, "INVALID_JOB"),
        ({"volumes": ["/etc/../x:/x"]}, "INVALID_JOB"),
        ({"env": {"LD_PRELOAD": "/x.so"}}, "INVALID_JOB"),
        ({"volumes": ["/etc:/x"]}, "POLICY_DENIED"),
        ({"privileged": True}, "POLICY_DENIED"),
        ({"env": {"KEY": {"$secret": "key"}}}, "UNRESOLVED_REFERENCE"),
    ],
)
def test_what_cannot_or_may_not_be_launched_is_refused_when_the_run_is_created(api, deploy, variables, reason):
    deploy(**GOOD)
    error = refusal(api.submit, "flow/box", job_variables=json.dumps(variables))
    assert error.reason == reason
    assert api.submit("flow/box")


@pytest.mark.parametrize(
    "change, reason",
    [
        (lambda t: t["job_configuration"].update(extra="{{ imge }}"), "UNDECLARED_PLACEHOLDER"),
        (lambda t: t.pop("variables"), "INVALID_TEMPLATE"),
        (lambda t: t["variables"]["properties"]["image"].update(maxLenght=3), "INVALID_SCHEMA"),
        (lambda t: t["variables"]["properties"]["cpus"].update(default="two"), "INVALID_DEFAULT"),
        (lambda t: t["job_configuration"].update(env={"K": {"$secret": "k"}}), "REFERENCE_IN_TEMPLATE"),
    ],
)
def test_a_template_that_is_wrong_is_refused_and_changes_nothing(env, cli, change, reason):
    template = json.loads(cli("work-pool", "get-default-base-job-template", "--type", "docker").out)
    change(template)
    path = write(env, "t.json", template)
    before = cli("work-pool", "inspect", "boxes", "-o", "json").json["base_job_template"]
    refused = cli("work-pool", "update", "boxes", "--base-job-template", path)
    assert refused.code == 2
    assert cli("work-pool", "inspect", "boxes", "-o", "json").json["base_job_template"] == before
    # The same verdict without a server.
    assert cli("template", "validate", "--template", path).code == 2
    assert reason in reason_of(env, path)


def reason_of(env, path: str) -> str:
    pool = env.api.WorkPoolService.GetWorkPool(name="workPools/boxes").work_pool
    pool.base_job_template = open(path).read()
    return refusal(env.api.WorkPoolService.UpdateWorkPool, work_pool=pool, update_mask={"paths": ["base_job_template"]}).reason


def test_a_policy_is_set_shown_checked_and_held_to(env, api, cli, deploy):
    deploy(**GOOD)
    ours = write(env, "ours.yaml", "rules:\n- name: ours\n  field: image\n  allow: ['registry.acme.example/team/**']\n")
    other = write(env, "other.yaml", "rules:\n- field: image\n  allow: ['registry.acme.example/other/**']\n")
    assert cli("work-pool", "policy", "check", "boxes", "-f", ours).code == 0
    checked = cli("work-pool", "policy", "check", "boxes", "-f", other)
    assert checked.code == 5
    assert "set by deployment" in checked.out
    assert cli("work-pool", "policy", "set", "boxes", "-f", ours).code == 0
    assert "registry.acme.example/team/**" in cli("work-pool", "policy", "get", "boxes").out
    assert api.submit("flow/box")
    error = refusal(api.submit, "flow/box", job_variables='{"image": "evil/app"}')
    assert (error.code, error.reason) == ("PERMISSION_DENIED", "POLICY_DENIED")
    assert (error.metadata["rule"], error.metadata["field"], error.metadata["set_by"]) == ("ours", "/image", "run")
    assert cli("work-pool", "policy", "set", "boxes", "--none").code == 0
    assert api.submit("flow/box", job_variables='{"image": "evil/app"}')


def test_a_policy_with_an_unknown_field_is_refused_by_name(env, cli):
    refused = cli("work-pool", "policy", "set", "boxes", "-f", write(env, "p.yaml", "rules: [{field: imge, allow: []}]"))
    assert refused.code == 2
    assert "imge" in refused.err and "image" in refused.err


def test_a_dry_run_shows_every_value_with_its_origin_and_creates_nothing(api, cli, deploy):
    deploy(**GOOD, mem_limit="64m")
    shown = cli("deployment", "run", "flow/box", "--job-variable", "env.DEBUG=1", "--dry-run", "-o", "json")
    assert shown.code == 0, shown.err
    preview = shown.json
    origins = {leaf["pointer"]: leaf["origin"] for leaf in preview["leaves"]}
    assert origins["/image"] == "deployment"
    assert origins["/env/DEBUG"] == "run"
    assert origins["/privileged"] == "default"
    assert origins["/env/FOREBAY_RUN_ID"] == "launcher"
    assert preview["job_configuration"]["mem_limit"] == "64m"
    assert preview["launchable"] is True
    assert not cli("flow-run", "ls", "-o", "json").json


def test_a_preview_lists_all_that_is_wrong(cli, deploy):
    deploy(**GOOD)
    shown = cli("work-pool", "preview-job", "boxes", "-d", "flow/box", "--set", "cpus=two", "--set", "auto_remove=1", "-o", "json")
    assert shown.code == 5
    assert {problem["pointer"] for problem in shown.json["problems"]} == {"/cpus", "/auto_remove"}
    unknown = cli("work-pool", "preview-job", "boxes", "-d", "flow/box", "--set", "imge=x", "-o", "json")
    assert [problem["reason"] for problem in unknown.json["problems"]] == ["UNKNOWN_JOB_VARIABLE"]
    denied = cli("work-pool", "preview-job", "boxes", "-d", "flow/box", "--set", "privileged=true", "-o", "json")
    assert [denial["field"] for denial in denied.json["denials"]] == ["/privileged"]


def test_the_workers_own_floor_is_not_widened_by_the_server(env, api):
    api.create_pool("alpha")
    floor = write(env, "floor.yaml", "rules: [{field: working_dir, allow: []}]")
    env.new_worker("alpha", arguments=("--policy-floor-file", floor))
    api.deploy("flow/one", "alpha", ["true"])
    run = api.wait_for_end(api.submit("flow/one", job_variables='{"working_dir": "/tmp"}'))
    assert run.state.reason == "POLICY_DENIED"
    assert "floor policy of this worker" in run.state.message
    assert api.wait_for_end(api.submit("flow/one")).state.name == "Completed"


def test_a_worker_decides_the_pools_policy_again_before_the_launch(env, api):
    api.create_pool("alpha")
    api.deploy("flow/one", "alpha", ["true"])
    run_id = api.submit("flow/one", job_variables='{"working_dir": "/tmp"}')
    pool = api.WorkPoolService.GetWorkPool(name="workPools/alpha").work_pool
    pool.policy = '{"rules": [{"field": "working_dir", "allow": []}]}'
    api.WorkPoolService.UpdateWorkPool(work_pool=pool, update_mask={"paths": ["policy"]})
    env.new_worker("alpha")
    assert api.wait_for_end(run_id).state.reason == "POLICY_DENIED"


def test_a_worker_with_a_bad_floor_does_not_start(env, api):
    api.create_pool("alpha")
    worker = env.make_worker("alpha", arguments=("--policy-floor-file", write(env, "f.yaml", "rules: [{field: nothing}]")))
    worker.spawn()
    wait_until(lambda: not worker.running, what="the worker to end")
    assert "nothing" in worker.tail()


def test_the_doctor_says_what_is_wrong_with_the_engine(env, cli):
    examined = cli("doctor", "--docker-host", "unix:///nowhere/engine.sock")
    assert examined.code == 5
    assert "no container engine listens at unix:///nowhere/engine.sock" in examined.out


def test_the_doctor_names_the_version_of_an_engine_that_is_too_old(env, cli):
    with old_engine(env.scratch / "old.sock") as address:
        examined = cli("doctor", "--docker-host", address)
    assert examined.code == 5
    assert "17.03.0" in examined.out and "1.26" in examined.out and "1.40" in examined.out


@contextlib.contextmanager
def old_engine(path):
    """Answers every request as an engine of 2017 answers the one for its version."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            while self.rfile.readline().strip():
                pass
            body = b'{"Version": "17.03.0", "ApiVersion": "1.26", "MinAPIVersion": "1.12"}'
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))

    with socketserver.UnixStreamServer(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"unix://{path}"
        server.shutdown()
        thread.join()
