"""`forebay` for pools, queues, deployments, workers, tokens: the happy paths, the output forms, the errors."""

import csv
import io
import json

import pytest
import yaml
from forebay.waiting import wait_until

NOT_FOUND, DENIED, CONFLICT, USAGE, UNREACHABLE = 3, 4, 5, 2, 9


@pytest.fixture
def forebay(env):
    return env.new_cli()


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


def test_a_pool_from_creation_to_deletion(forebay):
    created = good(forebay("work-pool", "create", "--type", "process", "my-pool", "--concurrency-limit", "4"))
    assert created.out == "" and "forebay worker start --pool my-pool" in created.err
    assert good(forebay("work-pool", "ls", "-o", "name")).out == "my-pool\n"
    inspected = good(forebay("work-pool", "inspect", "my-pool", "-o", "json")).json
    assert inspected["name"] == "workPools/my-pool" and inspected["concurrency_limit"] == 4
    good(forebay("work-pool", "update", "my-pool", "--concurrency-limit", "none", "--description", "mine"))
    inspected = good(forebay("work-pool", "inspect", "my-pool", "-o", "json")).json
    assert "concurrency_limit" not in inspected and inspected["description"] == "mine"
    good(forebay("work-pool", "pause", "my-pool"))
    assert "PAUSED" in good(forebay("work-pool", "ls")).out
    good(forebay("work-pool", "resume", "my-pool"))
    good(forebay("work-pool", "delete", "my-pool"))
    empty = good(forebay("work-pool", "ls"))
    assert "my-pool" not in empty.out and "forebay work-pool create" in empty.err


def test_every_output_form_says_the_same(forebay):
    for name in ("alpha", "beta"):
        good(forebay("work-pool", "create", "--type", "process", name))
    as_json = good(forebay("work-pool", "ls", "-o", "json")).json
    as_yaml = yaml.safe_load(good(forebay("work-pool", "ls", "-o", "yaml")).out)
    assert as_json == as_yaml
    assert [pool["name"] for pool in as_json] == ["workPools/alpha", "workPools/beta"]
    rows = list(csv.DictReader(io.StringIO(good(forebay("work-pool", "ls", "-o", "csv")).out)))
    assert [row["NAME"] for row in rows] == ["alpha", "beta"]
    table, wide = (good(forebay("work-pool", "ls", "-o", form)).out for form in ("table", "wide"))
    assert "│" not in table and table.splitlines()[0].startswith("NAME")
    assert len(wide.splitlines()[0]) > len(table.splitlines()[0])
    assert "\x1b" not in table and "\x1b" in good(forebay("work-pool", "ls", "--color", "always", NO_COLOR="")).out
    iso = good(forebay("work-pool", "ls", "-o", "wide", "--time", "iso")).out
    assert "T" in iso and "ago" not in iso


def test_the_default_template_of_a_type_is_printed_as_it_is_used(forebay):
    template = good(forebay("work-pool", "get-default-base-job-template", "--type", "process")).json
    assert list(template) == ["job_configuration", "variables"]
    path = forebay.home / "template.json"
    template["variables"]["properties"]["env"]["default"] = {"FROM": "template"}
    path.write_text(json.dumps(template))
    good(forebay("work-pool", "create", "--type", "process", "mine", "--base-job-template", str(path)))
    inspected = good(forebay("work-pool", "inspect", "mine", "-o", "json")).json
    assert "FROM" in json.dumps(inspected["base_job_template"])
    path.write_text("{")
    refused(forebay("work-pool", "create", "--type", "process", "bad", "--base-job-template", str(path)), USAGE, "template")


def test_a_queue_from_creation_to_deletion(forebay):
    good(forebay("work-pool", "create", "--type", "process", "p"))
    good(forebay("work-queue", "create", "fast", "--pool", "p", "--priority", "1", "--concurrency-limit", "2"))
    queues = good(forebay("work-queue", "ls", "--pool", "p", "-o", "json")).json
    assert [queue["name"].rsplit("/")[-1] for queue in queues] == ["default", "fast"]
    good(forebay("work-queue", "update", "fast", "--pool", "p", "--priority", "7"))
    assert good(forebay("work-queue", "inspect", "fast", "--pool", "p", "-o", "json")).json["priority"] == 7
    good(forebay("work-queue", "pause", "fast", "--pool", "p"))
    assert "PAUSED" in good(forebay("work-queue", "inspect", "fast", "--pool", "p")).out
    good(forebay("work-queue", "resume", "fast", "--pool", "p"))
    good(forebay("work-queue", "delete", "fast", "--pool", "p"))
    refused(forebay("work-queue", "inspect", "fast", "--pool", "p"), NOT_FOUND, "fast")
    refused(forebay("work-queue", "delete", "default", "--pool", "p"), CONFLICT, "default")


def test_a_deployment_from_creation_to_deletion(forebay):
    good(forebay("work-pool", "create", "--type", "process", "my-pool"))
    deployed = good(
        forebay("deploy", "--name", "nightly", "--flow", "repo-stats", "--pool", "my-pool", "--param", "path=.", "--param",
                "top=5", "--job-variable", "env.TOP=5", "--", "python3", "examples/repo_stats.py")
    )  # fmt: skip
    assert "repo-stats/nightly" in deployed.err and "forebay deployment run repo-stats/nightly" in deployed.err
    inspected = good(forebay("deployment", "inspect", "repo_stats/nightly", "-o", "json")).json
    assert inspected["command"] == ["python3", "examples/repo_stats.py"]
    parameters = inspected["parameters"]
    assert (json.loads(parameters) if isinstance(parameters, str) else parameters) == {"path": ".", "top": 5}
    assert good(forebay("deployment", "ls", "-o", "name")).out == "repo-stats/nightly\n"
    good(forebay("deployment", "pause", "repo-stats/nightly"))
    assert "PAUSED" in good(forebay("deployment", "ls")).out
    good(forebay("deployment", "resume", "repo-stats/nightly"))
    good(forebay("deployment", "delete", "repo-stats/nightly"))
    refused(forebay("deployment", "inspect", "repo-stats/nightly"), NOT_FOUND, "repo-stats/nightly")


def test_a_file_deploys_several_at_once_and_again(forebay):
    good(forebay("work-pool", "create", "--type", "process", "p"))
    path = forebay.home / "forebay.yaml"
    path.write_text(
        """
deployments:
  - {name: one, flow: first, pool: p, command: [echo, "1"], parameters: {a: [1, {b: null}]}, tags: [x]}
  - name: two
    flow: second_flow
    pool: p
    command: [echo, two]
    job_variables: {env: {N: 3}}
    crash_retries: 2
"""
    )
    good(forebay("deploy", "-f", "forebay.yaml"))
    again = good(forebay("deploy", "-f", "forebay.yaml"))
    assert "updated" in again.err
    assert good(forebay("deployment", "ls", "-o", "name")).out == "first/one\nsecond-flow/two\n"
    two = good(forebay("deployment", "inspect", "second_flow/two", "-o", "json")).json
    assert two["crash_retries"] == 2


@pytest.mark.parametrize(
    "text, words",
    [
        ("deployments: [{name: a, flow: f, pool: p, comand: [x]}]", ("comand", "command")),
        ("deploments: []", ("deploments", "deployments")),
        ("deployments: [{name: a, flow: f, pool: p}]", ("command",)),
        ("deployments: [{name: a, flow: f, pool: p, command: x y}]", ("command",)),
        ("deployments: {", ("forebay.yaml",)),
        ("", ("forebay.yaml",)),
        ("deployments: [{name: a, flow: f, pool: nowhere, command: [x]}]", ("nowhere",)),
        ("deployments: [{name: 'A B', flow: f, pool: p, command: [x]}]", ("A B",)),
    ],
)
def test_a_file_with_a_fault_deploys_nothing_and_names_it(forebay, text, words):
    good(forebay("work-pool", "create", "--type", "process", "p"))
    (forebay.home / "forebay.yaml").write_text(text)
    result = forebay("deploy", "-f", "forebay.yaml")
    assert result.code in (USAGE, NOT_FOUND) and all(word in result.err for word in words), result.err
    assert good(forebay("deployment", "ls", "-o", "json")).json == []


def test_what_is_unknown_is_named_with_the_nearest_and_the_next_command(forebay):
    good(forebay("work-pool", "create", "--type", "process", "my-pool"))
    good(forebay("deploy", "--name", "nightly", "--flow", "stats", "--pool", "my-pool", "--", "true"))
    refused(forebay("work-pool", "inspect", "my-pol"), NOT_FOUND, "my-pol", "next: forebay work-pool", "my-pool")
    refused(forebay("work-pool", "create", "--type", "proces", "x"), USAGE, "proces", "process")
    refused(forebay("deployment", "run", "stats/nightl"), NOT_FOUND, "stats/nightl", "stats/nightly")
    refused(forebay("deploy", "--name", "n", "--flow", "f", "--pool", "nope", "--", "true"), NOT_FOUND, "nope")
    refused(
        forebay("deploy", "--name", "n", "--flow", "f", "--pool", "my-pool", "--queue", "fast", "--", "true"), NOT_FOUND, "fast"
    )
    refused(
        forebay("deploy", "--name", "n", "--flow", "f", "--pool", "my-pool", "--job-variable", "enw.A=1", "--", "true"),
        USAGE, "enw", "env",
    )  # fmt: skip
    refused(forebay("work-queue", "inspect", "fats", "--pool", "my-pool"), NOT_FOUND, "fats")
    refused(forebay("flow-run", "inspect", "0190e0a0-0000-7000-8000-000000000000"), NOT_FOUND)
    refused(forebay("worker", "inspect", "0190e0a0-0000-7000-8000-000000000000"), NOT_FOUND)


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",), ("work-pool",), ("work-pool", "crate", "x"), ("work-pool", "create"), ("work-pool", "ls", "--nope"),
        ("work-pool", "ls", "-o", "xml"), ("work-pool", "create", "--type", "process", "Not A Name"),
        ("deploy", "--name", "n", "--flow", "f", "--pool", "p"),
        ("deployment", "run", "f/d", "--params", "{"), ("deployment", "run", "f/d", "--param", "novalue"),
        ("deployment", "run", "f/d", "--in", "soon"), ("work-pool", "create", "--type", "process", "p", "--lease-ttl", "x"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_a_usage_error(forebay, words):
    result = forebay(*words)
    assert result.code == USAGE and "error: " in result.err, (result.code, result.err, result.out)


def test_names_that_exist_and_things_in_use_are_conflicts(forebay):
    good(forebay("work-pool", "create", "--type", "process", "p"))
    refused(forebay("work-pool", "create", "--type", "process", "p"), CONFLICT, "p")
    good(forebay("deploy", "--name", "n", "--flow", "f", "--pool", "p", "--", "true"))
    good(forebay("deployment", "run", "f/n"))
    refused(forebay("work-pool", "delete", "p"), CONFLICT, "p")
    refused(forebay("deployment", "delete", "f/n"), CONFLICT, "f/n")
    good(forebay("work-pool", "delete", "p", "--force"))


def test_a_key_that_is_missing_wrong_revoked_or_too_weak_is_code_four(env, forebay):
    good(forebay("work-pool", "create", "--type", "process", "p"))
    refused(forebay("work-pool", "ls", FOREBAY_API_KEY=""), DENIED)
    refused(forebay("work-pool", "ls", FOREBAY_API_KEY="fbk_nonsense"), DENIED)
    key = good(forebay("token", "create", "--role", "viewer", "-o", "json")).json
    viewer = key["secret"]
    good(forebay("work-pool", "ls", FOREBAY_API_KEY=viewer))
    refused(forebay("work-pool", "delete", "p", FOREBAY_API_KEY=viewer), DENIED)
    good(forebay("token", "revoke", key["token"]["name"].removeprefix("tokens/")))
    refused(forebay("work-pool", "ls", FOREBAY_API_KEY=viewer), DENIED)
    assert viewer not in good(forebay("token", "ls", "--all", "-o", "json")).out


def test_a_server_that_is_away_is_code_nine(forebay):
    refused(forebay("work-pool", "ls", FOREBAY_SERVER="127.0.0.1:1"), UNREACHABLE, "127.0.0.1:1", "next: ")


def test_a_context_keeps_server_and_key_in_a_private_file(env, forebay):
    bare = {"FOREBAY_SERVER": "", "FOREBAY_API_KEY": ""}
    good(forebay("config", "set", "home", "--server", env.server.address, "--api-key-stdin", input=env.admin_key, **bare))
    good(forebay("work-pool", "ls", **bare))
    kept = [path for path in forebay.home.rglob("*") if path.is_file() and env.admin_key in path.read_text()]
    assert kept and all(path.stat().st_mode & 0o077 == 0 for path in kept)
    assert env.admin_key not in good(forebay("config", "show", "-o", "json", **bare)).out


def test_workers_are_listed_inspected_and_started_from_here(env, forebay):
    good(forebay("work-pool", "create", "--type", "process", "my-pool"))
    worker = forebay.background("cli-worker", "worker", "start", "--pool", "my-pool", "--name", "box", "--limit", "3",
                                "--state-dir", str(forebay.home / "state"))  # fmt: skip
    try:
        wait_until(lambda: "started!" in worker.tail(), what="the worker says that it started")
        (listed,) = good(forebay("worker", "ls", "-o", "json")).json
        assert (listed["display_name"], listed["slots"]) == ("box", 3)
        worker_id = listed["name"].removeprefix("workers/")
        assert f"Worker 'ProcessWorker {worker_id}' started!" in worker.tail()
        assert "box" in good(forebay("worker", "inspect", worker_id)).out
        assert worker.terminate() == 0
        assert good(forebay("worker", "ls", "-o", "json")).json == []
        assert len(good(forebay("worker", "ls", "--all", "-o", "json")).json) == 1
    finally:
        worker.kill()


def test_a_worker_elsewhere_starts_by_a_join_token(env, forebay):
    good(forebay("work-pool", "create", "--type", "process", "p"))
    token = good(forebay("worker", "token", "--pool", "p")).out.strip()
    assert token.startswith("fbj_")
    there = env.new_cli(name="there")
    del there.environment["FOREBAY_API_KEY"]
    (there.home / "token").write_text(token)
    (there.home / "token").chmod(0o600)
    worker = there.background("worker", "worker", "start", "--pool", "p", "--join-token-file", "token", "--state-dir", "state")
    try:
        wait_until(lambda: "started!" in worker.tail(), what="the worker says that it started")
    finally:
        worker.kill()


def test_versions_status_and_completion(env, forebay):
    version = good(forebay("version", "-o", "json")).json
    assert version["version"] == version["server_version"]
    assert version["version"] in good(forebay("--version")).out
    status = good(forebay("server", "status", "-o", "json")).json
    assert status["schema_version"] >= 1 and "PostgreSQL" in good(forebay("server", "status")).out
    for shell in ("bash", "zsh", "fish"):
        script = good(forebay("completion", shell)).out
        assert "forebay" in script
    refused(forebay("completion", "tcsh"), USAGE, "tcsh")


def test_help_is_there_for_every_command(forebay):
    top = good(forebay("--help")).out
    for noun in ("work-pool", "work-queue", "worker", "deployment", "flow-run", "server", "token", "deploy", "dev"):
        assert noun in top
        assert "Usage: forebay" in good(forebay(noun, "--help")).out
