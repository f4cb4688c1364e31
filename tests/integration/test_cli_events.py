"""`forebay event watch`: what happens, as it happens, and from a cursor on."""

import json

import pytest
from forebay.waiting import wait_until


@pytest.fixture
def forebay(env):
    cli = env.new_cli()
    for words in (
        ("work-pool", "create", "--type", "process", "p"),
        ("deploy", "--name", "d", "--flow", "f", "--pool", "p", "--", "true"),
        ("deploy", "--name", "other", "--flow", "f", "--pool", "p", "--", "true"),
    ):
        assert cli(*words).code == 0
    return cli


def events(forebay, *words) -> list[dict]:
    result = forebay("event", "watch", "--no-wait", "-o", "json", *words)
    assert result.code == 0, result.err
    return [json.loads(line) for line in result.out.splitlines()]


def run(forebay, deployment="f/d") -> str:
    return forebay("deployment", "run", deployment, "-o", "name").out.strip()


def test_everything_that_is_kept_line_by_line(env, forebay):
    run_id = run(forebay)
    env.api.cancel(run_id)
    told = events(forebay, "--since", "oldest")
    assert [(event["flow_run"], event["state"]["name"]) for event in told] == [
        (f"flowRuns/{run_id}", "Scheduled"), (f"flowRuns/{run_id}", "Cancelled"),
    ]  # fmt: skip
    table = forebay("event", "watch", "--since", "oldest", "--no-wait").out.splitlines()
    assert len(table) == 2 and "CANCELLED" in table[1] and run_id in table[1] and "f/d" in table[1]
    assert "cancelled on request" in table[1]


def test_on_from_a_cursor_and_only_some(env, forebay):
    first, second = run(forebay), run(forebay, "f/other")
    cursor = events(forebay, "--since", "oldest")[0]["cursor"]
    assert [event["flow_run"] for event in events(forebay, "--since", cursor)] == [f"flowRuns/{second}"]
    assert len(events(forebay, "--since", "oldest", "--deployment", "f/d")) == 1
    assert len(events(forebay, "--since", "oldest", "--run", first)) == 1
    assert events(forebay, "--since", "oldest", "--state", "failed") == []


def test_what_happens_appears_while_it_watches(env, forebay):
    place = env.api.EventService.WatchEvents().cursor
    watch = forebay.background("watch", "event", "watch", "--since", place, "-o", "name")
    run_id = run(forebay)
    (told,) = env.api.EventService.WatchEvents(cursor=place).events
    assert told.flow_run == f"flowRuns/{run_id}"
    wait_until(lambda: told.cursor in watch.log.read_text(), what="the event is printed")
    watch.kill()


@pytest.mark.parametrize(
    "words, said",
    [
        (("--since", "nonsense", "--no-wait"), "cursor 'nonsense' is not one"),
        (("--no-wait",), "--no-wait needs --since"),
        (("--state", "lost"), "--state"),
        (("--deployment", "f/none"), "f/none"),
        (("--run", "x"), "flow_run"),
    ],
)
def test_bad_words(forebay, words, said):
    result = forebay("event", "watch", *words)
    assert result.code != 0 and said in result.err and result.out == "", result.err
