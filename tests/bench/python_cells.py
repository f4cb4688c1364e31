"""Cells about Python flows: what the package costs a program, an empty flow a run, and how fast a flow may talk."""

import json
import pathlib
import statistics
import subprocess
import textwrap
import time

from cells import Bench, Lost
from forebay.daemons import Worker
from forebay.process import ROOT

SDK = ROOT / "sdk" / "python" / "src"
PYTHON = "/usr/bin/python3"
FLOWS = """
    from forebay import flow

    @flow
    def empty():
        pass

    @flow(log_prints=True)
    def talkative(lines: int):
        for number in range(lines):
            print(f"line {number} of a flow that has something to tell about each of its rows")
"""
ENVIRONMENT = {"PYTHONPATH": str(SDK), "PATH": "/usr/bin:/bin"}


class PythonCells:
    def __init__(self, bench: Bench):
        self._bench = bench
        self._api = bench.api
        (bench.folder / "bench_flows.py").write_text(textwrap.dedent(FLOWS))

    def importing(self, times: int) -> dict[str, float]:
        """`from forebay import flow` beside an interpreter that does nothing, in turns, by compiled files as a user has."""
        bare, loaded = [], []
        for turn in range(times + 1):
            bare.append(self._python("pass"))
            loaded.append(self._python("from forebay import flow"))
            if turn == 0:
                # The first one compiles.
                bare.clear(), loaded.clear()
        return {"import_ms": statistics.median(loaded) - statistics.median(bare), "interpreter_ms": statistics.median(bare)}

    def _python(self, script: str) -> float:
        began = time.perf_counter()
        subprocess.run([PYTHON, "-c", script], env=ENVIRONMENT, check=True)
        return 1000 * (time.perf_counter() - began)

    def empty_flow(self, runs: int) -> dict[str, float]:
        """From the grant to the end: an empty flow beside a Python command that does nothing, in turns."""
        pool, worker = self._worker("empty")
        self._api.deploy("bench/bare", pool, [PYTHON, "-c", "pass"])
        bare, flow = [], []
        for _ in range(runs):
            bare.append(self._spent(self._api.submit("bench/bare")))
            flow.append(self._spent(self._api.submit("bench/flow")))
        worker.terminate()
        return {"overhead_p50_ms": statistics.median(flow) - statistics.median(bare), "bare_p50_ms": statistics.median(bare)}

    def log(self, lines: int) -> dict[str, float]:
        """Lines a second of one flow, from its first to the end of the attempt; each has to be there, once and in order."""
        _, worker = self._worker("talkative")
        run_id = self._api.submit("bench/flow", parameters=json.dumps({"lines": lines}))
        spent = self._spent(run_id, deadline=300)
        told = self._api.output(run_id)
        wanted = [f"line {number} of a flow that has something to tell about each of its rows" for number in range(lines)]
        if told != wanted:
            raise Lost(f"of {lines} lines {len(told)} arrived")
        worker.terminate()
        return {"lines_rate": lines / (spent / 1000)}

    def _worker(self, flow: str) -> tuple[str, Worker]:
        pool, _ = self._bench.new_pool()
        variables = json.dumps({"working_dir": str(self._bench.folder), "env": ENVIRONMENT})
        command = [PYTHON, "-m", "forebay", "flow-run", "execute"]
        self._api.deploy("bench/flow", pool, command, entrypoint=f"bench_flows.py:{flow}", job_variables=variables)
        folder, server = self._bench.folder, self._bench.server
        return pool, Worker(folder, server.address, pool, self._bench.worker_key(pool), arguments=("--log-level", "info")).start()

    def _spent(self, run_id: str, deadline: float = 60) -> float:
        """Milliseconds from the grant to the end, by the database's clock."""
        run = self._api.wait_for_end(run_id, deadline=deadline)
        if run.state.name != "Completed":
            raise Lost(f"{run_id} is {run.state.name}: {run.state.message}\n" + "\n".join(self._api.output(run_id)[-20:]))
        return 1000 * float(
            self._bench.checker.value("SELECT extract(epoch FROM ended_at - granted_at) FROM attempts WHERE run_id = %s", run_id)
        )
