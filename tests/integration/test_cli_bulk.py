"""`forebay flow-run cancel|retry|pause|resume|delete`: one run, several, and all that match a filter."""

import os
import pty
import subprocess

import pytest
from forebay.process import binary, clean_environment
from forebay.waiting import PATIENCE, wait_until

ERROR, USAGE, NOT_FOUND, CONFLICT, UNREACHABLE = 1, 2, 3, 5, 9
NOBODY = "0190e0a0-0000-7000-8000-000000000000"


@pytest.fixture
def forebay(env):
    cli = env.new_cli()
    good(cli("work-pool", "create", "--type", "process", "p", "--late-after", "1s", "--cancel-grace", "1s"))
    for name in ("a", "b"):
        good(cli("deploy", "--name", name, "--flow", "f", "--pool", "p", "--", "true"))
    return cli


def good(result):
    assert result.code == 0, result.err
    return result


def refused(result, code, *words):
    """An error: the code, one sentence with the words on stderr, nothing on stdout."""
    assert result.code == code, (result.code, result.err)
    assert result.out == "" and "error: " in result.err
    for word in words:
        assert word in result.err, result.err
    return result


def start(forebay, count, deployment="f/a", *words):
    """Runs of it that wait an hour unless the words say otherwise."""
    words = words or ("--in", "1h")
    return [good(forebay("deployment", "run", deployment, *words, "-o", "name")).out.strip() for _ in range(count)]


def ids(forebay, *words):
    return set(good(forebay("flow-run", "ls", "--limit", "1000", *words, "-o", "name")).out.split())


def test_several_runs_are_cancelled_each_on_its_line(forebay):
    runs = start(forebay, 3)
    done = good(forebay("flow-run", "cancel", *runs))
    assert done.out == "" and len(done.err.splitlines()) == 3 and done.err.count("cancelled") == 3
    again = refused(forebay("flow-run", "cancel", *start(forebay, 1), runs[0], NOBODY), ERROR, runs[0], NOBODY, "2 of 3")
    assert again.err.count("cancelled.") == 1
    assert refused(forebay("flow-run", "cancel", runs[0]), CONFLICT).err.startswith("error: ")
    refused(forebay("flow-run", "cancel", NOBODY), NOT_FOUND)


def test_the_output_forms_of_several_runs(forebay):
    runs = start(forebay, 2)
    assert [run["state"]["type"] for run in good(forebay("flow-run", "pause", *runs, "-o", "json")).json] == ["PAUSED"] * 2
    assert good(forebay("flow-run", "resume", *runs, "-o", "name")).out.split() == runs
    assert good(forebay("flow-run", "cancel", runs[0], "-o", "json")).json["state"]["type"] == "CANCELLED"
    assert good(forebay("flow-run", "cancel", runs[1], "-o", "name")).out.strip() == runs[1]
    assert [run["name"] for run in good(forebay("flow-run", "delete", *runs, "-o", "json")).json] == [f"flowRuns/{run}" for run in runs]


def test_pause_resume_and_retry_of_one_run(forebay):
    (run,) = start(forebay, 1)
    assert "forebay flow-run resume" in good(forebay("flow-run", "pause", run)).err
    assert "PAUSED" in good(forebay("flow-run", "inspect", run)).out
    good(forebay("flow-run", "pause", run))
    good(forebay("flow-run", "resume", run))
    refused(forebay("flow-run", "retry", run), CONFLICT)
    good(forebay("flow-run", "cancel", run, "--grace", "5s"))
    refused(forebay("flow-run", "pause", run), CONFLICT)
    refused(forebay("flow-run", "resume", run), CONFLICT)
    new = good(forebay("flow-run", "retry", run, "-o", "json"))
    new_id = new.json["name"].removeprefix("flowRuns/")
    assert new.json["retry_of"] == f"flowRuns/{run}" and new_id in new.err and new.json["display_name"] in new.err
    assert "Retry of:" in good(forebay("flow-run", "inspect", new_id)).out
    other = good(forebay("flow-run", "retry", run, "-o", "name")).out.strip()
    assert other != new_id


def test_a_filter_shows_what_it_would_do_and_touches_exactly_that(forebay):
    mine, others = set(start(forebay, 12)), set(start(forebay, 2, "f/b"))
    dry = good(forebay("flow-run", "cancel", "--filter", "deployment=f/a,pool=p", "--dry-run"))
    assert dry.out.split()[:3] == ["RUNS", "DEPLOYMENT", "STATE"] and "12" in dry.out and "f/b" not in dry.out
    assert sum(run in dry.out for run in mine) == 10 and "and 2 more" in dry.out
    assert "12 flow runs would be cancelled" in dry.err
    assert good(forebay("flow-run", "cancel", "--filter", "deployment=f/a", "--dry-run", "-o", "json")).json == [
        {"deployment": "f/a", "state": "SCHEDULED", "runs": 12}
    ]
    named = good(forebay("flow-run", "cancel", "--filter", "deployment=f/a", "--dry-run", "-o", "name")).out.split()
    assert set(named) == mine
    refused(forebay("flow-run", "cancel", "--filter", "deployment=f/a"), USAGE, "--yes", "12 flow runs")
    assert ids(forebay, "--state", "scheduled") == mine | others
    done = good(forebay("flow-run", "cancel", "--filter", "deployment=f/a", "--yes"))
    assert done.err.splitlines()[-1] == "12 cancelled"
    assert ids(forebay, "--state", "scheduled") == others
    again = good(forebay("flow-run", "cancel", "--filter", "deployment=f/a", "--yes"))
    assert "nothing was changed" in again.err


def test_a_filter_that_names_the_state_counts_what_is_refused(forebay):
    finished = start(forebay, 2)
    good(forebay("flow-run", "cancel", *finished))
    start(forebay, 1)
    done = refused(forebay("flow-run", "cancel", "--filter", "flow=f,state=cancelled,state=scheduled", "--yes"), ERROR, "2 of 3")
    assert "1 cancelled, 2 refused (RUN_FINISHED 2)" in done.err
    counted = forebay("flow-run", "cancel", "--filter", "state=cancelled", "--yes", "-o", "json")
    assert counted.code == ERROR and counted.json == {"cancelled": 0, "refused": {"RUN_FINISHED": 3}}


def test_pause_resume_cancel_retry_delete_by_filter(forebay):
    runs = set(start(forebay, 3))
    for verb, done in (("pause", "3 paused"), ("resume", "3 resumed"), ("cancel", "3 cancelled")):
        assert good(forebay("flow-run", verb, "--filter", "deployment=f/a", "-y")).err.splitlines()[-1] == done
    retried = good(forebay("flow-run", "retry", "--filter", "deployment=f/a", "--yes"))
    assert retried.err.splitlines()[-1] == "3 retried" and retried.err.count("is repeated by the new run") == 3
    new = ids(forebay) - runs
    assert len(new) == 3
    deleted = good(forebay("flow-run", "delete", "--filter", "deployment=f/a", "--yes", "-o", "name"))
    assert set(deleted.out.split()) == runs and ids(forebay) == new


def test_a_filter_of_nothing_is_refused_unless_all_is_meant(forebay):
    start(forebay, 2)
    for words in (("--filter", ""), ("--filter", "", "--yes")):
        refused(forebay("flow-run", "cancel", *words), USAGE, "--all")
    refused(forebay("flow-run", "cancel", "--all"), USAGE, "--yes")
    assert good(forebay("flow-run", "cancel", "--all", "--yes")).err.splitlines()[-1] == "2 cancelled"


def test_a_filter_that_matches_nothing_changes_nothing(forebay):
    assert "No flow run matches" in good(forebay("flow-run", "cancel", "--filter", "state=late")).err
    empty = good(forebay("flow-run", "cancel", "--filter", "state=late", "-o", "json"))
    assert empty.json == {"cancelled": 0, "refused": {}}


@pytest.mark.parametrize(
    "words, names",
    [
        ((), ("ids", "--filter")),
        (("x", "--filter", "pool=p"), ("not both",)),
        ((NOBODY, "--dry-run"), ("--dry-run",)),
        (("--filter", "stat=late"), ("stat", "did you mean `state`?")),
        (("--filter", "state=lat"), ("lat", "did you mean `late`?")),
        (("--filter", "late"), ("late", "key=value")),
        (("--filter", "older=soon"), ("older", "soon")),
        (("--filter", "queue=q"), ("pool",)),
        (("--filter", "pool=p,pool=q"), ("pool",)),
        (("--filter", "deployment=a"), ("deployment", "flow/name")),
        (("--filter", "state=late,state=failed"), ("late",)),
        ((NOBODY, "--grace", "2h"), ("--grace", "2h")),
        ((NOBODY, "--grace", "soon"), ("--grace", "soon")),
    ],
)
def test_a_wrong_filter_is_a_usage_error(forebay, words, names):
    refused(forebay("flow-run", "cancel", *words), USAGE, *names)


def test_an_unknown_pool_or_deployment_in_a_filter_is_not_found(forebay):
    refused(forebay("flow-run", "cancel", "--filter", "deployment=f/nope"), NOT_FOUND, "f/nope")


def test_a_server_that_is_away_is_no_refusal(forebay):
    away = {"FOREBAY_SERVER": "127.0.0.1:1"}
    refused(forebay("flow-run", "cancel", NOBODY, NOBODY, **away), UNREACHABLE)
    refused(forebay("flow-run", "cancel", "--filter", "pool=p", "--yes", **away), UNREACHABLE)


def test_runs_are_listed_by_every_condition_as_option_and_as_filter(forebay):
    (tagged,) = start(forebay, 1, "f/a", "--in", "1h", "--tag", "x")
    (other,) = start(forebay, 1, "f/b")
    good(forebay("flow-run", "cancel", other))
    for option, condition, found in (
        (("--tag", "x"), "tag=x", {tagged}),
        (("--flow", "f"), "flow=f", {tagged, other}),
        (("--pool", "p", "--queue", "default"), "pool=p,queue=default", {tagged, other}),
        (("--deployment", "f/b"), "deployment=f/b", {other}),
        (("--state", "cancelled"), "state=cancelled", {other}),
        (("--newer", "1h"), "newer=1h", {tagged, other}),
        (("--older", "1h"), "older=1h", set()),
        (("--state", "late"), "state=late", set()),
    ):
        assert ids(forebay, *option) == found, option
        assert ids(forebay, "--filter", condition) == found, condition
    refused(forebay("flow-run", "ls", "--filter", "stat=late"), USAGE, "state")
    refused(forebay("flow-run", "ls", "--queue", "q"), USAGE, "--pool")


def test_a_late_run_is_listed_as_late_and_says_why(forebay):
    (run,) = start(forebay, 1, "f/a", "--in", "0s")
    wait_until(lambda: ids(forebay, "--state", "late") == {run}, what="the run is late")
    assert "LATE" in good(forebay("flow-run", "ls")).out
    card = good(forebay("flow-run", "inspect", run)).out
    assert "Waiting:" in card and "worker" in card
    waiting = good(forebay("flow-run", "inspect", run, "-o", "json")).json["waiting"]
    assert waiting["cause"] == "NO_WORKER" and waiting["message"]
    assert good(forebay("flow-run", "cancel", "--filter", "state=late", "-y")).err.splitlines()[-1] == "1 cancelled"


def test_a_held_run_is_stopped_by_its_worker(env, forebay):
    env.new_worker("p")
    good(forebay("deploy", "--name", "slow", "--flow", "f", "--pool", "p", "--", "sleep", "600"))
    runs = start(forebay, 2, "f/slow", "--in", "0s")
    for run in runs:
        env.api.wait_for_state(run, "RUNNING")
    done = good(forebay("flow-run", "cancel", "--filter", "deployment=f/slow", "--yes", "--grace", "0s"))
    assert done.err.splitlines()[-1] == "2 cancelled"
    for run in runs:
        env.api.wait_for_state(run, "CANCELLED")
    assert "CANCEL" in good(forebay("flow-run", "inspect", runs[0])).out


def on_a_terminal(forebay, answer, *words):
    """The command with a terminal to ask on; its exit code and all that stood on it."""
    master, slave = pty.openpty()
    try:
        child = subprocess.Popen([binary("forebay"), *words], stdin=slave, stdout=slave, stderr=slave, cwd=forebay.home,
                                 env=clean_environment(**forebay.environment))  # fmt: skip
        os.close(slave)
        os.write(master, answer)
        text = b""
        while True:
            try:
                read = os.read(master, 4096)
            except OSError:  # The other side is closed.
                break
            if not read:
                break
            text += read
        return child.wait(PATIENCE), text.decode()
    finally:
        os.close(master)


def test_on_a_terminal_it_asks_and_takes_only_a_yes(forebay):
    runs = set(start(forebay, 2))
    for answer in (b"\n", b"n\n", b"yeah\n", b"\x04"):
        code, text = on_a_terminal(forebay, answer, "flow-run", "cancel", "--filter", "pool=p")
        assert code == 0 and "2 flow runs will be cancelled. Go on? [y/N]" in text and "Nothing was changed." in text
    assert ids(forebay, "--state", "scheduled") == runs
    code, text = on_a_terminal(forebay, b"y\n", "flow-run", "cancel", "--all")
    assert code == 0 and "2 cancelled" in text and "DEPLOYMENT" in text
    assert ids(forebay, "--state", "scheduled") == set()
