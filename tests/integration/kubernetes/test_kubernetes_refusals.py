"""What cannot run in a Kubernetes cluster, or not yet: refused with the field when the run is created, or told in the cluster's
own words, and waited for only where it may still come."""

import json
import pathlib

import pytest
from forebay import protocol
from forebay.api import ApiError
from forebay.certificates import Authority
from forebay.ended import reasons
from forebay.images import USER
from forebay.kubeconfig import write_kubeconfig
from forebay.kubernetes_client import Rule
from forebay.kubernetes_pool import KubernetesPool, gated, worker_rules
from forebay.waiting import wait_until

pytestmark = pytest.mark.slow


def told(pool, run_id: str) -> str:
    """The run's whole log."""
    return "\n".join(line.entry.text for line in pool.env.api.log(run_id))


# What cannot begin.


@pytest.mark.parametrize(
    "reason, command, variables, words",
    [
        ("COMMAND_NOT_FOUND", ["not-a-program"], {}, "not-a-program"),
        ("PERMISSION_DENIED", ["/etc/passwd"], {}, "/etc/passwd"),
        ("INVALID_JOB", ["true"], {"run_as_user": None}, "runAsNonRoot and image will run as root"),
        ("INVALID_JOB", ["true"], {"working_dir": "/bin/busybox"}, "/bin/busybox"),
        ("IMAGE_NOT_FOUND", ["true"], {"image": "forebay-test/none:1"}, "docker.io/forebay-test/none:1"),
    ],
    ids=str,
)
def test_what_cannot_begin_fails_its_run_with_the_clusters_words(pool, run, reason, command, variables, words):
    ended = run(command, **variables)
    assert (ended.state, ended.reason, ended.attempts) == ("FAILED", reason, 1), ended.message
    assert words in ended.message
    pool.wait_nothing_left()


@pytest.mark.parametrize(
    "behaviour, reason",
    [
        ("manifest unknown", "IMAGE_NOT_FOUND"),
        ("denied", "IMAGE_UNAUTHORIZED"),
        ("unauthorized", "IMAGE_UNAUTHORIZED"),
        ("other platform", "IMAGE_WRONG_PLATFORM"),
    ],
)
def test_an_image_that_cannot_be_had_ends_the_run_with_its_class(pool, run, registry_double, behaviour, reason):
    image = registry_double.image("bad", behaviour)
    ended = run("true", image=image, image_pull_policy="IfNotPresent")
    assert (ended.state, ended.reason) == ("FAILED", reason), ended.message
    assert image in ended.message
    pool.wait_nothing_left()


def test_a_registry_in_trouble_is_waited_for_and_the_log_says_why(pool, worker, registry_double):
    image = registry_double.image("later", "unavailable")
    run_id = pool.submit("cat /repository", image=image, image_pull_policy="IfNotPresent")
    wait_until(lambda: "503" in told(pool, run_id), what="the registry's answer in the log")
    registry_double.image("later")
    ended = pool.ended(run_id)
    assert (ended.state, ended.lines, ended.attempts) == ("COMPLETED", ["later"], 1), ended.message
    assert any(line.startswith("Pulling image") for line in ended.told), ended.told
    assert any(line.startswith("Successfully pulled image") for line in ended.told), ended.told


def test_a_registry_that_stays_away_ends_the_attempt_when_the_wait_is_over(pool, worker, registry_double):
    image = registry_double.image("never", "unavailable")
    run_id = pool.submit("true", image=image, image_pull_policy="IfNotPresent", pod_watch_timeout_seconds=4)
    wait_until(lambda: reasons(pool.env.api, run_id), what="an attempt failed")
    attempt = pool.env.api.run(run_id, full=True).attempts[0]
    assert attempt.outcome.reason == "REGISTRY_UNREACHABLE"
    assert image in attempt.outcome.message and "not begun within 4 s" in attempt.outcome.message
    pool.env.api.cancel(run_id)
    pool.ended(run_id)
    pool.wait_nothing_left()


def test_a_cancel_ends_a_pull_too(pool, worker, registry_double):
    image = registry_double.image("stuck", "hang in layer")
    run_id = pool.submit("true", image=image, image_pull_policy="Always")
    wait_until(lambda: registry_double.pulls("stuck"), what="the pull began")
    pool.env.api.cancel(run_id)
    # A kubelet lets no Pod go before its pull has ended; until then nobody can say that nothing will run.
    assert pool.env.api.run(run_id).state.name == "Cancelling"
    registry_double.closing.set()
    ended = pool.ended(run_id)
    assert (ended.state, ended.lines) == ("CANCELLED", [])
    pool.wait_nothing_left()


def test_what_no_node_can_take_says_why_and_is_given_up(pool, run):
    ended = run("true", node_selector={"no": "such"}, pod_watch_timeout_seconds=3)
    assert (ended.state, ended.reason, ended.attempts) == ("FAILED", "UNSCHEDULABLE", 1)
    assert "node(s) didn't match Pod's node affinity/selector" in ended.message and "not begun within 3 s" in ended.message
    assert any(line.startswith("FailedScheduling: 0/1 nodes are available") for line in ended.told), ended.told
    pool.wait_nothing_left()


def test_what_is_more_than_the_node_has_says_so(run):
    ended = run("true", cpu_request=10000, pod_watch_timeout_seconds=2)
    assert (ended.state, ended.reason) == ("FAILED", "UNSCHEDULABLE")
    assert "Insufficient cpu" in ended.message


def test_a_pod_that_the_namespace_refuses_fails_the_run_at_once(pool, run):
    ended = run("true", run_as_user=0, run_as_non_root=False)
    assert (ended.state, ended.reason) == ("FAILED", "POD_REFUSED"), ended.message
    assert 'violates PodSecurity "restricted' in ended.message and "runAsNonRoot" in ended.message
    pool.wait_nothing_left()


def test_a_container_that_lacks_its_config_map_says_which(env, pool, worker):
    change_manifest(env, pool, lambda main: main.update(envFrom=[{"configMapRef": {"name": "missing"}}]))
    ended = pool.run("true")
    assert (ended.state, ended.reason) == ("FAILED", "INVALID_JOB")
    assert 'configmap "missing" not found' in ended.message


# What is refused when the run is created.


def refused(pool, script="true", **variables) -> ApiError:
    with pytest.raises(ApiError) as error:
        pool.submit(script, **variables)
    return error.value


@pytest.mark.parametrize("variable", ["cpu_request", "memory_limit"])
def test_a_quantity_that_is_none(pool, variable):
    for value in ("lots", "1,5", "-1", "64MB", "", True):
        error = refused(pool, **{variable: value})
        assert error.code == "INVALID_ARGUMENT" and variable in error.text and json.dumps(value) in error.text, error


def test_a_variable_that_means_nothing(pool):
    for variable, value, named in (
        ("image", "Not An Image", "image"),
        ("namespace", "Team_A", "namespace"),
        ("labels", {"forebay.io/run-id": "mine"}, "forebay.io/run-id"),
        ("labels", {"a label": "x"}, "a label"),
        ("env", {"FOREBAY_RUN_ID": "mine"}, "FOREBAY_RUN_ID"),
        ("env", {"1A": "x"}, "1A"),
        ("no_such_variable", 1, "no_such_variable"),
        ("pod_watch_timeout_seconds", 0, "pod_watch_timeout_seconds"),
        ("service_account_name", "No Account", "No Account"),
    ):
        error = refused(pool, **{variable: value})
        assert error.code == "INVALID_ARGUMENT", (variable, error)
        assert named in error.text + json.dumps(error.metadata), (variable, error)


def change_manifest(env, pool, change):
    """The base job template of the pool, its main container changed."""
    replace_manifest(env, pool, lambda job: change(job["spec"]["template"]["spec"]["containers"][0]) or job)


def replace_manifest(env, pool, replace):
    template = json.loads(env.api.WorkPoolService.GetWorkPool(name=pool.pool.name).work_pool.base_job_template)
    configuration = template["job_configuration"]
    configuration["job_manifest"] = replace(configuration["job_manifest"])
    changed = protocol.message("WorkPool")(name=pool.pool.name, base_job_template=json.dumps(template))
    env.api.WorkPoolService.UpdateWorkPool(work_pool=changed, update_mask={"paths": ["base_job_template"]})


def with_spec(**fields):
    return lambda job: {**job, "spec": {**job["spec"], **fields}}


def with_pod(**fields):
    def replace(job):
        job["spec"]["template"]["spec"].update(fields)
        return job

    return replace


def test_a_manifest_that_would_break_something(env, pool):
    sound = json.loads(env.api.WorkPoolService.GetWorkPool(name=pool.pool.name).work_pool.base_job_template)
    for replace, field in (
        (lambda job: {**job, "kind": "Pod"}, "kind"),
        (lambda job: {**job, "apiVersion": "v1"}, "apiVersion"),
        (lambda job: {"apiVersion": "batch/v1", "kind": "Job"}, "spec"),
        (lambda job: ["no", "Job"], "job_manifest"),
        (lambda job: {**job, "metadata": {"name": "mine"}}, "metadata.name"),
        (with_spec(backoffLimit=3), "backoffLimit"),
        (with_spec(parallelism=2), "parallelism"),
        (with_spec(suspend=True), "suspend"),
        (with_spec(backofLimit=0), "backofLimit"),
        (with_pod(restartPolicy="OnFailure"), "restartPolicy"),
        (with_pod(nodeName="localhost"), "nodeName"),
        (with_pod(schedulingGates=[{"name": "forebay.io/go"}]), "schedulingGates"),
        (with_pod(hostNetwork="yes"), "hostNetwork"),
        (with_pod(containers=[]), "containers"),
    ):
        replace_manifest(env, pool, lambda _, replace=replace: replace(json.loads(json.dumps(manifest_of(sound)))))
        error = refused(pool)
        assert (error.code, error.reason) == ("INVALID_ARGUMENT", "INVALID_JOB"), (field, error)
        assert field in error.text + error.metadata.get("field", ""), error


def manifest_of(template: dict) -> dict:
    return template["job_configuration"]["job_manifest"]


@pytest.mark.parametrize(
    "replace, field",
    [(with_pod(hostNetwork=True), "host_network"), (with_pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}]), "volumes")],
    ids=["host network", "host path"],
)
def test_what_reaches_the_host_is_denied_by_the_built_in_policy(env, pool, replace, field):
    replace_manifest(env, pool, replace)
    error = refused(pool)
    assert (error.code, error.reason) == ("PERMISSION_DENIED", "POLICY_DENIED") and field in error.metadata["field"]


# Namespaces.


def test_a_namespace_that_does_not_exist(kubernetes, env, pool, scratch):
    everywhere = kubernetes.write_kubeconfig(scratch / "all.yaml", admin_user(kubernetes), pool.namespace)
    env.new_worker("jobs", arguments=("--kubeconfig", str(everywhere)))
    ended = pool.run("true", namespace="no-such-namespace")
    assert (ended.state, ended.reason) == ("FAILED", "NAMESPACE_NOT_FOUND"), ended.message
    assert 'namespaces "no-such-namespace" not found' in ended.message


def admin_user(kubernetes) -> dict:
    certificate, key = kubernetes.api.certificate
    return {"client-certificate": str(certificate), "client-key": str(key)}


def test_a_namespace_that_the_policy_does_not_allow(env, pool):
    policy = json.dumps({"rules": [{"field": "namespace", "allow": [pool.namespace]}]})
    changed = protocol.message("WorkPool")(name=pool.pool.name, policy=policy)
    env.api.WorkPoolService.UpdateWorkPool(work_pool=changed, update_mask={"paths": ["policy"]})
    error = refused(pool, namespace="default")
    assert (error.code, error.reason) == ("PERMISSION_DENIED", "POLICY_DENIED")
    assert error.metadata["field"] == "/namespace"


def test_a_namespace_that_the_worker_may_not_use_names_the_rule_to_add(pool, run):
    ended = run("true", namespace="default")
    assert (ended.state, ended.reason) == ("FAILED", "PERMISSION_DENIED"), ended.message
    assert "in namespace default" in ended.message and "add to its Role there: - {apiGroups: [" in ended.message
    assert not pool.cluster.get("/apis/batch/v1/namespaces/default/jobs")["items"]


# Credentials and permissions.


@pytest.fixture
def pool_of(env, kubernetes, kubernetes_namespace, scratch):
    """pool_of(rules): a pool whose worker has no other rights than those."""

    def make(rules: list[Rule]) -> KubernetesPool:
        token = kubernetes.make_account(kubernetes_namespace, "confined", rules)
        kubeconfig = kubernetes.write_kubeconfig(scratch / "confined.yaml", {"token": token}, kubernetes_namespace)
        return KubernetesPool(env, kubernetes.api, kubeconfig, kubernetes_namespace, name="confined", cancel_grace=1000)

    return make


def without(resource: str, verb: str) -> list[Rule]:
    return [Rule(rule.group, rule.resources, [v for v in rule.verbs if (rule.resources, v) != ([resource], verb)])
            for rule in worker_rules()]  # fmt: skip


@pytest.mark.parametrize(
    "resource, verb, group", [("jobs", "create", "batch"), ("secrets", "create", "")], ids=["jobs", "secrets"]
)
def test_a_permission_that_a_launch_lacks_is_named_with_its_rule(pool_of, resource, verb, group):
    pool = pool_of([rule for rule in without(resource, verb) if rule.verbs])
    pool.new_worker()
    ended = pool.run("true", env={"A": "b"})
    assert (ended.state, ended.reason) == ("FAILED", "PERMISSION_DENIED"), ended.message
    assert f"may not {verb} {resource} in namespace {pool.namespace}" in ended.message
    assert f'- {{apiGroups: ["{group}"], resources: ["{resource}"], verbs: ["{verb}"]}}' in ended.message
    pool.wait_nothing_left()


@pytest.mark.parametrize("resource, verb", [("jobs", "list"), ("pods", "watch")])
def test_a_permission_that_watching_lacks_makes_the_worker_not_ready(kubernetes, pool_of, resource, verb):
    pool = pool_of(without(resource, verb))
    pool.new_worker()
    wait_until(lambda: f"{verb} {resource}" in pool.readiness(), what="the permission is named")
    assert f'resources: ["{resource}"], verbs: ["{verb}"]' in pool.readiness()
    run_id = pool.submit("echo at last")
    kubernetes.grant(pool.namespace, "confined", worker_rules())
    assert pool.ended(run_id).lines == ["at last"]


def test_a_permission_that_letting_go_lacks_is_seen_by_who_looks(kubernetes, pool_of):
    pool = pool_of(without("pods", "patch"))
    worker = pool.new_worker()
    run_id = pool.submit("echo at last")
    wait_until(lambda: gated(pool.item("pods", run_id)) and "may not patch pods" in worker.log.read_text(), what="the log names it")
    kubernetes.grant(pool.namespace, "confined", worker_rules())
    assert pool.ended(run_id).lines == ["at last"]


@pytest.fixture
def says(pool):
    """says(kubeconfig, words): a worker with it is not ready and says why, with all the words."""

    def says(kubeconfig: pathlib.Path, *words: str):
        worker = pool.env.new_worker("jobs", arguments=("--kubeconfig", str(kubeconfig)))
        wait_until(pool.readiness, what="the worker is not ready")
        wait_until(lambda: all(word in pool.readiness() for word in words), what=f"{words} in {pool.readiness()}")
        return worker

    return says


def test_a_token_that_is_not_accepted(kubernetes, pool, says, scratch):
    says(kubernetes.write_kubeconfig(scratch / "bad.yaml", {"token": "expired"}, pool.namespace), "does not accept", "expired")


def test_an_authority_that_is_another_ones(kubernetes, pool, says, scratch):
    other = Authority(scratch / "other", "other-ca").certificate
    user = {"token": kubernetes.token_of(pool.namespace, "worker")}
    says(write_kubeconfig(scratch / "bad.yaml", kubernetes.api.server, other, user, pool.namespace), "certificate")


def test_a_server_that_is_not_there(kubernetes, pool, says, scratch):
    config = write_kubeconfig(scratch / "bad.yaml", "https://127.0.0.1:1", kubernetes.api.authority, {"token": "x"}, pool.namespace)
    says(config, "https://127.0.0.1:1")


@pytest.mark.parametrize(
    "text, words",
    [("{]", ["bad.yaml"]), ('{"current-context": "none", "contexts": []}', ["none"]), (None, ["bad.yaml"])],
    ids=["no YAML", "no context", "no file"],
)
def test_a_kubeconfig_that_leads_nowhere_ends_the_worker(env, pool, scratch, text, words):
    path = scratch / "bad.yaml"
    if text is not None:
        path.write_text(text)
    worker = env.make_worker("jobs", arguments=("--kubeconfig", str(path)))
    worker.spawn()
    assert worker.wait() not in (0, -6, -11), worker.tail()
    assert all(word in worker.tail() for word in words), worker.tail()


def test_a_token_file_that_rotates_is_read_again(kubernetes, pool, scratch):
    file = scratch / "token"
    file.write_text(kubernetes.token_of(pool.namespace, "worker"))
    config = kubernetes.write_kubeconfig(scratch / "rotating.yaml", {"tokenFile": str(file)}, pool.namespace)
    pool.env.new_worker("jobs", arguments=("--kubeconfig", str(config)))
    assert pool.run("echo first").lines == ["first"]
    file.write_text("expired")
    run_id = pool.submit("echo second")
    file.write_text(kubernetes.token_of(pool.namespace, "worker"))
    assert pool.ended(run_id, deadline=120).lines == ["second"]


def test_an_image_whose_user_has_a_number_needs_no_other(run):
    assert run("id -u", image=USER, run_as_user=None).lines == ["1000"]
