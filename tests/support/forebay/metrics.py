"""`/metrics` as a Prometheus server scrapes it, read by the parser of Prometheus' own Python library."""

from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics

OPEN = "application/openmetrics-text; version=1.0.0"


def scrape(page, token: str, **headers: str):
    return page.ask("GET", "/metrics", Authorization=f"Bearer {token}", **headers)


def samples(env, page) -> dict:
    text = scrape(page, env.admin_key, Accept=OPEN).body.decode()
    return {(s.name, *sorted(s.labels.items())): s.value for family in open_metrics(text) for s in family.samples}


def calls_ended(env, page, method: str, code: str) -> float:
    return samples(env, page).get(("forebay_rpc_requests_total", ("code", code), ("method", method)), 0)
