"""What runs used by the metrics API of their cluster, which comes, goes and fails as a test says."""

import datetime
import threading

import pytest
from forebay.kubernetes_double import PODS
from forebay.kubernetes_double.kubelet import RUN, act, exits, until
from forebay.kubernetes_pool import pool_of_double, worker_rules
from forebay.waiting import wait_until

NAMESPACE = "team"
METRICS = "pods.metrics.k8s.io"
MI = 1 << 20


@pytest.fixture
def double(kubernetes_double):
    return kubernetes_double


@pytest.fixture
def pool(env, double):
    return pool_of_double(env, double, NAMESPACE)


@pytest.fixture
def finish(double):
    """Pods made from now on run until it is set, and then end well."""
    event = threading.Event()
    double.kubelet.script("", [*RUN, until(event), act("finish", 0)])
    return event


def asked(double) -> int:
    return len(double.calls_of("list", METRICS))


def wait_taken(double):
    """What the metrics API says now has been taken: an answer that began after now is, when there is another call."""
    enough = asked(double) + 2
    wait_until(lambda: asked(double) >= enough, what="two more looks at the metrics")


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


@pytest.mark.parametrize("why", ["absent", "forbidden"])
def test_without_metrics_nothing_is_measured_and_hardly_anybody_is_asked(env, double, why):
    rules = [rule for rule in worker_rules() if why == "absent" or rule.group != "metrics.k8s.io"]
    pool = pool_of_double(env, double, NAMESPACE, rules)
    worker = pool.new_worker()
    double.kubelet.script("", exits(0, "begun"))
    for _ in range(3):
        ended = pool.run("true", cpu_request="100m")
        assert (ended.state, ended.lines, ended.measured) == ("COMPLETED", ["begun"], [])
        assert ended.usage.HasField("cpu_reserved_micros")
    assert asked(double) == 1
    assert worker.log.read_text().count("is not measured") == 1
    assert not pool.readiness()


def test_samples_add_up_and_the_highest_memory_counts(double, pool, worker, finish):
    begin = now()
    double.metrics.say("", "500m", "40Mi", begin, "2s")
    run_id = pool.submit("true", cpu_request="1", memory_request="1Gi")
    wait_taken(double)
    double.metrics.say("", "250m", "65Mi", begin + datetime.timedelta(seconds=10))
    wait_taken(double)
    double.metrics.say("", "1500000u", "50Mi", begin + datetime.timedelta(seconds=30))
    wait_taken(double)
    finish.set()
    ended = pool.ended(run_id)
    assert ended.usage.cpu_micros == 2 * 500_000 + 10 * 250_000 + 20 * 1_500_000
    assert ended.usage.max_rss_bytes == 65 * MI
    assert ended.measured == ["max_rss_bytes", "cpu_micros"]
    (call, *_) = double.calls_of("list", METRICS)
    assert (call.namespace, call.query["labelSelector"]) == (NAMESPACE, f"forebay.io/pool-id={pool.pool.uid}")


def test_one_look_is_for_all_runs_of_a_namespace(env, double, pool, worker, finish):
    double.metrics.say("", "1", "10Mi", now(), "3s")
    pool.deploy("true")
    run_ids = env.api.submit_many("flow/job", 5)
    wait_until(lambda: len(double.metrics.items(NAMESPACE)) == 5, what="all runs run")
    wait_taken(double)
    assert {call.name for call in double.calls_of("list", METRICS)} == {""}
    finish.set()
    for run_id in run_ids:
        usage = pool.ended(run_id).usage
        assert (usage.cpu_micros, usage.max_rss_bytes) == (3_000_000, 10 * MI)


def test_a_metrics_api_that_fails_for_a_while_leaves_a_gap_that_the_next_sample_fills(double, pool, worker, finish):
    begin = now()
    double.metrics.say("", "1", "10Mi", begin, "1s")
    run_id = pool.submit("true")
    wait_taken(double)
    fault = double.faults.refuse("list", METRICS, 500)
    wait_until(fault.arrived.is_set, what="a look that fails")
    double.metrics.say("", "2", "20Mi", begin + datetime.timedelta(seconds=5))
    wait_taken(double)
    finish.set()
    ended = pool.ended(run_id)
    assert (ended.state, ended.attempts) == ("COMPLETED", 1)
    assert (ended.usage.cpu_micros, ended.usage.max_rss_bytes) == (1_000_000 + 5 * 2_000_000, 20 * MI)
    assert not pool.readiness()


def test_a_metrics_api_that_never_answers_delays_nothing(double, pool, worker):
    double.metrics.served = True
    fault = double.faults.hold("list", METRICS, times=1000)
    double.kubelet.script("", exits(0, "begun"))
    ended = pool.run("true")
    assert fault.arrived.is_set()
    assert (ended.state, ended.lines, ended.measured) == ("COMPLETED", ["begun"], [])
    assert pool.run("true").state == "COMPLETED" and not pool.readiness()


@pytest.mark.parametrize(
    "containers", [[], None, [{"name": "main"}], [{"name": "main", "usage": {"cpu": "lots", "memory": "1Mi"}}]], ids=str
)
def test_what_is_no_sample_is_not_counted(double, pool, worker, finish, monkeypatch, containers):
    double.metrics.say("", "1", "1Mi", now())
    items = double.metrics.items
    monkeypatch.setattr(double.metrics, "items", lambda *words: [{**item, "containers": containers} for item in items(*words)])
    run_id = pool.submit("true")
    wait_until(lambda: asked(double) >= 1, what="a look")
    finish.set()
    ended = pool.ended(run_id)
    assert (ended.state, ended.measured) == ("COMPLETED", [])


def test_an_attempt_that_no_node_took_had_nothing_set_aside(double, pool, worker):
    double.kubelet.script("", [])
    run_id = pool.submit("true", cpu_request="1")
    pool.wait_pod(run_id, lambda pod: not pod["spec"].get("schedulingGates"))
    pool.env.api.cancel(run_id)
    ended = pool.ended(run_id)
    assert (ended.state, ended.usage.HasField("cpu_reserved_micros")) == ("CANCELLED", False)
    assert not double.store.items(PODS, NAMESPACE)[0]


def test_doctor_says_what_cannot_be_measured_and_that_runs_can_be_launched(env, double):
    rules = [rule for rule in worker_rules() if rule.group != "metrics.k8s.io"]
    pool = pool_of_double(env, double, NAMESPACE, rules)
    examined = env.new_cli()("doctor", "--pool", "jobs", "--kubeconfig", str(pool.kubeconfig))
    assert examined.code == 0, examined.out + examined.err
    assert f"namespace {NAMESPACE}: jobs may be created; without this it cannot measure what a run uses" in examined.out
    assert '- {apiGroups: ["metrics.k8s.io"], resources: ["pods"], verbs: ["list"]}' in examined.out
