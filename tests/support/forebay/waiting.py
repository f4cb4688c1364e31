"""Waiting for a condition instead of for a time."""

import time

# Long enough for a loaded machine and for sanitizer builds; a test that needs it is about to fail.
PATIENCE = 60.0


def wait_until(condition, deadline: float = PATIENCE, what: str = "", pause: float = 0.02):
    """Calls `condition` until it answers something true and returns that; AssertionError after `deadline` seconds."""
    end = time.monotonic() + deadline
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= end:
            raise AssertionError(f"not within {deadline} s: {what or condition}")
        time.sleep(pause)
