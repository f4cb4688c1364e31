"""Lines of many runs at once, through a worker and a server into the database."""

from cells import Bench, Lost
from forebay import protocol
from forebay.daemons import Worker

TEXT = "line %06.0f of a run that has something to tell about each of its rows"


class LogCells:
    def __init__(self, bench: Bench):
        self._bench = bench

    def many(self, runs: int, lines: int) -> dict[str, float]:
        """`runs` at once; from the first grant to the last end, by the database's clock. A run ends when its log is stored."""
        bench = self._bench
        pool, _ = bench.new_pool()
        bench.api.deploy("bench/lines", pool, ["/usr/bin/seq", "-f", TEXT, "1", str(lines)])
        run_ids = bench.api.submit_many("bench/lines", runs)
        key = bench.worker_key(pool)
        worker = Worker(bench.folder, bench.server.address, pool, key, f"{pool}-lines", runs, ("--log-level", "info")).start()
        try:
            for run_id in run_ids:
                bench.api.wait_for_state(run_id, "COMPLETED", deadline=120)
        finally:
            worker.terminate()
        spent = bench.checker.value(
            """SELECT extract(epoch FROM max(a.ended_at) - min(a.granted_at)) FROM attempts a JOIN flow_runs f ON f.id = a.run_id
               JOIN work_pools p ON p.id = f.pool_id WHERE p.name = %s""",
            pool,
        )
        wanted = [TEXT % number for number in range(1, lines + 1)]
        for run_id in run_ids:
            self._check(run_id, wanted)
        return {"many_rate": runs * lines / float(spent)}

    def _check(self, run_id: str, wanted: list[str]):
        """As they are stored: each line once and in order."""
        chunks = self._bench.checker.rows("SELECT body FROM run_logs WHERE run_id = %s ORDER BY first_offset", run_id)
        logs = [protocol.message("AttemptLogs").FromString(bytes(body)) for (body,) in chunks]
        stdout = protocol.enum("LogStream")["STDOUT"]
        told = [entry.text for log in logs for entry in log.entries if entry.stream == stdout]
        if told != wanted:
            raise Lost(f"{run_id} wrote {len(wanted)} lines, {len(told)} arrived")
