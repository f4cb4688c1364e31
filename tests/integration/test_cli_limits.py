"""`forebay` for limits, retries and timeouts: of deployments, queues, pools and shared ones."""

import pytest

ERROR, USAGE, NOT_FOUND, CONFLICT = 1, 2, 3, 5


@pytest.fixture
def forebay(env):
    cli = env.new_cli()
    good(cli("work-pool", "create", "--type", "process", "p"))
    good(deploy(cli))
    return cli


def deploy(forebay, *words):
    return forebay("deploy", "--name", "d", "--flow", "f", "--pool", "p", *words, "--", "true")


def good(result):
    assert result.code == 0, result.err
    return result


def refused(result, code, *words):
    """An error: the code, one sentence with the words on stderr, nothing on stdout."""
    assert result.code == code, (result.code, result.err)
    assert result.out == "" and result.err.startswith("error: ")
    for word in words:
        assert word in result.err, result.err
    return result


def deployment(forebay):
    return good(forebay("deployment", "inspect", "f/d", "-o", "json")).json


def test_a_shared_limit_from_creation_to_deletion(forebay):
    created = good(forebay("concurrency-limit", "create", "db-writes", "3", "--description", "connections"))
    assert created.out == "" and "--limit db-writes" in created.err
    assert good(forebay("concurrency-limit", "ls", "-o", "name")).out == "db-writes\n"
    limit = good(forebay("concurrency-limit", "inspect", "db-writes", "-o", "json")).json
    assert (limit["slots"], limit["slots_in_use"], limit["description"]) == (3, 0, "connections")
    good(forebay("concurrency-limit", "update", "db-writes", "--slots", "5"))
    assert "0 of 5" in good(forebay("concurrency-limit", "inspect", "db-writes")).out
    table = good(forebay("concurrency-limit", "ls")).out
    assert table.split()[:3] == ["NAME", "IN", "USE"] and "connections" in table
    good(forebay("concurrency-limit", "delete", "db-writes"))
    refused(forebay("concurrency-limit", "inspect", "db-writes"), NOT_FOUND, "db-writes")
    empty = good(forebay("concurrency-limit", "ls"))
    assert empty.out == "" and "forebay concurrency-limit create" in empty.err


def test_a_limit_of_the_rate_of_starts(forebay):
    good(forebay("concurrency-limit", "create", "api", "10", "--decay-per-second", "0.5"))
    assert good(forebay("concurrency-limit", "inspect", "api", "-o", "json")).json["decay_per_second"] == 0.5
    good(forebay("concurrency-limit", "update", "api", "--decay-per-second", "2"))
    assert "2/s" in good(forebay("concurrency-limit", "ls")).out
    good(forebay("concurrency-limit", "create", "plain", "1"))
    refused(forebay("concurrency-limit", "update", "plain", "--decay-per-second", "1"), CONFLICT, "decay")


def test_wrong_limits_are_named(forebay):
    refused(forebay("concurrency-limit", "create", "x", "many"), USAGE, "SLOTS", "many")
    refused(forebay("concurrency-limit", "create", "x", "1", "--decay-per-second", "0"), USAGE, "--decay-per-second")
    refused(forebay("concurrency-limit", "create", "x", "1", "--decay-per-second", "1e9"), USAGE)
    refused(forebay("concurrency-limit", "create", "Not A Name", "1"), USAGE, "Not A Name")
    good(forebay("concurrency-limit", "create", "x", "1"))
    refused(forebay("concurrency-limit", "create", "x", "1"), CONFLICT, "x")
    refused(forebay("concurrency-limit", "update", "x"), USAGE, "--slots")
    refused(forebay("concurrency-limit", "update", "y", "--slots", "1"), NOT_FOUND, "y")
    refused(forebay("concurrency-limit", "delete", "y"), NOT_FOUND, "y")


def test_a_deployment_gets_limits_and_gives_them_back(forebay):
    good(forebay("concurrency-limit", "create", "db-writes", "2"))
    good(deploy(forebay, "--concurrency-limit", "2", "--collision", "cancel-new", "--limit", "db-writes"))
    found = deployment(forebay)
    assert (found["concurrency_limit"], found["collision"], found["concurrency_limits"]) == (2, "CANCEL_NEW", ["db-writes"])
    card = good(forebay("deployment", "inspect", "f/d")).out
    assert "0 of 2 in use; when full: cancel-new" in card and "db-writes (0 of 2 in use)" in card
    refused(forebay("concurrency-limit", "delete", "db-writes"), CONFLICT, "db-writes")
    good(forebay("deployment", "update", "f/d", "--concurrency-limit", "1", "--collision", "enqueue"))
    found = deployment(forebay)
    assert (found["concurrency_limit"], found["collision"], found["concurrency_limits"]) == (1, "ENQUEUE", ["db-writes"])
    good(forebay("deployment", "update", "f/d", "--concurrency-limit", "none", "--no-limits"))
    found = deployment(forebay)
    assert "concurrency_limit" not in found and found["concurrency_limits"] == []
    refused(forebay("deployment", "update", "f/d", "--limit", "db-write"), NOT_FOUND, "db-write")
    refused(forebay("deployment", "update", "f/d", "--limit", "db-writes", "--no-limits"), USAGE, "--no-limits")
    good(forebay("concurrency-limit", "delete", "db-writes"))


def test_a_retry_policy_is_changed_part_by_part(forebay):
    good(deploy(forebay, "--retries", "3", "--retry-delay", "exponential:10s..1m", "--retry-jitter", "0.2", "--retry-on",
                "failed,crashed", "--timeout", "1h", "--crash-retries", "1"))  # fmt: skip
    retry = deployment(forebay)["retry"]
    assert retry == {"retries": 3, "delays": ["10s", "20s", "40s", "1m"], "jitter": 0.2, "on": ["FAILED", "CRASHED"]}
    good(forebay("deployment", "update", "f/d", "--retries", "5"))
    assert deployment(forebay)["retry"] == {**retry, "retries": 5}
    good(forebay("deployment", "update", "f/d", "--retry-delay", "none", "--timeout", "none", "--crash-retries", "0"))
    found = deployment(forebay)
    assert found["retry"]["delays"] == [] and found["retry"]["retries"] == 5 and "timeout" not in found
    card = good(forebay("deployment", "inspect", "f/d")).out
    assert "5, up to 20 % longer, when failed or crashed" in card


def test_what_describes_a_deployment_is_changed_alone(forebay):
    good(deploy(forebay, "--tag", "testing", "--tag", "tutorial", "--description", "old", "--version", "tutorial/deployments"))
    found = deployment(forebay)
    assert (found["tags"], found["version"]) == (["testing", "tutorial"], "tutorial/deployments")
    good(forebay("deployment", "update", "f/d", "--description", "new", "--version", "v2", "--tag", "other"))
    found = deployment(forebay)
    assert (found["description"], found["version"], found["tags"]) == ("new", "v2", ["other"])
    good(forebay("deployment", "update", "f/d", "--no-tags"))
    assert deployment(forebay)["tags"] == []


@pytest.mark.parametrize(
    "words, names",
    [
        ((), ("nothing to update",)),
        (("--concurrency-limit", "-1"), ("--concurrency-limit", "-1")),
        (("--concurrency-limit", "many"), ("--concurrency-limit", "many", "none")),
        (("--collision", "enqeue"), ("--collision", "enqueue")),
        (("--retries", "101"), ("101",)),
        (("--retry-delay", "exponential:1m..1s"), ("--retry-delay", "exponential:1m..1s")),
        (("--retry-delay", "10s,soon"), ("--retry-delay", "soon")),
        (("--retry-jitter", "2"), ("--retry-jitter", "2")),
        (("--retry-on", "fail"), ("--retry-on", "failed")),
        (("--timeout", "10ms"), ()),
        (("--timeout", "never"), ("--timeout", "never")),
    ],
)
def test_a_wrong_update_is_a_usage_error(forebay, words, names):
    before = deployment(forebay)
    refused(forebay("deployment", "update", "f/d", *words), USAGE, *names)
    assert deployment(forebay) == before


def test_an_update_of_an_unknown_deployment_names_the_nearest(forebay):
    refused(forebay("deployment", "update", "f/dd", "--concurrency-limit", "1"), NOT_FOUND, "f/dd")


def test_limits_of_queues_and_pools(forebay):
    good(forebay("work-queue", "create", "critical", "--pool", "p", "--priority", "1", "--limit", "5"))
    queue = good(forebay("work-queue", "inspect", "critical", "--pool", "p", "-o", "json")).json
    assert (queue["priority"], queue["concurrency_limit"]) == (1, 5)
    good(forebay("work-queue", "set-limit", "critical", "--pool", "p", "7"))
    assert good(forebay("work-queue", "inspect", "critical", "--pool", "p", "-o", "json")).json["concurrency_limit"] == 7
    good(forebay("work-queue", "clear-limit", "critical", "--pool", "p"))
    assert "concurrency_limit" not in good(forebay("work-queue", "inspect", "critical", "--pool", "p", "-o", "json")).json
    good(forebay("work-queue", "pause", "critical", "--pool", "p"))
    good(forebay("work-queue", "resume", "critical", "--pool", "p"))
    good(forebay("work-queue", "update", "critical", "--pool", "p", "--limit", "none", "--priority", "2"))
    refused(forebay("work-queue", "set-limit", "critical", "--pool", "p", "many"), USAGE, "LIMIT", "many")
    refused(forebay("work-queue", "set-limit", "nope", "--pool", "p", "1"), NOT_FOUND, "nope")
    good(forebay("work-pool", "update", "p", "--concurrency-limit", "10", "--late-after", "40s"))
    pool = good(forebay("work-pool", "inspect", "p", "-o", "json")).json
    assert (pool["concurrency_limit"], pool["timeouts"]["late_after"]) == (10, "40s")
    good(forebay("work-pool", "update", "p", "--concurrency-limit", "none"))
    pool = good(forebay("work-pool", "inspect", "p", "-o", "json")).json
    assert "concurrency_limit" not in pool and pool["timeouts"]["late_after"] == "40s"
    refused(forebay("work-pool", "update", "p", "--late-after", "soon"), USAGE, "--late-after")
    refused(forebay("work-pool", "update", "p", "--late-after", "2d"), USAGE)


def test_a_run_that_waits_for_a_limit_says_so_and_who_holds_it(env, forebay):
    good(forebay("concurrency-limit", "create", "db-writes", "1"))
    good(deploy(forebay, "--limit", "db-writes"))
    first, second = (good(forebay("deployment", "run", "f/d", "-o", "name")).out.strip() for _ in range(2))
    worker = env.fake_worker("p")
    worker.take(1)
    run = good(forebay("flow-run", "inspect", second, "-o", "json")).json
    assert (run["waiting"]["cause"], run["waiting"]["limit"]) == ("NAMED_LIMIT", "db-writes")
    assert run["waiting"]["holders"] == [f"flowRuns/{first}"]
    card = good(forebay("flow-run", "inspect", second)).out
    assert "Waiting for limit:" in card and "Limit held by:" in card and first in card
    limit = good(forebay("concurrency-limit", "inspect", "db-writes")).out
    assert "1 of 1" in limit and "HELD BY" in limit and first in limit
    assert "db-writes (1 of 1 in use)" in good(forebay("deployment", "inspect", "f/d")).out


def test_shells_complete_the_names_of_limits(forebay):
    good(forebay("concurrency-limit", "create", "db-writes", "1"))
    assert good(forebay("__complete", "--", "concurrency-limit", "inspect", "d")).out.split() == ["db-writes"]
    assert good(forebay("__complete", "--", "deploy", "--limit", "")).out.split() == ["db-writes"]
