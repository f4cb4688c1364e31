"""scripts/bench: what it refuses, what it tells, one small load for real."""

import argparse
import json
import os
import subprocess
import sys

import pytest
from forebay.process import BIN, ROOT, wait_gone

sys.path[:0] = [str(ROOT / "tests" / "bench"), str(ROOT / "tests" / "bench" / "peers")]
import folded  # noqa: E402
import peer  # noqa: E402
import program  # noqa: E402
import run_peers  # noqa: E402

COMMAND = ROOT / "scripts" / "bench"


def bench(*words: str, deadline: float = 60) -> subprocess.CompletedProcess:
    environment = {**os.environ, "FOREBAY_BIN_DIR": str(BIN)}
    return subprocess.run([COMMAND, *words], capture_output=True, text=True, env=environment, timeout=deadline, check=False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fly"], "invalid choice: 'fly'"),
        (["dispatch", "--runs", "0"], "argument --runs: 0 is less than 1"),
        (["dispatch", "--runs", "many"], "argument --runs: 'many' is not a whole number"),
        (["dispatch", "--single", "--batch", "3"], "not allowed with argument"),
        (["peers", "--only", "nobody"], "invalid choice: 'nobody'"),
        (["profile"], "the following arguments are required"),
        (["--reps", "-1"], "argument --reps: -1 is less than 1"),
        (["table", "--built", "--only", "batched", "nonsense"], "no such cell: nonsense; there are"),
    ],
)
def test_refuses_what_makes_no_sense_before_it_does_anything(words, said):
    done = bench(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


@pytest.mark.parametrize("command", ["", "table", "dispatch", "peers", "profile"])
def test_help(command):
    done = bench(*filter(None, [command]), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"scripts/bench {command}".strip() in done.stdout


def test_peers_are_pinned_and_described():
    done = bench("peers", "--built", "--list")
    assert done.returncode == 0, done.stderr
    for pin in ("github.com/riverqueue/river@v", "graphile-worker@", "procrastinate==", "prefect=="):
        assert pin in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not (BIN / "forebay-bench").exists(), reason="sanitizer builds have no load generator")
def test_a_load_is_measured_and_checked(tmp_path):
    out = tmp_path / "dispatch.json"
    plan = ["--runs", "2000", "--workers", "4", "--slots", "8", "--reps", "2"]
    done = bench("dispatch", "--built", *plan, "--statements", "--out", str(out), deadline=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no run lost or doubled" in done.stdout
    told = json.loads(out.read_text())
    assert told["plan"] == {"runs": 2000, "workers": 4, "slots": 8, "batch": 100, "calls-in-flight": 16}
    assert len(told["repetitions"]) == 2
    for values in told["repetitions"]:
        assert all(values[name] > 0 for name in ("rate", "server_cpu_us", "postgres_cpu_us", "generator_cpu_us", "wal_bytes"))
        # Runs share commits.
        assert 0 < values["commits"] < 1
    inserted = [statement for statement in told["statements"] if "INSERT INTO flow_runs" in statement["text"]]
    assert sum(statement["rows"] for statement in inserted) == 2000


def test_stacks_of_perf_are_folded_from_the_outermost_frame():
    server = ["server ", "\t    7f01 leaf (/usr/lib/a.so)", "\t    7f02 middle(int; char) (/bin/server)",
              "\t    7f03 main (/bin/server)", ""]  # fmt: skip
    postgres = ["postgres ", "\t  1 [unknown] (/usr/lib/libc.so.6)", "\t  2 [unknown] ([unknown])", ""]
    told = folded.from_perf([*server, *postgres, *server])
    assert told == {"server;main;middle(int, char);leaf": 2, "postgres;[[unknown]];[libc.so.6]": 1}


def test_instructions_of_callgrind_are_counted_where_they_were_executed():
    lines = [
        "events: Ir", "fn=(1) leaf'middle'main", "0 10", "+3 5", "", "fn=(2) main", "0 7", "cfn=(1)", "calls=2 0", "* 15", "0 1",
        "fn=(1)", "0 2", "totals: 25",
    ]  # fmt: skip
    stacks = folded.from_callgrind(lines, "server")
    assert stacks == {"server;main;middle;leaf": 17, "server;main": 8}
    alone, whole = folded.shares(stacks, "server")
    assert alone[0] == ("leaf", 17 / 25)
    assert whole[0] == ("main", 1.0)


class Steady(peer.Peer):
    """Does a job in a hundredth of a second, up to a turn that fails."""

    first_jobs = 100

    def __init__(self, name: str, turns: int):
        super().__init__(None)
        self.name = name
        self._turns = turns

    def take_turn(self, folder, load, idle=True):
        self._turns -= 1
        if self._turns < 0:
            raise peer.Broken(f"{self.name}: lost a job")
        return {"rate": 100.0, "jobs": load.jobs, "pickup_p50_ms": 1.0}


def test_a_peer_that_fails_is_out_and_named_and_the_others_go_on(tmp_path):
    match = run_peers.Match(
        argparse.Namespace(seconds=3, batch=10), [Steady("forebay", 99), Steady("a", 3), Steady("b", 1)], tmp_path
    )
    match.size_loads()
    assert set(match.failed) == {"b"}
    assert match.round(1) == {
        "forebay": {"rate": 100.0, "jobs": 300, "pickup_p50_ms": 1.0},
        "a": {"rate": 100.0, "jobs": 300, "pickup_p50_ms": 1.0, "ours": 1.0},
    }
    assert set(match.round(2)) == {"forebay"}
    assert match.failed == {"a": "a: lost a job", "b": "b: lost a job"}


def test_a_program_is_run_to_its_end_and_what_it_used_is_told():
    script = "import json, sys; sum(range(10**6)); print('so far'); print(json.dumps({'argument': sys.argv[1]}))"
    result, cost = program.run_json([sys.executable, "-c", script, "x"], 60)
    assert result == {"argument": "x"}
    assert cost.cpu_seconds > 0


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("raise SystemExit('no database')", "ended with 1: no database"),
        ("print('hello')", "printed no result: 'hello"),
        ("", "printed no result"),
    ],
)
def test_a_program_that_fails_says_why(script, said):
    with pytest.raises(program.Failed, match=said):
        program.run_json([sys.executable, "-c", script], 60)


def test_a_program_that_does_not_end_is_ended_with_what_it_started(tmp_path):
    told = tmp_path / "pid"
    script = f"import subprocess; c = subprocess.Popen(['sleep', '600']); open({str(told)!r}, 'w').write(str(c.pid)); c.wait()"
    with pytest.raises(program.Failed, match="did not end within 10 s"):
        program.run_json([sys.executable, "-c", script], 10)
    wait_gone(int(told.read_text()))
