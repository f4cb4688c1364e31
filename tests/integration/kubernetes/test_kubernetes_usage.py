"""What was set aside for a run in a real cluster: its Pod's requests, times the time that the Pod itself says it had them."""

import datetime

from forebay.ended import Ended

MI = 1 << 20


def time_of(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def seconds_held(pod: dict) -> int:
    """From its node to the end of its last container."""
    (scheduled,) = (c["lastTransitionTime"] for c in pod["status"]["conditions"] if (c["type"], c["status"]) == ("PodScheduled", "True"))
    ends = [status["state"]["terminated"]["finishedAt"] for status in pod["status"]["containerStatuses"]]
    return int((time_of(max(ends)) - time_of(scheduled)).total_seconds())


def reserved(ended: Ended) -> tuple[int, int]:
    assert ended.usage.HasField("cpu_reserved_micros") and ended.usage.HasField("memory_reserved_byte_seconds")
    return ended.usage.cpu_reserved_micros, ended.usage.memory_reserved_byte_seconds


def test_what_is_set_aside_is_requests_times_the_pods_own_time(env, pool, run):
    ended = run("sleep 2", cpu_request="250m", memory_request="64Mi", finished_job_ttl=600)
    held = seconds_held(pool.item("pods", ended.id))
    assert held >= 2 and reserved(ended) == (held * 250_000, held * 64 * MI)
    # The cluster has no metrics API.
    assert ended.measured == []
    shown = env.new_cli()("flow-run", "inspect", ended.id)
    assert "RESERVED" in shown.out and f"{held * 64} MiB x s" in shown.out and "unknown" in shown.out, shown.out + shown.err
    (attempt,) = env.new_cli()("flow-run", "inspect", ended.id, "-o", "json").json["attempts"]
    assert attempt["usage"] == {"cpu_reserved_micros": held * 250_000, "memory_reserved_byte_seconds": held * 64 * MI}


def test_requests_that_the_namespace_fills_in_count_too(kubernetes, kubernetes_namespace, pool, run):
    limits = [{"type": "Container", "defaultRequest": {"cpu": "100m", "memory": "32Mi"}}]
    kubernetes.api.post(f"/api/v1/namespaces/{kubernetes_namespace}/limitranges", {"metadata": {"name": "d"}, "spec": {"limits": limits}})
    ended = run("sleep 1", finished_job_ttl=600)
    held = seconds_held(pool.item("pods", ended.id))
    assert held >= 1 and reserved(ended) == (held * 100_000, held * 32 * MI)
