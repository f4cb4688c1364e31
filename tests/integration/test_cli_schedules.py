"""`forebay schedule`, and schedules of `forebay deploy`: the happy paths, the output forms, each error and its code."""

import json

import pytest

USAGE, NOT_FOUND, CONFLICT = 2, 3, 5
NAME = "repo-stats/nightly"


@pytest.fixture
def forebay(env):
    cli = env.new_cli()
    cli.environment["TZ"] = "UTC"
    good(cli("work-pool", "create", "--type", "process", "p"))
    good(cli("deploy", "--name", "nightly", "--flow", "repo-stats", "--pool", "p", "--param", "a=1", "--", "true"))
    return cli


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


def inspect(forebay, slug):
    return good(forebay("schedule", "inspect", f"{NAME}/{slug}", "-o", "json")).json


def slugs(forebay, deployment=NAME):
    names = good(forebay("schedule", "ls", "--deployment", deployment, "-o", "name")).out.split()
    return sorted(name.rpartition("/")[2] for name in names)


def test_a_schedule_from_creation_to_deletion(forebay):
    created = good(forebay("schedule", "create", NAME, "--cron", "0 1 * * *", "--timezone", "Europe/Berlin", "--param", "b=2"))
    assert created.out == "" and f"forebay schedule inspect {NAME}/cron" in created.err and "First run: " in created.err
    schedule = inspect(forebay, "cron")
    assert schedule["cron"]["expression"] == "0 1 * * *" and schedule["time_zone"] == "Europe/Berlin"
    assert schedule["parameters"] == {"b": 2} and len(schedule["next_fires"]) == 10
    shown = good(forebay("schedule", "inspect", f"{NAME}/cron")).out
    assert "ACTIVE" in shown and shown.count(" 01:00:00 +0") == 10 and "NEXT FIRES" in shown
    assert good(forebay("schedule", "ls", "-o", "name")).out == f"{NAME}/cron\n"
    table = good(forebay("schedule", "ls")).out
    assert table.split()[:4] == ["DEPLOYMENT", "SLUG", "RULE", "ZONE"] and "0 1 * * *" in table and "(in " in table
    assert "NEXT FIRE" in good(forebay("schedule", "ls", "-o", "csv")).out
    paused = good(forebay("schedule", "pause", f"{NAME}/cron"))
    assert f"forebay schedule resume {NAME}/cron" in paused.err
    assert "PAUSED" in good(forebay("schedule", "ls")).out
    good(forebay("schedule", "pause", f"{NAME}/cron"))
    good(forebay("schedule", "resume", f"{NAME}/cron"))
    assert inspect(forebay, "cron")["paused"] is False
    good(forebay("schedule", "delete", f"{NAME}/cron"))
    refused(forebay("schedule", "inspect", f"{NAME}/cron"), NOT_FOUND, "cron")
    empty = good(forebay("schedule", "ls"))
    assert empty.out == "" and "forebay schedule create" in empty.err


def test_intervals_and_recurrences_with_all_their_options(forebay):
    good(
        forebay("schedule", "create", NAME, "--interval", "90s", "--anchor", "2026-12-01 08:00", "--slug", "often", "--start", "+2h",
                "--end", "2099-01-01T00:00:00Z", "--job-variable", "env.X=1", "--catch-up", "last", "--catch-up-window", "5m")
    )  # fmt: skip
    often = inspect(forebay, "often")
    assert often["interval"] == {"every": "1m30s", "anchor": "2026-12-01T08:00:00Z"}
    assert often["end_time"] == "2099-01-01T00:00:00Z" and "start_time" in often
    assert (often["catch_up"], often["catch_up_window"]) == ("LAST", "5m")
    good(forebay("schedule", "create", NAME, "--rrule", "FREQ=WEEKLY;BYDAY=MO", "--anchor", "2026-12-01T08:00:00+01:00"))
    assert inspect(forebay, "rrule")["recurrence"]["text"] == "FREQ=WEEKLY;BYDAY=MO"
    assert slugs(forebay) == ["often", "rrule"]
    assert "every 1m30s" in good(forebay("schedule", "ls", "--pool", "p")).out
    refused(forebay("schedule", "ls", "--deployment", "no/such"), NOT_FOUND, "no/such")


def test_an_update_changes_what_was_given_and_nothing_else(forebay):
    good(forebay("schedule", "create", NAME, "--cron", "0 1 * * *", "--param", "b=2", "--slug", "s", "--end", "2099-01-01"))
    good(forebay("schedule", "update", f"{NAME}/s", "--timezone", "Asia/Tokyo"))
    schedule = inspect(forebay, "s")
    assert schedule["time_zone"] == "Asia/Tokyo" and schedule["cron"]["expression"] == "0 1 * * *"
    good(forebay("schedule", "update", f"{NAME}/s", "--interval", "1d", "--end", "none", "--params", '{"c": 3}'))
    schedule = inspect(forebay, "s")
    assert schedule["interval"]["every"] == "24h" and "cron" not in schedule and "end_time" not in schedule
    assert schedule["parameters"] == {"c": 3} and schedule["time_zone"] == "Asia/Tokyo"
    refused(forebay("schedule", "update", f"{NAME}/s"), USAGE, "nothing to update", "next: forebay schedule update --help")


@pytest.mark.parametrize(
    "words, names",
    [
        ((), ("--cron", "--interval", "--rrule")),
        (("--cron", "* * * * *", "--interval", "1h"), ("--cron", "--interval")),
        (("--cron", "61 * * * *"), ("61",)),
        (("--cron", "0 0 31 2 *"), ()),
        (("--interval", "often"), ("--interval", "often")),
        (("--interval", "10ms"), ()),
        (("--rrule", "FREQ=SOMETIMES"), ("SOMETIMES",)),
        (("--cron", "@daily", "--timezone", "Europe/Berln"), ("Europe/Berln", "Europe/Berlin")),
        (("--cron", "@daily", "--anchor", "+1h"), ("--anchor",)),
        (("--interval", "1h", "--day-and"), ("--day-and",)),
        (("--cron", "@daily", "--start", "soon"), ("--start", "soon")),
        (("--cron", "@daily", "--catch-up", "lst"), ("--catch-up", "lst", "last")),
        (("--cron", "@daily", "--slug", "Not A Slug"), ("Not A Slug",)),
        (("--cron", "@daily", "--params", "{"), ("--params",)),
        (("--cron", "@daily", "--job-variable", "novalue"), ("--job-variable", "novalue")),
    ],
)
def test_a_wrong_schedule_is_a_usage_error_that_names_what_is_wrong(forebay, words, names):
    refused(forebay("schedule", "create", NAME, *words), USAGE, *names)
    assert slugs(forebay) == []


def test_unknown_and_existing_names(forebay):
    refused(forebay("schedule", "create", "repo-stats/nightl", "--cron", "@daily"), NOT_FOUND, "nightl", "nightly")
    refused(forebay("schedule", "inspect", NAME), USAGE, "flow/deployment/slug", "next: forebay schedule ls")
    for verb in ("inspect", "pause", "resume", "delete"):
        refused(forebay("schedule", verb, f"{NAME}/nope"), NOT_FOUND, "nope")
    good(forebay("schedule", "create", NAME, "--cron", "@daily", "--slug", "x"))
    refused(forebay("schedule", "create", NAME, "--cron", "@daily", "--slug", "x"), CONFLICT, "x")


def deploy(forebay, *words):
    return forebay("deploy", "--name", "nightly", "--flow", "repo-stats", "--pool", "p", *words, "--", "true")


def test_deploying_with_rules_makes_schedules_and_deploying_again_replaces_them(forebay):
    done = good(deploy(forebay, "--cron", "0 1 * * *", "--cron", "0 2 * * *", "--timezone", "Europe/Berlin"))
    assert f"forebay schedule ls --deployment {NAME}" in done.err
    assert slugs(forebay) == ["cron", "cron-2"]
    good(deploy(forebay, "--cron", "0 3 * * *"))
    assert slugs(forebay) == ["cron", "cron-2"]
    assert inspect(forebay, "cron")["cron"]["expression"] == "0 3 * * *"
    good(deploy(forebay))
    assert slugs(forebay) == ["cron", "cron-2"]
    good(deploy(forebay, "--interval", "1h", "--replace-schedules"))
    assert slugs(forebay) == ["interval"]
    assert "every 1h" in good(forebay("deployment", "inspect", NAME)).out
    refused(deploy(forebay, "--interval", "1h", "--cron", "@daily"), USAGE, "--cron", "--interval")
    refused(deploy(forebay, "--timezone", "UTC"), USAGE, "--timezone")
    refused(deploy(forebay, "--cron", "61 * * * *"), USAGE, "61")


def test_a_file_holds_schedules_and_retries(forebay):
    path = forebay.home / "forebay.yaml"
    path.write_text(
        """
deployments:
  - name: nightly
    flow: repo-stats
    pool: p
    command: ["true"]
    retries: 2
    retry_delay: exponential:10s..1m
    timeout: 1h
    schedules:
      - {cron: "0 1 * * *", timezone: Europe/Berlin, parameters: {b: 2}}
      - {interval: 1h, slug: hourly, catch_up: skip}
"""
    )
    good(forebay("deploy", "-f", "forebay.yaml"))
    assert slugs(forebay) == ["cron", "hourly"]
    deployment = good(forebay("deployment", "inspect", NAME, "-o", "json")).json
    assert deployment["retry"]["delays"] == ["10s", "20s", "40s", "1m"] and deployment["timeout"] == "1h"
    assert [schedule["slug"] for schedule in deployment["schedules"]] == ["cron", "hourly"]
    path.write_text(path.read_text().replace("cron:", "corn:"))
    refused(forebay("deploy", "-f", "forebay.yaml"), USAGE, "schedules[0]", "corn", "cron")


def test_the_preview_of_a_pool_tells_what_will_run_and_what_holds_it_back(forebay):
    good(forebay("schedule", "create", NAME, "--interval", "10m"))
    good(forebay("deployment", "run", NAME))
    rows = good(forebay("work-pool", "preview", "p", "-o", "json")).json
    assert rows[0]["flow_run"] and rows[0]["schedule"] == ""
    assert any(row["schedule"].endswith("/interval") for row in rows)
    table = good(forebay("work-pool", "preview", "p", "--within", "1h")).out
    assert table.split()[:3] == ["DUE", "DEPLOYMENT", "QUEUE"] and "worker" in table and "in " in table
    days = good(forebay("work-pool", "preview", "p", "--within", "2d", "--most", "1000")).out
    assert "(to be made)" in days
    few = good(forebay("work-pool", "preview", "p", "--most", "1"))
    assert len(few.out.splitlines()) == 2 and "--most" in few.err
    refused(forebay("work-pool", "preview", "nope"), NOT_FOUND, "nope")
    refused(forebay("work-pool", "preview", "p", "--within", "soon"), USAGE, "--within")
    refused(forebay("work-pool", "preview", "p", "--most", "0"), USAGE, "--most")


def test_shells_complete_the_names_of_schedules(forebay):
    good(forebay("schedule", "create", NAME, "--cron", "@daily"))
    offered = good(forebay("__complete", "--", "schedule", "pause", "repo")).out.split()
    assert offered == [f"{NAME}/cron"]
    assert json.loads(good(forebay("schedule", "ls", "-o", "json")).out)[0]["slug"] == "cron"
