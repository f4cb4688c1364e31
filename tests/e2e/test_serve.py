"""`flow.serve()`: a process that runs the runs of its flows, killed, stopped, cancelled and started again."""

import pathlib
import signal
import textwrap

import pytest
from forebay import protocol
from forebay.process import ChildProcess
from forebay.waiting import wait_until

SDK = protocol.ROOT / "sdk" / "python" / "src"
FLOWS = """
    import pathlib
    import sys
    import time

    from forebay import Cron, flow, serve

    @flow(log_prints=True)
    def steps(count: int = 1, pause: float = 0.0):
        for n in range(count):
            print(f"step {n}")
            time.sleep(pause)

    @flow
    def other():
        print("other")

    if __name__ == "__main__":
        if "two" in sys.argv:
            serve(steps.to_deployment("a"), other.to_deployment("b"))
        elif "scheduled" in sys.argv:
            steps.serve("here", interval=1, tags=["testing"], description="by itself", version="v1")
        elif "paused" in sys.argv:
            steps.serve("here", schedules=[Cron("* * * * *", paused=True)])
        else:
            steps.serve("here", limit=2)
"""


class Served(ChildProcess):
    """`python flows.py` in a directory of its own."""

    def __init__(self, env, directory: pathlib.Path, *words: str, name: str = "served", **environment: str):
        directory.mkdir(exist_ok=True)
        (directory / "flows.py").write_text(textwrap.dedent(FLOWS))
        settings = {
            "FOREBAY_API_URL": env.server.http_url, "FOREBAY_API_KEY": env.admin_key, "HOME": str(directory),
            "PYTHONPATH": str(SDK), "PYTHONDONTWRITEBYTECODE": "1", **environment,
        }  # fmt: skip
        super().__init__(name, ["/usr/bin/python3", "flows.py", *words], directory, **settings)

    def start(self) -> "Served":
        self.spawn()
        wait_until(lambda: "Serving" in self.tail() or not self.running, what="it serves")
        assert self.running, self.tail()
        return self


@pytest.fixture
def served(env, api, scratch):
    made = []

    def make(*words: str, **environment: str) -> Served:
        made.append(Served(env, scratch / "project", *words, name=f"served{len(made)}", **environment))
        return made[-1].start()

    yield make
    for process in made:
        process.close()


def test_it_runs_what_is_submitted_and_ends_with_ctrl_c(env, api, served):
    process = served()
    assert "forebay deployment run 'steps/here' --watch" in process.tail()
    run_id = api.submit("steps/here", parameters='{"count": 3}')
    assert api.wait_for_end(run_id).state.name == "Completed"
    assert api.output(run_id) == ["step 0", "step 1", "step 2"]
    process.signal(signal.SIGINT)
    assert process.wait() == 0
    # Nobody listens any more: the run waits, and says so.
    waiting = api.submit("steps/here")
    assert api.run(waiting).state.name == "Scheduled"
    served()
    assert api.wait_for_end(waiting).state.name == "Completed"


def test_several_deployments_of_one_process(env, api, served):
    served("two")
    runs = [api.submit(name) for name in ("steps/a", "other/b", "steps/a")]
    assert [api.wait_for_end(run_id).state.name for run_id in runs] == ["Completed"] * 3


def test_schedules_run_by_themselves_and_are_paused_at_the_end(env, api, served):
    process = served("scheduled")
    (deployment,) = api.DeploymentService.ListDeployments().deployments
    assert (list(deployment.tags), deployment.description, deployment.version) == (["testing"], "by itself", "v1")

    def completed() -> int:
        return env.checker.value("SELECT count(*) FROM flow_runs WHERE state = 'COMPLETED'")

    wait_until(lambda: completed() >= 2, what="it has run twice by itself")
    process.signal(signal.SIGTERM)
    assert process.wait() == 0 and "Paused the schedules" in process.tail()
    (schedule,) = api.ScheduleService.ListSchedules().schedules
    assert schedule.paused
    served("scheduled")
    (schedule,) = api.ScheduleService.ListSchedules().schedules
    assert not schedule.paused


def test_a_schedule_that_begins_paused_stays_so(env, api, served):
    served("paused")
    (schedule,) = api.ScheduleService.ListSchedules().schedules
    assert schedule.paused and not schedule.next_fires


def test_a_cancel_reaches_the_run(env, api, served):
    served()
    run_id = api.submit("steps/here", parameters='{"count": 600, "pause": 1}')
    wait_until(lambda: "step 0" in api.output(run_id), what="it is at work")
    api.cancel(run_id)
    assert api.wait_for_end(run_id).state.name == "Cancelled"


def test_ctrl_c_finishes_what_runs_and_a_second_one_cancels_it(env, api, served):
    process = served()
    short = api.submit("steps/here", parameters='{"count": 20, "pause": 0.1}')
    wait_until(lambda: "step 0" in api.output(short), what="it is at work")
    process.signal(signal.SIGINT)
    assert process.wait() == 0 and "Finishing 1 run" in process.tail()
    assert api.run(short).state.name == "Completed"
    process = served()
    long = api.submit("steps/here", parameters='{"count": 600, "pause": 1}')
    wait_until(lambda: "step 0" in api.output(long), what="it is at work")
    process.signal(signal.SIGINT)
    wait_until(lambda: "Finishing 1 run" in process.tail(), what="it ends")
    process.signal(signal.SIGINT)
    assert process.wait() == 0
    assert api.wait_for_end(long).state.name == "Cancelled"


def test_killed_it_neither_doubles_nor_strands_a_run(env, api, served):
    process = served()
    run_id = api.submit("steps/here", parameters='{"count": 30, "pause": 0.1}')
    wait_until(lambda: "step 0" in api.output(run_id), what="it is at work")
    process.kill()
    again = served()
    # The run goes on by itself; its word counts although nobody saw its process end.
    other = api.submit("steps/here")
    assert api.wait_for_end(other).state.name == "Completed"
    run = api.wait_for_end(run_id, deadline=150)
    assert run.state.name == "Completed" and len(api.run(run_id, full=True).attempts) == 1
    assert api.output(run_id) == [f"step {n}" for n in range(30)]
    assert again.running


def test_a_restarted_server_does_not_disturb_it(env, api, served):
    served()
    run_id = api.submit("steps/here", parameters='{"count": 30, "pause": 0.1}')
    wait_until(lambda: "step 0" in api.output(run_id), what="it is at work")
    env.restart_server("kill")
    assert api.wait_for_end(run_id).state.name == "Completed"
    assert api.output(run_id) == [f"step {n}" for n in range(30)]
    assert api.wait_for_end(api.submit("steps/here")).state.name == "Completed"


def test_a_key_that_may_not_is_told_so(env, api, scratch):
    viewer = api.TokenService.CreateUserKey(description="v", role="viewer").secret
    process = Served(env, scratch / "project", FOREBAY_API_KEY=viewer)
    process.spawn()
    assert process.wait() == 1 and "operator" in process.tail().lower()
    process.close()
