"""F1-F8 for flows in Python: the engine, its worker, the server and the database die during a flow; two engines race for one ticket.
User code leaves a mark when it begins; it begins once an attempt, whatever happens."""

import json
import os
import signal
import subprocess
import textwrap

import pytest
from forebay.process import sleep
from forebay.python_project import PYTHON, SDK, Project
from forebay.waiting import wait_until

FLOWS = """
    import os
    import time
    from forebay import flow, runtime

    @flow(log_prints=True)
    def steady(lines: int = 60, pause: float = 0.05):
        with open(os.environ["BEGUN"], "a") as file:
            file.write(f"{runtime.flow_run.attempt} {os.getpid()}\\n")
        for n in range(lines):
            print(f"line {n}")
            time.sleep(pause)
"""


class Steady:
    """A flow at work on a pool of its own."""

    def __init__(self, env, api, scratch, **fields):
        self.env = env
        self.api = api
        self.begun_file = scratch / "begun"
        self.pool = api.create_pool("alpha", lease_ttl=2000, crash_after=4000)
        project = Project(env, scratch / "project")
        variables = {"env": {"PYTHONPATH": str(SDK), "PYTHONDONTWRITEBYTECODE": "1", "BEGUN": str(self.begun_file)}}
        project.write("flows.py", FLOWS)
        call = ", ".join(["'d'", "'alpha'", f"job_variables={variables}"])
        project.write("deploy.py", f"import flows\nflows.steady.deploy({call})\n")
        done = project.python("deploy.py")
        assert done.returncode == 0, done.stderr
        if fields:
            api.DeploymentService.UpdateDeployment(deployment={"name": "steady/d", **fields}, update_mask={"paths": list(fields)})
        self.worker = env.new_worker("alpha")

    def start(self, **parameters) -> str:
        run_id = self.api.submit("steady/d", parameters=json.dumps(parameters))
        wait_until(lambda: "line 2" in self.api.output(run_id), what="it is at work")
        return run_id

    def begun(self) -> list[tuple[int, int]]:
        return [tuple(map(int, line.split())) for line in self.begun_file.read_text().splitlines()]

    def check_whole(self, run_id: str, lines: int = 60):
        """Once, to its end, with every line."""
        run = self.api.wait_for_end(run_id)
        assert run.state.name == "Completed", (run.state.message, self.api.output(run_id)[-5:])
        assert self.api.output(run_id) == [f"line {n}" for n in range(lines)]
        assert [attempt for attempt, _ in self.begun()] == [1]


@pytest.fixture
def make_steady(env, api, scratch):
    return lambda **fields: Steady(env, api, scratch, **fields)


def test_a_killed_engine_is_a_crash_and_says_so(make_steady):
    steady = make_steady()
    run_id = steady.start(lines=2000)
    os.kill(steady.begun()[0][1], signal.SIGKILL)
    run = steady.api.wait_for_end(run_id)
    assert run.state.name == "Crashed" and run.state.reason == "SIGNALED"
    assert "line 2" in steady.api.output(run_id) and len(steady.begun()) == 1


def test_a_killed_engine_begins_anew_where_crash_retries_say_so(make_steady):
    steady = make_steady(crash_retries=1)
    run_id = steady.start(lines=60)
    os.kill(steady.begun()[0][1], signal.SIGKILL)
    assert steady.api.wait_for_end(run_id).state.name == "Completed"
    assert [attempt for attempt, _ in steady.begun()] == [1, 2]
    assert steady.api.output(run_id)[-60:] == [f"line {n}" for n in range(60)]


def test_a_killed_worker_is_not_noticed(make_steady):
    steady = make_steady()
    run_id = steady.start()
    steady.worker.kill()
    steady.worker.start()
    steady.check_whole(run_id)


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_a_restarted_server_is_not_noticed(make_steady, env, how):
    steady = make_steady()
    run_id = steady.start()
    env.restart_server(how)
    steady.check_whole(run_id)


@pytest.mark.parametrize("how", ["stop", "crash"])
def test_a_database_that_goes_away_is_not_noticed(make_steady, env, how):
    steady = make_steady()
    run_id = steady.start()
    getattr(env.postgres, how)()
    env.postgres.start()
    steady.check_whole(run_id)


def test_a_run_cut_off_from_its_server_catches_up(make_steady, env, api):
    steady = make_steady()
    run_id = steady.start(lines=120)
    # Neither worker nor engine reaches it for longer than a lease and what comes after it.
    env.server.signal(signal.SIGSTOP)
    sleep(7)
    env.server.signal(signal.SIGCONT)
    steady.check_whole(run_id, 120)


def test_of_two_engines_with_one_ticket_one_runs(env, api, scratch):
    """The other exits 75 before it imports anything of the user's."""
    api.create_pool("alpha")
    project = Project(env, scratch / "project")
    project.write("flows.py", "import os\nopen(os.environ['BEGUN'], 'a').write('imported ')\n" + textwrap.dedent(FLOWS))
    project.write("deploy.py", "import flows\nflows.steady.deploy('d', 'alpha')\n")
    begun = scratch / "begun"
    done = project.python("deploy.py", BEGUN=str(scratch / "deploying"))
    assert done.returncode == 0, done.stderr
    worker = env.fake_worker("alpha")
    run_id = api.submit("steady/d", parameters='{"lines": 3}')
    (assignment,) = worker.take()
    settings = {
        **project.environment(), "FOREBAY_RUN_ID": run_id, "FOREBAY_LAUNCH_TICKET": assignment.launch_ticket, "BEGUN": str(begun),
    }  # fmt: skip
    engines = [
        subprocess.Popen([PYTHON, "-m", "forebay", "flow-run", "execute"], env=settings, cwd=project.directory, stderr=subprocess.PIPE)
        for _ in range(5)
    ]
    codes = sorted(engine.wait(timeout=60) for engine in engines)
    for engine in engines:
        engine.stderr.close()
    assert codes == [0, 75, 75, 75, 75]
    # One import and one start.
    assert begun.read_text().count("imported") == 1 and len(begun.read_text().splitlines()) == 1
