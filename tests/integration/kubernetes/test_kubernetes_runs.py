"""Runs as Jobs of a real Kubernetes cluster: each variable by its effect inside, what is told of the end, what is left."""

import base64
import json

import pytest
from forebay import protocol
from forebay.images import ENTRY, USER, make_repo_stats_image
from forebay.kubernetes_pool import gated, running
from forebay.waiting import wait_until

CREDENTIALS = ("fbk_", "fbw_", "fbr_", "fbt_", "fbj_")
MEMORY_LIMIT = "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes 2>/dev/null || cat memory.max"
CPU_LIMIT = "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cat /sys/fs/cgroup/cpu.max"
SLOW = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done; exit 3"


# As it is typed.


def test_from_nothing_to_a_run(env, kubernetes, kubernetes_namespace, kubernetes_pool):
    make_repo_stats_image(kubernetes)
    forebay = env.new_cli()
    assert forebay("work-pool", "create", "--type", "kubernetes", "my-k8s-pool").code == 0
    worker = forebay.background("worker", "worker", "start", "--pool", "my-k8s-pool", "--kubeconfig", str(kubernetes_pool.kubeconfig),
                                "--state-dir", str(forebay.home / "state"))  # fmt: skip
    try:
        wait_until(lambda: "started!" in worker.tail(), what="the worker says that it started")
        deployed = forebay(
            "deploy", "--name", "k", "--flow", "repo-stats", "--pool", "my-k8s-pool", "--job-variable", "image=repo-stats:tutorial",
            "--job-variable", f"namespace={kubernetes_namespace}", "--job-variable", "cpu_request=250m",
            "--job-variable", "run_as_user=1000", "--", "python3", "/app/repo_stats.py",
        )  # fmt: skip
        assert deployed.code == 0, deployed.err
        done = forebay("deployment", "run", "repo-stats/k", "--watch", "--param", "path=/app/clone")
        assert done.code == 0, done.err
        assert_in_order(done.err, "SCHEDULED", "PENDING", "RUNNING", "COMPLETED")
        assert_in_order(done.out, "created job forebay-", f"in namespace {kubernetes_namespace}\n", "scheduled on", "2 commits")
        failed = forebay("deployment", "run", "repo-stats/k", "--watch", "--param", "path=/nowhere")
        assert failed.code == 6, failed.err
    finally:
        worker.kill()


def assert_in_order(text: str, *parts: str):
    places = [text.find(part) for part in parts]
    assert -1 not in places and places == sorted(places), text


def test_doctor_says_what_the_worker_may_do(env, kubernetes_pool, kubernetes_namespace):
    forebay = env.new_cli()
    words = ("--pool", "jobs", "--kubeconfig", str(kubernetes_pool.kubeconfig))
    examined = forebay("doctor", *words)
    assert examined.code == 0, examined.out + examined.err
    assert f"namespace {kubernetes_namespace}: jobs may be created" in examined.out and "Kubernetes v1." in examined.out
    refused = forebay("doctor", *words, "--kubernetes-namespace", "kube-system")
    assert refused.code != 0
    assert '- {apiGroups: ["batch"], resources: ["jobs"], verbs: ["create"]}' in refused.out


# What a run is given.


def test_a_run_is_a_job_with_its_attribution(pool, run):
    ended = run("echo hello; env", finished_job_ttl=600)
    assert ended.state == "COMPLETED", ended.message
    assert ended.lines[0] == "hello"
    environment = dict(line.split("=", 1) for line in ended.lines[1:])
    assert environment["FOREBAY_RUN_ID"] == ended.id
    assert environment["FROM_IMAGE"] == "image"
    for resource in ("jobs", "pods"):
        labels = pool.item(resource, ended.id)["metadata"]["labels"]
        assert labels["forebay.io/attempt"] == "1" and labels["forebay.io/flow"] == "flow"
        assert labels["forebay.io/deployment"] == "flow-job" and labels["forebay.io/pool"] == "jobs"
        assert labels["forebay.io/worker"]
    assert pool.item("jobs", ended.id)["metadata"]["annotations"]["forebay.io/deployment"] == "flow/job"
    assert pool.item("jobs", ended.id)["metadata"]["name"] == ended.infrastructure


def test_what_is_secret_stands_in_a_secret_of_the_job_and_goes_with_it(pool, run):
    ended = run("echo $TOKEN $FOREBAY_PARAMETERS", env={"TOKEN": "hush-1"}, parameters='{"p": "hush-2"}', finished_job_ttl=600)
    assert ended.lines == ['hush-1 {"p": "hush-2"}'] or ended.lines == ['hush-1 {"p":"hush-2"}']
    job, pod, secret = (pool.item(resource, ended.id) for resource in ("jobs", "pods", "secrets"))
    for shown in (json.dumps(job), json.dumps(pod), *(entry.text for entry in ended.entries if entry.text not in ended.lines)):
        assert not [word for word in (*CREDENTIALS, "hush") if word in shown], shown
    main = job["spec"]["template"]["spec"]["containers"][0]
    (entry,) = [entry for entry in main["env"] if entry["name"] == "TOKEN"]
    assert entry == {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": ended.infrastructure, "key": "env.TOKEN"}}}
    (owner,) = secret["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("Job", job["metadata"]["uid"]) and secret["immutable"]
    assert base64.b64decode(secret["data"]["env.TOKEN"]) == b"hush-1"
    pool.delete("jobs", ended.infrastructure, propagationPolicy="Background")
    pool.wait_nothing_left()


def test_nothing_of_a_run_can_be_read_from_the_programs_that_run_it(pool, worker):
    run_id = pool.submit("echo ready; sleep 600", env={"TOKEN": "hush"})
    pool.wait_output(run_id)
    for pid in (worker.pid, pool.env.server.pid):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            assert b"hush" not in file.read()
    logs = "".join(log.read_text(errors="replace") for log in pool.env.scratch.glob("*.log"))
    assert "hush" not in logs
    pool.env.api.cancel(run_id)
    pool.ended(run_id)


@pytest.mark.parametrize(
    "variables, script, expected",
    [
        ({"memory_limit": "64Mi"}, MEMORY_LIMIT, "67108864"),
        ({"cpu_limit": 0.5}, CPU_LIMIT, "50000"),
        ({"run_as_user": 1234}, "id -u", "1234"),
        ({"run_as_group": 2345}, "id -g", "2345"),
        ({"fs_group": 3456}, "id -G", "3456"),
        ({"image": USER, "run_as_user": None}, "id -u", "1000"),
        ({"read_only": True}, "touch /tmp/x || echo read-only", "read-only"),
        ({}, "grep CapEff /proc/self/status", "0000000000000000"),
        ({}, "grep NoNewPrivs /proc/self/status", "1"),
        ({}, "ls /var/run/secrets 2>/dev/null || echo no-token", "no-token"),
        ({"working_dir": "/etc"}, "pwd", "/etc"),
        ({"node_selector": {"kubernetes.io/os": "linux"}}, "echo fits", "fits"),
        ({"tolerations": [{"key": "k", "operator": "Exists"}]}, "echo fits", "fits"),
        ({"env.ADDED": "by dots"}, "echo $ADDED", "by dots"),
        ({"env": {"NUMBER": 9007199254740993, "FLAG": True}}, "echo $NUMBER $FLAG", "9007199254740993 true"),
        ({"env": {"A": "$(FOREBAY_RUN_ID) $HOME $$"}}, 'echo "$A"', "$(FOREBAY_RUN_ID) $HOME $$"),
        ({"command": ["/bin/echo", "a  b", "$HOME", "$(FROM_IMAGE)", "$$"]}, "false", "a  b $HOME $(FROM_IMAGE) $$"),
        ({"image": ENTRY, "command": ["more"]}, "false", "entry more"),
        ({"service_account_name": "default", "automount_service_account_token": True}, "ls /var/run/secrets/*/*", "token"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_variable_does_what_it_says(run, variables, script, expected):
    ended = run(script, **variables)
    assert ended.state == "COMPLETED", ended.message
    assert any(expected in line.split() or expected == line for line in ended.lines), ended.lines


def test_labels_and_annotations_stand_beside_the_attribution(pool, run):
    ended = run("true", labels={"cost-centre": "7"}, annotations={"team/contact": "a b"}, name="nightly", finished_job_ttl=600)
    for resource in ("jobs", "pods"):
        metadata = pool.item(resource, ended.id)["metadata"]
        assert metadata["labels"]["cost-centre"] == "7"
        assert metadata["annotations"]["team/contact"] == "a b" and metadata["annotations"]["forebay.io/name"] == "nightly"


def test_output_that_is_not_streamed_stays_in_the_cluster(run):
    ended = run("echo quiet; exit 4", stream_output=False)
    assert (ended.exit_code, ended.lines) == (4, [])


# Output. containerd 1.6.20 loses from its log what a container wrote in the moment before its end (17 of 120 times 8 KiB or more
# of 48, with eight at once; issue 12289 of its makers tells of it too), so a script that writes much stays for a second after it.


def test_ten_thousand_lines_arrive_whole_and_in_order(run):
    ended = run("seq 10000; printf 'no newline'; sleep 1")
    assert ended.lines == [*(str(n) for n in range(1, 10001)), "no newline"]


def test_what_is_written_at_the_very_end_arrives_as_far_as_the_cluster_has_it(pool, run):
    ended = run("seq 10000", finished_job_ttl=600)
    pod = pool.item("pods", ended.id)["metadata"]["name"]
    path = f"/api/v1/namespaces/{pool.namespace}/pods/{pod}/log"
    assert ended.lines == pool.cluster.request("GET", path, raw=True).splitlines()


def test_what_is_written_slowly_and_on_both_streams_arrives(run):
    ended = run("for i in 1 2 3 4 5 6 7 8; do echo $i; echo e$i >&2; sleep 0.3; done")
    assert sorted(ended.lines) == sorted([*"12345678", *(f"e{i}" for i in range(1, 9))])
    assert [line for line in ended.lines if line.isdigit()] == list("12345678")


def test_long_lines_are_kept(run):
    ended = run("head -c 200000 /dev/zero | tr '\\0' x; echo; echo after; sleep 1")
    assert "".join(ended.lines[:-1]) == "x" * 200000 and ended.lines[-1] == "after"
    assert all(len(entry.text) <= 65536 for entry in ended.entries)


# The end.


@pytest.mark.parametrize("code, state", [(0, "COMPLETED"), (3, "FAILED")])
def test_the_exit_code_decides(pool, run, code, state):
    ended = run(f"exit {code}")
    assert (ended.state, ended.exit_code, ended.attempts) == (state, code, 1)
    pool.wait_nothing_left()


def test_the_termination_message_is_kept(run):
    ended = run("echo last words > /dev/termination-log; exit 9")
    assert (ended.state, ended.exit_code) == ("FAILED", 9)
    assert "last words" in ended.message


def test_a_signal_is_told_apart_from_an_exit_code(run):
    ended = run("sh -c 'kill -SEGV $$'; exit $?")
    assert ended.state == "CRASHED"
    assert "signal 11" in ended.message


def test_a_run_out_of_memory_is_said_to_be_that(run):
    ended = run("x=x; while :; do x=$x$x; done", memory_limit="32Mi")
    assert (ended.state, ended.reason, ended.exit_code) == ("CRASHED", "OOM_KILLED", 137)


@pytest.mark.parametrize("resource", ["jobs", "pods"])
def test_a_run_that_somebody_deletes_says_so(pool, worker, resource):
    run_id = pool.submit("echo ready; sleep 600")
    pool.wait_output(run_id)
    pod = pool.item("pods", run_id)["metadata"]["name"]
    name = pod if resource == "pods" else f"forebay-{run_id}-1"
    pool.delete(resource, name, propagationPolicy="Background")
    ended = pool.ended(run_id, deadline=30)
    assert (ended.state, ended.reason, ended.attempts) == ("CRASHED", "DELETED", 1), ended.message
    pool.wait_nothing_left()


def test_an_evicted_run_says_so(pool, worker):
    run_id = pool.submit("echo ready; sleep 600")
    pool.wait_output(run_id)
    pod = pool.item("pods", run_id)["metadata"]
    path = f"/api/v1/namespaces/{pool.namespace}/pods/{pod['name']}/eviction"
    pool.cluster.post(path, {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod["name"]}})
    ended = pool.ended(run_id, deadline=30)
    assert (ended.state, ended.reason, ended.attempts) == ("CRASHED", "EVICTED", 1), ended.message


@pytest.mark.parametrize("begun", [True, False])
def test_a_deadline_of_the_manifest_ends_the_run(env, pool, worker, begun):
    change_template(env, pool, lambda job: job["spec"].update(activeDeadlineSeconds=2))
    run_id = pool.submit("echo ready; sleep 600", **({} if begun else {"node_selector": {"no": "such"}}))
    ended = pool.ended(run_id, deadline=30)
    assert (ended.state, ended.reason) == ("CRASHED" if begun else "FAILED", "DEADLINE"), ended.message
    pool.wait_nothing_left()


def change_template(env, pool, change):
    """The base job template of the pool, its Job changed."""
    template = json.loads(env.api.WorkPoolService.GetWorkPool(name=pool.pool.name).work_pool.base_job_template)
    change(template["job_configuration"]["job_manifest"])
    changed = protocol.message("WorkPool")(name=pool.pool.name, base_job_template=json.dumps(template))
    env.api.WorkPoolService.UpdateWorkPool(work_pool=changed, update_mask={"paths": ["base_job_template"]})


# What is left.


def test_a_finished_job_is_kept_if_asked_and_is_no_run_any_more(pool, worker):
    ended = pool.run("echo kept", finished_job_ttl=600)
    assert pool.item("jobs", ended.id)["spec"]["ttlSecondsAfterFinished"] == 600
    worker.kill()
    worker.start()
    assert pool.run("echo next").lines == ["next"]
    wait_until(lambda: list(pool.left()["jobs"]) == [ended.infrastructure], what="nothing but the kept Job")
    assert pool.env.api.run(ended.id).attempt_count == 1


# Cancelling.


def assert_cancelled(pool, run_id: str):
    """It is over, and its containers are gone at the moment it says so."""
    pool.env.api.wait_for_end(run_id)
    left = [pod for pod in pool.items("pods", run_id) if running(pod)]
    assert pool.env.api.state(run_id) == "CANCELLED" and not left
    pool.wait_nothing_left()


def test_a_cancelled_run_is_asked_first_and_has_its_grace(env, kubernetes, kubernetes_namespace, pool):
    change_grace(env, pool, 8)
    pool.new_worker()
    run_id = pool.submit("trap 'echo asked; sleep 2; echo tidied; exit 0' TERM; echo ready; while :; do sleep 0.1; done")
    pool.wait_output(run_id)
    env.api.cancel(run_id)
    assert_cancelled(pool, run_id)
    assert env.api.output(run_id) == ["ready", "asked", "tidied"]


def change_grace(env, pool, seconds: int):
    changed = env.api.WorkPoolService.GetWorkPool(name=pool.pool.name).work_pool
    changed.timeouts.cancel_grace.FromSeconds(seconds)
    env.api.WorkPoolService.UpdateWorkPool(work_pool=changed, update_mask={"paths": ["timeouts"]})


def test_a_run_that_ignores_its_cancel_is_killed_after_the_grace(env, pool, worker):
    run_id = pool.submit("trap '' TERM; echo ready; while :; do sleep 0.1; done")
    pool.wait_output(run_id)
    env.api.cancel(run_id)
    assert_cancelled(pool, run_id)


def test_a_cancel_ends_a_wait_for_a_node(env, pool, worker):
    run_id = pool.submit("true", node_selector={"no": "such"})
    wait_until(lambda: "FailedScheduling" in "".join(line.entry.text for line in env.api.log(run_id)), what="the reason in the log")
    env.api.cancel(run_id)
    assert_cancelled(pool, run_id)


def test_a_cancel_ends_a_wait_for_the_quota_in_front_of_the_gate(env, kubernetes, pool, worker):
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    kubernetes.api.post(f"/api/v1/namespaces/{pool.namespace}/resourcequotas", quota)
    wait_until(lambda: "hard" in kubernetes.api.get(f"/api/v1/namespaces/{pool.namespace}/resourcequotas/none")["status"])
    run_id = pool.submit("echo begun")
    wait_until(lambda: "exceeded quota" in "".join(line.entry.text for line in env.api.log(run_id)), what="the reason in the log")
    assert env.api.state(run_id) == "PENDING"
    env.api.cancel(run_id)
    assert_cancelled(pool, run_id)
    assert env.api.output(run_id) == []


def test_a_cancel_ends_a_pod_that_has_lost_its_job(env, pool, worker):
    run_id = pool.submit("trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done")
    pool.wait_output(run_id)
    pool.delete("jobs", f"forebay-{run_id}-1", propagationPolicy="Orphan")
    wait_until(lambda: not pool.items("jobs", run_id), what="the Job is gone")
    env.api.cancel(run_id)
    ended = pool.ended(run_id)
    assert ended.state in ("CANCELLED", "CRASHED")
    pool.wait_nothing_left()


# Several workers, and workers that go away.


def test_two_workers_of_one_pool_share_a_namespace(env, pool):
    workers = [pool.new_worker(limit=3) for _ in range(2)]
    pool.deploy("echo here; sleep 0.5")
    run_ids = env.api.submit_many("flow/job", 12)
    for run_id in run_ids:
        ended = pool.ended(run_id, deadline=120)
        assert (ended.state, ended.attempts, ended.lines) == ("COMPLETED", 1, ["here"]), ended.message
    held = {row[0] for row in env.checker.rows("SELECT DISTINCT worker_id::text FROM attempts")}
    assert held == {worker.worker_id for worker in workers}
    pool.wait_nothing_left()
    env.checker.check(env.api)


@pytest.mark.parametrize("adopter", ["the restarted worker", "another worker"])
def test_a_job_is_adopted_by_the_next_worker_with_its_log_and_its_end(env, pool, adopter):
    worker = pool.new_worker()
    run_id = pool.submit(SLOW)
    pool.wait_output(run_id)
    worker.kill()
    if adopter == "another worker":
        pool.new_worker()
    else:
        worker.start()
    ended = pool.ended(run_id)
    assert (ended.exit_code, ended.attempts, ended.lines) == (3, 1, list("123456"))
    assert sum(line.startswith("created job") for line in ended.told) == 1
    pool.wait_nothing_left()
    env.checker.check(env.api)


def test_a_pod_that_the_cluster_makes_again_stays_behind_the_gate(pool, worker):
    run_id = pool.submit("echo begun; sleep 600")
    pool.wait_output(run_id)
    first = pool.item("pods", run_id)["metadata"]
    pool.cluster.patch(f"/apis/batch/v1/namespaces/{pool.namespace}/jobs/forebay-{run_id}-1", {"spec": {"backoffLimit": 3}})
    worker.pause()
    try:
        pool.delete("pods", first["name"], gracePeriodSeconds=1)
        second = pool.wait_pod(run_id, lambda pod: pod["metadata"]["uid"] != first["uid"])
        assert gated(second)
    finally:
        worker.resume()
    ended = pool.ended(run_id)
    assert (ended.reason, ended.attempts, ended.lines) == ("DELETED", 1, ["begun"])
    pool.wait_nothing_left()


