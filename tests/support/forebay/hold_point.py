"""Stops the server inside one of its transactions, so that a fault can strike exactly there."""

import contextlib

import psycopg2

from .waiting import wait_until

LOCK = 7_070_001
# Where: (table, trigger time and event, condition).
POINTS = {
    "grant": ("held_attempts", "BEFORE INSERT", "true"),
    "intent": ("held_attempts", "BEFORE UPDATE", "NEW.phase >= 1 AND OLD.phase < 1"),
    "bind": ("held_attempts", "BEFORE UPDATE", "NEW.phase >= 2 AND OLD.phase < 2"),
    "gate": ("held_attempts", "BEFORE UPDATE", "NEW.phase = 3 AND OLD.phase < 3"),
    "end": ("held_attempts", "BEFORE DELETE", "true"),
    "accept": ("flow_runs", "BEFORE INSERT", "true"),
}


class HoldPoint:
    """While held, every transaction of the server that reaches the point waits in the database."""

    def __init__(self, database_url: str, point: str):
        self._table, self._event, self._condition = POINTS[point]
        self._connection = psycopg2.connect(database_url)
        self._connection.autocommit = True

    def __enter__(self):
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
            cursor.execute(
                f"""CREATE OR REPLACE FUNCTION hold_point() RETURNS trigger LANGUAGE plpgsql AS
                    'BEGIN PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN coalesce(NEW, OLD); END'"""
            )
            cursor.execute(
                f"""CREATE TRIGGER hold_point {self._event} ON {self._table} FOR EACH ROW
                    WHEN ({self._condition}) EXECUTE FUNCTION hold_point()"""
            )
        return self

    def wait_until_reached(self):
        def waiting():
            with self._connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted", (LOCK,)
                )
                return cursor.fetchone()[0]

        wait_until(waiting, what="a transaction at the hold point")

    def release(self):
        """Lets every waiting transaction go on; later ones pass."""
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))
            with contextlib.suppress(psycopg2.errors.UndefinedObject):
                cursor.execute(f"DROP TRIGGER IF EXISTS hold_point ON {self._table}")

    def __exit__(self, *_):
        self.release()
        self._connection.close()
