"""The double of a Kubernetes API server is one for the official client, and misbehaves as it is told."""

import datetime
import http.client
import json
import os
import pathlib
import subprocess
import threading

import pytest
from forebay import kubernetes_schema, protocol
from forebay.images import BUSYBOX
from forebay.kubernetes_api import KubernetesApi, KubernetesError
from forebay.kubernetes_client import Rule
from forebay.kubernetes_double import EVENTS, JOBS, PODS
from forebay.kubernetes_double.kubelet import RUN, START, act, annotated, exits
from forebay.waiting import wait_until

pytestmark = pytest.mark.slow
CALLS = pathlib.Path(__file__).parent / "kubernetes/calls.py"
CLIENT = "kubernetes==33.1.0"
# One installation for all runs of the tests, like everything else that is built.
INSTALLED = protocol.ROOT / "build" / CLIENT.replace("==", "-client-")
TEAM_JOBS = "/apis/batch/v1/namespaces/team/jobs"
TEAM_PODS = "/api/v1/namespaces/team/pods"
GATE = [{"name": "test/gate"}]


@pytest.fixture(scope="module")
def client() -> pathlib.Path:
    """Where the official client is installed."""
    if not INSTALLED.exists():
        unfinished = INSTALLED.with_name(f"{INSTALLED.name}-{os.getpid()}")
        command = ["/usr/bin/python3", "-m", "pip", "install", "--quiet", "--target", str(unfinished), CLIENT]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            pytest.skip(f"the official client cannot be installed: {done.stderr.strip().splitlines()[-1]}")
        try:
            unfinished.rename(INSTALLED)
        except OSError:
            assert INSTALLED.exists(), "another process was first"
    return INSTALLED


def observations(client: pathlib.Path, kubeconfig: pathlib.Path, namespace: str) -> dict:
    done = subprocess.run(
        ["/usr/bin/python3", str(CALLS), str(kubeconfig), namespace, BUSYBOX],
        capture_output=True, text=True, timeout=300, check=False, env={**os.environ, "PYTHONPATH": str(client)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def of_double(client, double) -> dict:
    double.kubelet.script("run-", exits(3, "first", "second"))
    return observations(client, double.kubeconfig(), "team")


def test_the_official_client_takes_it_for_a_server(client, kubernetes_double):
    seen = of_double(client, kubernetes_double)
    assert seen["run"]["end"] == ["Failed", 3, "Error"] and seen["run"]["log"] == "first\nsecond\n"
    assert seen["refusals"]["old watch"] == [410, "Expired"]
    assert seen["deletion"]["secret"] == [404, "NotFound"]


def test_the_official_client_sees_no_difference_from_a_real_one(client, kubernetes_double, kubernetes):
    namespace = kubernetes.make_namespace("calls")
    assert of_double(client, kubernetes_double) == observations(client, kubernetes.kubeconfig, namespace)
    kubernetes.remove_namespace(namespace)


def test_its_fields_are_those_of_a_real_one(kubernetes):
    assert kubernetes_schema.shapes_of(kubernetes.api.get("/openapi/v2")) == kubernetes_schema.SHAPES


def job(name: str, **pod) -> dict:
    spec = {"restartPolicy": "Never", "containers": [{"name": "main", "image": BUSYBOX, "command": ["true"]}], **pod}
    return {"metadata": {"name": name}, "spec": {"backoffLimit": 0, "template": {"spec": spec}}}


@pytest.fixture
def api(kubernetes_double) -> KubernetesApi:
    return kubernetes_double.api()


def the_pod(double, name: str) -> dict:
    return wait_until(lambda: next(iter(double.pods_of("team", name)), None), what=f"a Pod of {name}")


def phase(double, pod: dict) -> str:
    found = double.store.find(PODS, "team", pod["metadata"]["name"])
    return found["status"]["phase"] if found else "gone"


@pytest.mark.parametrize(("change", "message"), [
    ({"metadata": {"name": "x", "labels": {"a": 1}}},
     "cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string"),
    ({"spec": {"backoffLimit": "x"}}, "cannot unmarshal string into Go struct field JobSpec.spec.backoffLimit of type int32"),
    ({"sepc": {}}, 'strict decoding error: unknown field "sepc"'),
    ({"kind": "Pod"}, "the kind in the data (Pod) does not match the expected kind (Job)"),
    ({"metadata": {}}, "name or generateName is required"),
    ({"metadata": {"name": "x", "namespace": "other"}}, "does not match the namespace sent on the request"),
])  # fmt: skip
def test_a_job_that_is_none(api, change, message):
    with pytest.raises(KubernetesError) as refused:
        api.post(TEAM_JOBS, {**job("x"), **change})
    assert message in refused.value.message


@pytest.mark.parametrize(("pod", "message"), [
    ({"containers": []}, "spec.template.spec.containers: Required value"),
    ({"restartPolicy": "Always"}, "spec.template.spec.restartPolicy: Required value"),
    ({"containers": [{"name": "a", "image": "i"}, {"name": "a", "image": "i"}]}, 'containers[1].name: Duplicate value: "a"'),
    ({"containers": [{"name": "a", "image": "i", "imagePullPolicy": "Now"}]}, 'imagePullPolicy: Unsupported value: "Now"'),
    ({"containers": [{"name": "a", "image": "i", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]}, 'Not found: "v"'),
    ({"containers": [{"name": "a", "image": "i", "resources": {"limits": {"cpu": "much"}}}]}, "quantities must match"),
])  # fmt: skip
def test_a_pod_that_is_none(api, pod, message):
    with pytest.raises(KubernetesError) as refused:
        api.post(TEAM_JOBS, job("x", **pod))
    assert message in refused.value.message


def test_calls_that_are_refused_and_go_well_later(api, kubernetes_double):
    faults = kubernetes_double.faults
    faults.refuse("create", "jobs", 429, retry_after=2)
    faults.refuse("create", "jobs", 503, acts=True)
    with pytest.raises(KubernetesError, match="429 TooManyRequests"):
        api.post(TEAM_JOBS, job("x"))
    assert not kubernetes_double.store.find(JOBS, "team", "x")
    with pytest.raises(KubernetesError, match="503"):
        api.post(TEAM_JOBS, job("x"))
    with pytest.raises(KubernetesError, match="409 AlreadyExists"):
        api.post(TEAM_JOBS, job("x"))
    assert len(kubernetes_double.calls_of("create", "jobs")) == 3


def test_an_answer_that_is_lost(api, kubernetes_double):
    kubernetes_double.faults.lose("create", "jobs")
    kubernetes_double.faults.cut("create", "jobs")
    for name, made in (("lost", True), ("cut", False)):
        with pytest.raises((OSError, http.client.HTTPException)):
            api.post(TEAM_JOBS, job(name))
        assert bool(kubernetes_double.store.find(JOBS, "team", name)) is made


def test_a_call_that_is_held_and_let_go(api, kubernetes_double):
    fault = kubernetes_double.faults.hold("create", "jobs")
    caller = threading.Thread(target=api.post, args=(TEAM_JOBS, job("x")))
    caller.start()
    assert fault.arrived.wait(30)
    assert not kubernetes_double.store.find(JOBS, "team", "x")
    fault.released.set()
    caller.join()
    assert kubernetes_double.store.find(JOBS, "team", "x")


class Watcher:
    """Reads a watch in a thread of its own."""

    def __init__(self, api: KubernetesApi, path: str, **query):
        self.events: list[dict] = []
        self.over = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(api, path, query), daemon=True)
        self._thread.start()

    def _read(self, api: KubernetesApi, path: str, query: dict):
        try:
            for event in api.watch(path, **query):
                self.events.append(event)
        finally:
            self.over.set()

    def saw(self, kind: str) -> bool:
        return any(event["type"] == kind for event in self.events)


def test_a_watch_with_bookmarks_that_is_frozen_closed_and_begun_again(api, kubernetes_double):
    streams = kubernetes_double.streams
    streams.bookmark_interval = 0.05
    begin = api.get(TEAM_PODS)["metadata"]["resourceVersion"]
    watcher = Watcher(api, TEAM_PODS, resourceVersion=begin, allowWatchBookmarks="true")
    wait_until(lambda: watcher.saw("BOOKMARK"), what="a bookmark")
    streams.freeze()
    api.post(TEAM_JOBS, job("x"))
    pod = the_pod(kubernetes_double, "x")
    wait_until(lambda: phase(kubernetes_double, pod) == "Running", what="it runs")
    assert not watcher.saw("ADDED")
    streams.freeze(False)
    wait_until(lambda: watcher.saw("MODIFIED"), what="the changes")
    assert watcher.saw("ADDED")
    streams.close_watches()
    assert watcher.over.wait(30)
    last = watcher.events[-1]["object"]["metadata"]["resourceVersion"]
    api.delete(f"{TEAM_JOBS}/x", propagationPolicy="Foreground")
    again = Watcher(api, TEAM_PODS, resourceVersion=last)
    wait_until(lambda: again.saw("DELETED"), what="the end")
    streams.fail_watches(500, "InternalError")
    assert again.over.wait(30)
    assert again.events[-1]["object"]["code"] == 500


def test_a_watch_from_a_version_that_is_forgotten(api, kubernetes_double):
    begin = api.get(TEAM_PODS)["metadata"]["resourceVersion"]
    open_one = Watcher(api, TEAM_PODS, resourceVersion=begin)
    wait_until(lambda: kubernetes_double.calls_of("watch", "pods"), what="it watches")
    kubernetes_double.store.forget_history()
    for watcher in (open_one, Watcher(api, TEAM_PODS, resourceVersion=begin)):
        assert watcher.over.wait(30)
        assert (watcher.events[-1]["type"], watcher.events[-1]["object"]["code"]) == ("ERROR", 410)
    fresh = api.get(TEAM_PODS)["metadata"]["resourceVersion"]
    assert list(api.watch(TEAM_PODS, resourceVersion=fresh, timeoutSeconds=1)) == []


def test_a_watch_of_a_part(api, kubernetes_double):
    watcher = Watcher(api, TEAM_PODS, labelSelector="mine=yes", fieldSelector="status.phase=Running")
    api.post(TEAM_JOBS, job("x"))
    pod = the_pod(kubernetes_double, "x")
    wait_until(lambda: phase(kubernetes_double, pod) == "Running", what="it runs")
    path = f"{TEAM_PODS}/{pod['metadata']['name']}"
    api.patch(path, {"metadata": {"labels": {"mine": "yes"}}})
    wait_until(lambda: watcher.saw("ADDED"), what="it comes into the part")
    kubernetes_double.kubelet.finish(pod)
    wait_until(lambda: watcher.saw("DELETED"), what="it leaves the part")


def test_a_pod_is_held_by_its_gate_and_by_its_annotation(api, kubernetes_double):
    kubernetes_double.kubelet.script("gated-", [*RUN, annotated("test/go"), act("finish", 0)])
    api.post(TEAM_JOBS, job("gated", schedulingGates=GATE))
    pod = the_pod(kubernetes_double, "gated")
    path = f"{TEAM_PODS}/{pod['metadata']['name']}"
    reason = wait_until(lambda: api.get(path)["status"].get("conditions"), what="the scheduler's word")[0]["reason"]
    assert (reason, phase(kubernetes_double, pod)) == ("SchedulingGated", "Pending")
    with pytest.raises(KubernetesError, match="only deletion is allowed"):
        api.patch(path, {"spec": {"schedulingGates": [*GATE, {"name": "test/other"}]}})
    api.patch(path, {"spec": {"schedulingGates": None}})
    wait_until(lambda: phase(kubernetes_double, pod) == "Running", what="it runs")
    api.patch(path, {"metadata": {"annotations": {"test/go": "1"}}})
    wait_until(lambda: phase(kubernetes_double, pod) == "Succeeded", what="it ends")


def test_a_pod_that_vanishes_is_made_again_and_one_that_fails_is_not(api, kubernetes_double):
    api.post(TEAM_JOBS, job("x"))
    first = the_pod(kubernetes_double, "x")
    kubernetes_double.store.remove(PODS, "team", first["metadata"]["name"])
    second = the_pod(kubernetes_double, "x")
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    kubernetes_double.kubelet.fail(second, "Evicted", "The node was low on resource: memory.")
    conditions = wait_until(lambda: api.get(f"{TEAM_JOBS}/x")["status"].get("conditions"), what="the Job failed")
    assert conditions[-1]["reason"] == "BackoffLimitExceeded"
    assert [pod["metadata"]["uid"] for pod in kubernetes_double.pods_of("team", "x")] == [second["metadata"]["uid"]]


def test_a_job_whose_pod_is_refused_and_one_that_takes_too_long(api, kubernetes_double):
    kubernetes_double.jobs.refusal = 'pods "x" is forbidden: exceeded quota'
    api.post(TEAM_JOBS, job("x"))
    events = wait_until(lambda: kubernetes_double.store.items(EVENTS, "team")[0], what="an event")
    assert (events[0]["reason"], events[0]["type"]) == ("FailedCreate", "Warning")
    kubernetes_double.jobs.refusal = ""
    the_pod(kubernetes_double, "x")
    late = job("late")
    late["spec"]["activeDeadlineSeconds"] = 0
    api.post(TEAM_JOBS, late)
    conditions = wait_until(lambda: api.get(f"{TEAM_JOBS}/late")["status"].get("conditions"), what="the Job failed")
    assert conditions[-1]["reason"] == "DeadlineExceeded"


def test_an_image_that_does_not_come(api, kubernetes_double):
    words = 'Back-off pulling image "none"'
    backoff = [*START, act("wait", "ImagePullBackOff", words), act("event", "BackOff", words, "Warning")]
    kubernetes_double.kubelet.script("x-", backoff)
    api.post(TEAM_JOBS, job("x"))
    pod = the_pod(kubernetes_double, "x")
    name = pod["metadata"]["name"]
    seen = wait_until(lambda: api.get(f"{TEAM_PODS}/{name}")["status"].get("containerStatuses"), what="the container")
    wait_until(lambda: "ImagePullBackOff" in json.dumps(api.get(f"{TEAM_PODS}/{name}")), what="it waits")
    assert seen and phase(kubernetes_double, pod) == "Pending"
    with pytest.raises(KubernetesError, match="is waiting to start: ImagePullBackOff"):
        api.request("GET", f"{TEAM_PODS}/{name}/log", raw=True)


def test_foreground_deletion_waits_for_a_pod_that_does_not_end(api, kubernetes_double):
    kubernetes_double.kubelet.stubborn.add("x-")
    api.post(TEAM_JOBS, job("x"))
    pod = the_pod(kubernetes_double, "x")
    wait_until(lambda: phase(kubernetes_double, pod) == "Running", what="it runs")
    deleted = api.delete(f"{TEAM_JOBS}/x", propagationPolicy="Foreground")
    assert deleted["metadata"]["finalizers"] == ["foregroundDeletion"]
    path = f"{TEAM_PODS}/{pod['metadata']['name']}"
    wait_until(lambda: "deletionTimestamp" in api.get(path)["metadata"], what="the Pod is told")
    assert api.get(f"{TEAM_JOBS}/x")
    kubernetes_double.kubelet.stubborn.clear()
    wait_until(lambda: not kubernetes_double.store.find(JOBS, "team", "x"), what="both are gone")
    assert not kubernetes_double.pods_of("team", "x")


def test_a_log_that_is_followed_cut_and_taken_up(api, kubernetes_double):
    api.post(TEAM_JOBS, job("x"))
    pod = the_pod(kubernetes_double, "x")
    wait_until(lambda: phase(kubernetes_double, pod) == "Running", what="it runs")
    path = f"{TEAM_PODS}/{pod['metadata']['name']}/log"
    answers: list[str] = []

    def follow():
        answers.append(api.request("GET", path, raw=True, follow="true"))

    reader = threading.Thread(target=follow)
    reader.start()
    wait_until(lambda: kubernetes_double.calls_of("get", "pods/log"), what="it follows")
    kubernetes_double.kubelet.say(pod, "one", "two")
    wait_until(lambda: api.request("GET", path, raw=True) == "one\ntwo\n", what="the lines")
    kubernetes_double.streams.close_logs()
    reader.join()
    kubernetes_double.kubelet.say(pod, "three")
    kubernetes_double.kubelet.finish(pod)
    stamp = api.request("GET", path, raw=True, timestamps="true").splitlines()[1].split()[0]
    since = api.request("GET", path, raw=True, follow="true", sinceTime=stamp)
    assert since == "one\ntwo\nthree\n", "a server goes back to the whole second"


def test_who_may_do_what(kubernetes_double):
    double = kubernetes_double
    double.access.tokens["t"] = "worker"
    double.access.confine("worker", [Rule("batch", ["jobs"], ["create"])], ("team",))
    worker = double.api("t")
    worker.post(TEAM_JOBS, job("x"))
    for call, what in ((lambda: worker.get(TEAM_JOBS), 'cannot list resource "jobs" in API group "batch" in the namespace "team"'),
                       (lambda: worker.post(TEAM_JOBS.replace("team", "default"), job("x")), 'in the namespace "default"')):  # fmt: skip
        with pytest.raises(KubernetesError) as refused:
            call()
        assert refused.value.status == 403 and what in refused.value.message
    with pytest.raises(KubernetesError, match="401 Unauthorized"):
        double.api("other").get(TEAM_JOBS)
    certificate = double.authority.issue("somebody", "/O=team/CN=somebody")
    somebody = KubernetesApi(double.address, double.authority.certificate, certificate)
    assert somebody.get(TEAM_JOBS)["items"]
    assert double.calls_of("list", "jobs")[-1].user == "somebody"
    with pytest.raises(KubernetesError, match='User "system:anonymous" cannot list'):
        KubernetesApi(double.address, double.authority.certificate).get(TEAM_JOBS)


def test_connections_that_are_cut(api, kubernetes_double):
    watcher = Watcher(api, TEAM_PODS)
    wait_until(lambda: kubernetes_double.calls_of("watch", "pods"), what="it watches")
    kubernetes_double.cut_connections()
    assert watcher.over.wait(30)
    assert api.get(TEAM_PODS)


def test_many_jobs_at_once(api, kubernetes_double):
    for number in range(200):
        kubernetes_double.store.create(JOBS, "team", job(f"j{number}"))
    running = "status.phase=Running"
    wait_until(lambda: len(api.get(TEAM_PODS, fieldSelector=running)["items"]) == 200, what="all run")


def test_its_metrics_api_is_there_when_a_test_says_something_of_it(kubernetes_double, api):
    metrics = "/apis/metrics.k8s.io/v1beta1/namespaces/team/pods"
    kubernetes_double.kubelet.script("waits-", START)
    for name in ("runs", "waits"):
        labelled = {"metadata": {"labels": {"kind": name}}}
        api.post(TEAM_JOBS, {**job(name), "spec": {**job(name)["spec"], "template": {**job(name)["spec"]["template"], **labelled}}})
    pod = the_pod(kubernetes_double, "runs")
    the_pod(kubernetes_double, "waits")
    wait_until(lambda: phase(kubernetes_double, pod) == "Running", what="the Pod runs")
    with pytest.raises(KubernetesError, match="404 "):
        api.get(metrics)
    begin = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    kubernetes_double.metrics.say("", "250m", "64Mi", begin, "15s")
    (item,) = api.get(metrics)["items"]
    assert item["metadata"]["name"] == pod["metadata"]["name"] and item["metadata"]["labels"]["kind"] == "runs"
    assert (item["timestamp"], item["window"]) == ("2026-01-02T03:04:05Z", "15s")
    assert item["containers"] == [{"name": "main", "usage": {"cpu": "250m", "memory": "64Mi"}}]
    assert api.get(metrics, labelSelector="kind=waits")["items"] == []
    assert api.get(f"{metrics}/{pod['metadata']['name']}")["kind"] == "PodMetrics"
    with pytest.raises(KubernetesError, match="404 "):
        api.get(f"{metrics}/none")
    with pytest.raises(KubernetesError, match="405 "):
        api.get(metrics, watch="1")
    kubernetes_double.access.tokens["few"] = "few"
    kubernetes_double.access.confine("few", [Rule("", ["pods"], ["list"])])
    with pytest.raises(KubernetesError, match="403 "):
        kubernetes_double.api("few").get(metrics)
    kubernetes_double.access.confine("few", [Rule("metrics.k8s.io", ["pods"], ["list"])])
    assert kubernetes_double.api("few").get(metrics)["items"]
