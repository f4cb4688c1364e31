"""`forebay dev`: database, server and worker in one terminal, as on a laptop."""

import pathlib
import signal

import pytest
from forebay.checker import processes_of_runs
from forebay.daemons import Cli
from forebay.process import is_alive
from forebay.waiting import wait_until


@pytest.fixture
def laptop(scratch):
    """(command line, dev): `dev()` starts `forebay dev` in this home and waits until it is ready."""
    cli = Cli(scratch)
    running = []

    def dev():
        process = cli.background(f"dev-{len(running)}", "dev", "--port", "0", "--data-dir", str(scratch / "data"))
        running.append(process)
        wait_until(lambda: not process.running or "Forebay is ready" in process.tail(), what="ready")
        assert process.running, process.tail()
        return process

    yield cli, dev
    for process in running:
        if process.running:
            process.signal(signal.SIGINT)
            process.wait()


def children(pid: int) -> list[int]:
    """Every descendant."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *children(child)]
    return found


def test_the_first_run_needs_no_configuration(laptop):
    cli, dev = laptop
    dev()
    deployed = cli("deploy", "--name", "hello", "--flow", "hello", "--pool", "default", "--", "echo", "hello, world")
    assert deployed.code == 0, deployed.err
    watched = cli("deployment", "run", "hello/hello", "--watch")
    assert watched.code == 0 and "hello, world" in watched.out + watched.err
    key_files = [path for path in cli.home.rglob("*.key") if path.is_file()]
    assert key_files and all(path.stat().st_mode & 0o077 == 0 for path in key_files)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_everything_and_the_next_start_finds_everything(laptop, number):
    cli, dev = laptop
    process = dev()
    assert cli("work-pool", "create", "--type", "process", "mine").code == 0
    family = children(process.pid)
    assert len(family) >= 3
    process.signal(number)
    process.wait()
    wait_until(lambda: not [pid for pid in family if is_alive(pid)], what="all children gone")
    dev()
    assert "mine" in cli("work-pool", "ls", "-o", "name").out


def test_a_killed_dev_takes_its_children_with_it_and_starts_again(laptop):
    cli, dev = laptop
    process = dev()
    family = children(process.pid)
    process.kill()
    wait_until(lambda: not [pid for pid in family if is_alive(pid)], what="all children gone")
    dev()
    assert cli("work-pool", "ls", "-o", "name").out == "default\n"


def test_a_run_left_by_ctrl_c_ends_or_is_found_again(laptop):
    cli, dev = laptop
    process = dev()
    cli("deploy", "--name", "slow", "--flow", "f", "--pool", "default", "--", "sleep", "3")
    run_id = cli("deployment", "run", "f/slow", "-o", "name").out.strip()
    wait_until(lambda: "RUNNING" in cli("flow-run", "inspect", run_id).out, what="it runs")
    process.signal(signal.SIGINT)
    process.wait()
    dev()
    assert cli("flow-run", "watch", run_id).code in (0, 7)
    wait_until(lambda: run_id not in [found for _, found in processes_of_runs()], what="nothing of it is left")


def test_a_second_dev_on_the_same_data_is_refused(laptop, scratch):
    cli, dev = laptop
    first = dev()
    second = cli("dev", "--port", "0", "--data-dir", str(scratch / "data"))
    assert second.code != 0 and str(scratch / "data") in second.err
    assert first.running


def test_the_example_flow_runs_on_a_real_clone(laptop, scratch):
    cli, dev = laptop
    dev()
    root = pathlib.Path(__file__).resolve().parents[2]
    deployed = cli("deploy", "--name", "nightly", "--flow", "repo-stats", "--pool", "default", "--param", f"path={root}",
                   "--param", "top=3", "--", "python3", str(root / "examples" / "repo_stats.py"))  # fmt: skip
    assert deployed.code == 0, deployed.err
    watched = cli("deployment", "run", "repo-stats/nightly", "--watch")
    assert watched.code == 0, watched.err
    assert "commits" in (watched.out + watched.err).lower()
