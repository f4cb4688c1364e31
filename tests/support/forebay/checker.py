"""Checks what must always be true (the invariants of the fault list) from the tables, the marks and /proc.

Written apart from the server: it reads what stands in the database and believes nothing that the API says.
"""

import collections
import contextlib
import pathlib
import re

import psycopg2

from . import protocol
from .marker import MarkerFile
from .process import is_alive
from .waiting import wait_until

UUID = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
RUN_OF_PROCESS = re.compile(rb"(?:^|\0)FOREBAY_RUN_ID=(" + UUID + rb")\0|forebay-(" + UUID + rb")-\d+")


class Checker:
    def __init__(self, database_url: str):
        self._url = database_url
        self._connect()
        self._ended: dict[str, tuple] = {}

    def _connect(self):
        self._connection = psycopg2.connect(self._url)
        self._connection.autocommit = True

    def close(self):
        self._connection.close()

    @contextlib.contextmanager
    def another(self):
        """A cursor of a session of its own, whose transactions the test begins and ends."""
        connection = psycopg2.connect(self._connection.dsn)
        connection.autocommit = True
        try:
            yield connection.cursor()
        finally:
            connection.close()

    def rows(self, sql: str, *parameters) -> list[tuple]:
        try:
            return self._read(sql, parameters)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            # The database was restarted.
            self._connection.close()
            self._connect()
            return self._read(sql, parameters)

    def _read(self, sql: str, parameters) -> list[tuple]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall()

    @contextlib.contextmanager
    def snapshot(self):
        """All reads inside see one moment."""
        self._execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        try:
            yield
        finally:
            self._execute("COMMIT")

    def _execute(self, sql: str):
        with self._connection.cursor() as cursor:
            cursor.execute(sql)

    def value(self, sql: str, *parameters):
        return self.rows(sql, *parameters)[0][0]

    def check(self, api=None, marks: MarkerFile | None = None, pool_limits=None, queue_limits=None):
        """All that can be checked at any moment."""
        if api is not None:
            self.check_nothing_lost([submitted.run_id for submitted in api.submitted])
            self.check_keys(api.submitted)
        self.check_attempts()
        self.check_ends_stand()
        self.check_logs()
        self.check_limits("pool_id", "work_pools", pool_limits or {})
        self.check_limits("queue_id", "work_queues", queue_limits or {})
        self.check_counters()
        self.check_waiting_places()
        self.check_fires()
        self.check_events()
        if marks is not None:
            self.check_starts(marks)

    def check_nothing_lost(self, run_ids):
        """I1: an accepted run stands in exactly one place: waiting, held or ended."""
        places = self.rows(
            """SELECT f.id::text, (w.run_id IS NOT NULL)::int + (h.run_id IS NOT NULL)::int + (f.state IS NOT NULL)::int
               FROM flow_runs f LEFT JOIN queued_runs w ON w.run_id = f.id LEFT JOIN held_attempts h ON h.run_id = f.id"""
        )
        known = dict(places)
        lost = [run_id for run_id in run_ids if run_id not in known]
        assert not lost, f"I1: {len(lost)} accepted runs are gone, e.g. {lost[0]}"
        astray = [place for place in places if place[1] != 1]
        assert not astray, f"I1: {len(astray)} runs stand in 0 or 2 places, e.g. {astray[0]}"
        strays = self.value(
            """SELECT count(*) FROM (SELECT run_id FROM queued_runs UNION ALL SELECT run_id FROM held_attempts) AS hot
               WHERE NOT EXISTS (SELECT FROM flow_runs f WHERE f.id = hot.run_id)"""
        )
        assert strays == 0, f"I1: {strays} hot rows without a run"

    def check_keys(self, submitted):
        """I7: one idempotency key, one run."""
        runs = collections.defaultdict(set)
        for submission in submitted:
            if submission.key:
                runs[submission.key].add(submission.run_id)
        double = {key: run_ids for key, run_ids in runs.items() if len(run_ids) > 1}
        assert not double, f"I7: {double}"

    def check_attempts(self):
        """I6, I3: attempts are numbered without gaps, epochs grow, no two of one run overlap, ends fit states."""
        by_run = collections.defaultdict(list)
        for row in self.rows(
            """SELECT run_id::text, number, epoch, granted_at, started_at, ended_at, outcome FROM attempts
               UNION ALL SELECT run_id::text, attempt, epoch, granted_at, started_at, NULL, NULL FROM held_attempts
               ORDER BY 1, 2"""
        ):
            by_run[row[0]].append(row[1:])
        for run_id, attempts in by_run.items():
            assert [a[0] for a in attempts] == list(range(1, len(attempts) + 1)), f"I6: {run_id}: {attempts}"
            for before, after in zip(attempts, attempts[1:]):
                assert before[1] < after[1], f"I6: epoch went back: {run_id}: {attempts}"
                assert before[4] is not None and before[4] <= after[2], f"I3: attempts overlap: {run_id}: {attempts}"
        for run_id, state, count in self.rows("SELECT id::text, state, attempts FROM flow_runs WHERE state IS NOT NULL"):
            attempts = by_run[run_id]
            assert count == len(attempts), f"I6: {run_id} says {count} attempts, has {attempts}"
            ends = {attempt[5] for attempt in attempts[:-1]}
            assert not ends & {"COMPLETED", "CANCELLED"}, f"I6: attempts after the end: {run_id}: {attempts}"
            if state in ("COMPLETED", "FAILED"):
                assert attempts and attempts[-1][5] == state, f"I6: {run_id} is {state}, its last attempt {attempts}"

    def check_ends_stand(self):
        """I6: what was once seen as ended stays as it was."""
        ended = {
            row[0]: row[1:]
            for row in self.rows(
                "SELECT id::text, state, state_reason, exit_code, attempts, ended_at FROM flow_runs WHERE state IS NOT NULL"
            )
        }
        changed = {run_id: (end, ended.get(run_id)) for run_id, end in self._ended.items() if ended.get(run_id) != end}
        assert not changed, f"I6: a terminal state changed: {changed}"
        self._ended = ended

    def check_logs(self):
        """I8: offsets of a run's log follow each other without a gap, and the run knows where its log ends."""
        expected: dict[str, int] = collections.defaultdict(int)
        entries = protocol.message("AttemptLogs")
        for run_id, first, count, body in self.rows(
            "SELECT run_id::text, first_offset, line_count, body FROM run_logs ORDER BY run_id, first_offset"
        ):
            assert first == expected[run_id], f"I8: log of {run_id} jumps from {expected[run_id]} to {first}"
            assert len(entries.FromString(bytes(body)).entries) == count, f"I8: {run_id} at {first}: count is wrong"
            expected[run_id] += count
        for run_id, end in self.rows("SELECT id::text, log_end FROM flow_runs WHERE log_end IS NOT NULL"):
            assert end == expected[run_id], f"I8: {run_id} says its log ends at {end}, it ends at {expected[run_id]}"

    def check_limits(self, column: str, table: str, most: dict[str, int]):
        """I4: at no moment were more attempts held than allowed. `most`: name -> highest limit that ever stood."""
        for name, limit in most.items():
            highest = self.value(
                f"""WITH held AS (
                      SELECT a.granted_at, a.ended_at FROM attempts a JOIN flow_runs f ON f.id = a.run_id
                      WHERE f.{column} IN (SELECT id FROM {table} WHERE name = %s)
                      UNION ALL
                      SELECT granted_at, NULL FROM held_attempts WHERE {column} IN (SELECT id FROM {table} WHERE name = %s)
                    ), steps AS (
                      SELECT granted_at AS at, 1 AS step FROM held UNION ALL
                      SELECT ended_at, -1 FROM held WHERE ended_at IS NOT NULL
                    )
                    SELECT coalesce(max(level), 0)
                    FROM (SELECT sum(step) OVER (ORDER BY at, step) AS level FROM steps) AS levels""",
                name,
                name,
            )
            assert highest <= limit, f"I4: {name}: {highest} attempts held at once, limit {limit}"

    def check_waiting_places(self):
        """A waiting run of a limited, paused or quarantined deployment stands in no queue's order."""
        wrong = self.rows(
            """SELECT w.run_id::text, w.gated, w.paused, w.blocked FROM queued_runs w JOIN deployments d ON d.id = w.deployment_id
               WHERE (w.gated OR w.paused) AND NOT w.blocked"""
        )
        assert not wrong, f"waiting runs in the wrong place: {wrong}"

    def check_fires(self):
        """F19: one run for each schedule and time."""
        double = self.rows(
            """SELECT schedule_id::text, due_at, count(*) FROM flow_runs WHERE schedule_id IS NOT NULL
               GROUP BY schedule_id, due_at HAVING count(*) > 1"""
        )
        assert not double, f"F19: a schedule fired twice: {double}"

    def check_events(self):
        """I6: the events of a run tell its life, step by step, as the tables have it."""
        with self.snapshot():
            told = collections.defaultdict(list)
            for run_id, attempt, state, reason in self.rows(
                """SELECT s.run_id::text, s.attempt, s.state, s.reason
                   FROM run_events e, unnest(e.run_id, e.attempt, e.state, e.reason)
                        WITH ORDINALITY AS s (run_id, attempt, state, reason, position)
                   ORDER BY e.xid, e.seq, s.position"""
            ):
                asked = state == "CANCELLING" or (state == "RUNNING" and reason) or reason in ("PAUSED", "RESUMED")
                if not asked:
                    told[run_id].append((state, attempt))
            lived = collections.defaultdict(list)
            for run_id, number, started, outcome in self.rows(
                """SELECT run_id::text, number, started_at IS NOT NULL, outcome FROM attempts
                   UNION ALL SELECT run_id::text, attempt, started_at IS NOT NULL, NULL FROM held_attempts ORDER BY 1, 2"""
            ):
                lived[run_id].append((number, started, outcome))
            ends = dict(self.rows("SELECT id::text, state FROM flow_runs"))
        for run_id, end in ends.items():
            steps = [("SCHEDULED", 0)]
            for number, started, outcome in lived[run_id]:
                steps += [("PENDING", number)] + [("RUNNING", number)] * started
                if outcome is not None:
                    steps.append(("PAUSED" if outcome == "SUSPENDED" else "SCHEDULED", number))
            if end is not None:
                steps = steps[:-1] if lived[run_id] else steps
                steps.append((end, len(lived[run_id])))
                # Ended while it waited for another attempt.
                if told[run_id][:-1] == steps[:-1] + told[run_id][-2:-1]:
                    steps.insert(-1, told[run_id][-2])
            assert told[run_id] == steps, f"I6: events of {run_id}: {told[run_id]}, lived {steps}"

    def check_counters(self):
        """I4: slots in use are the attempts held."""
        wrong = self.rows(
            """SELECT kind, id::text, in_use, held FROM (
                 SELECT c.kind, c.id, c.in_use, (SELECT count(*) FROM held_attempts h WHERE NOT h.alone AND (
                   (c.kind = 'pool' AND h.pool_id = c.id) OR (c.kind = 'queue' AND h.queue_id = c.id)
                   OR (c.kind = 'deployment' AND h.deployment_id = c.id)
                   OR (c.kind = 'named' AND c.id = ANY (h.limits)))) AS held
                 FROM slot_counters c) AS counted
               WHERE in_use <> held"""
        )
        assert not wrong, f"I4: slot counters differ from what is held: {wrong}"

    def check_starts(self, marks: MarkerFile):
        """I2, I3 by the marks: one start per (run, attempt), under an attempt that was let through the gate; the next
        attempt starts only after the end of the one before, or after its process is gone."""
        starts = collections.defaultdict(list)
        ends = {}
        for mark in marks.marks():
            key = (mark.run_id, mark.attempt)
            if mark.what == "start":
                starts[key].append(mark)
            elif mark.what == "end":
                ends[key] = mark
        twice = {key: marks for key, marks in starts.items() if len(marks) > 1}
        assert not twice, f"I2: started twice: {twice}"
        passed = {
            (run_id, attempt)
            for run_id, attempt in self.rows(
                """SELECT run_id::text, number FROM attempts WHERE started_at IS NOT NULL
                   UNION ALL SELECT run_id::text, attempt FROM held_attempts WHERE phase = 3"""
            )
        }
        unasked = [key for key in starts if key not in passed]
        assert not unasked, f"I2: user code began without the start gate: {unasked}"
        for (run_id, attempt), (start,) in starts.items():
            for number in range(1, attempt):
                before = starts.get((run_id, number))
                if before is None:
                    continue
                end = ends.get((run_id, number))
                if end is not None:
                    assert end.nanoseconds <= start.nanoseconds, f"I3: {run_id}: attempt {number} overlaps {attempt}"
                else:
                    gone = not is_alive(before[0].pid, before[0].process_start)
                    assert gone, f"I3: {run_id}: attempt {number} still runs beside {attempt}"

    def check_no_leaks(self, run_ids):
        """I5: once runs have ended, nothing of them is left: no process with their id in its environment."""

        def left():
            return [found for found in processes_of_runs() if found[1] in set(run_ids)]

        wait_until(lambda: not left(), what=f"I5: processes left: {left()}")

    def check_order(self, queue: str, slack: int = 0):
        """I11: within a queue grants follow the due time; at most `slack` runs are granted before an older one."""
        rows = self.rows(
            """SELECT f.id::text, f.due_at, a.granted_at FROM attempts a JOIN flow_runs f ON f.id = a.run_id
               JOIN work_queues q ON q.id = f.queue_id WHERE q.name = %s AND a.number = 1
               ORDER BY a.granted_at, f.due_at, f.id""",
            queue,
        )
        ranked = {run_id: rank for rank, run_id in enumerate(row[0] for row in sorted(rows, key=lambda r: (r[1], r[0])))}
        for position, row in enumerate(rows):
            early = ranked[row[0]] - position
            assert early <= slack, f"I11: run {row[0]} was granted {early} places too early"


def processes_of_runs() -> list[tuple[int, str]]:
    """(pid, run id) of every process whose environment names a run, or whose arguments name its infrastructure."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "environ").read_bytes() + b"\0" + (folder / "cmdline").read_bytes()
        except OSError:
            continue
        pid = int(folder.name)
        if (match := RUN_OF_PROCESS.search(text)) and is_alive(pid):
            found.append((pid, (match.group(1) or match.group(2)).decode()))
    return found
