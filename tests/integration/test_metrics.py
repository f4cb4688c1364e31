"""`/metrics` as a Prometheus server scrapes it, read by the parsers of Prometheus' own Python library."""

import pytest
from forebay.http_api import HttpApi
from forebay.metrics import OPEN, calls_ended, samples, scrape
from forebay.waiting import wait_until
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text


@pytest.fixture
def page(env, api):
    client = HttpApi(env.server.http_url, env.admin_key)
    yield client
    client.close()


def test_both_formats_are_what_they_say(env, api, page):
    api.create_pool("alpha")
    told = scrape(page, env.admin_key, Accept=f"{OPEN},text/plain;q=0.5")
    assert told.status == 200 and told.headers["content-type"].startswith("application/openmetrics-text")
    families = {family.name: family for family in open_metrics(told.body.decode())}
    assert families["forebay_rpc_requests"].type == "counter" and families["forebay_rpc_duration_seconds"].type == "histogram"
    plain = scrape(page, env.admin_key)
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert {family.name for family in plain_text(plain.body.decode())} == set(families)
    assert all(family.documentation for family in families.values())


def test_calls_are_counted_by_how_they_ended(env, api, page):
    def counted(code: str) -> float:
        return calls_ended(env, page, "WorkPoolService.GetWorkPool", code)

    before = counted("NOT_FOUND")
    over_http = HttpApi(env.server.http_url, env.admin_key)
    assert over_http.call("WorkPoolService.GetWorkPool", {"name": "workPools/none"}).status == 404
    with pytest.raises(Exception, match="none"):
        api.WorkPoolService.GetWorkPool(name="workPools/none")
    # Counted whichever way they came, and whoever was refused.
    assert counted("NOT_FOUND") == before + 2
    assert over_http.call("WorkPoolService.GetWorkPool", {}, token="nonsense").status == 401
    assert counted("UNAUTHENTICATED") == 1
    took = samples(env, page)[("forebay_rpc_duration_seconds_count", ("method", "WorkPoolService.GetWorkPool"))]
    assert took >= 3
    over_http.close()


def test_pools_and_the_process(env, api, page):
    api.create_pool("alpha")
    api.deploy("f/d", "alpha", ["sleep", "60"])
    for _ in range(3):
        api.submit("f/d")
    now = samples(env, page)
    assert now[("forebay_pool_queued_runs", ("pool", "alpha"))] == 3 and now[("forebay_pool_ready", ("pool", "alpha"))] == 0
    env.new_worker("alpha", limit=2)
    wait_until(lambda: samples(env, page)[("forebay_pool_held_attempts", ("pool", "alpha"))] == 2, what="two are held")
    now = samples(env, page)
    assert now[("forebay_pool_online_workers", ("pool", "alpha"))] == 1 and now[("forebay_pool_ready", ("pool", "alpha"))] == 1
    assert now[("process_resident_memory_bytes",)] > 1e6 and now[("process_open_fds",)] > 10
    assert now[("process_cpu_seconds_total",)] > 0 and now[("forebay_http_connections",)] >= 1
    assert now[("forebay_database_up",)] == 1


def test_who_may_see_them(env, api, page):
    assert page.ask("GET", "/metrics").status == 401
    api.create_pool("alpha")
    assert scrape(page, env.worker_key("alpha")).status == 403
    viewer = api.TokenService.CreateUserKey(description="prometheus", role="viewer").secret
    assert scrape(page, viewer).status == 200
    refused = page.ask("POST", "/metrics", b"", Authorization=f"Bearer {viewer}")
    assert refused.status == 405 and refused.headers["allow"] == "GET"
