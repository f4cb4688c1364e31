"""Tasks: calls, futures, maps, retries."""

import asyncio
import contextlib
import io
import threading
import time
import unittest

from forebay import flow, task, unmapped, wait
from forebay.errors import TimedOut


@task
def add(a, b):
    return a + b


@task
def fails():
    raise ValueError("no")


def in_flow(body):
    with contextlib.redirect_stderr(io.StringIO()):
        return flow(body)()


class Tasks(unittest.TestCase):
    def test_a_call_and_a_future(self):
        self.assertEqual(in_flow(lambda: add(1, 2)), 3)
        self.assertEqual(in_flow(lambda: add.submit(add.submit(1, 2), add.submit(3, 4)).result()), 10)
        self.assertEqual(in_flow(lambda: add.submit([add.submit(1, 2)], [4]).result()), [3, 4])

    def test_maps(self):
        self.assertEqual(in_flow(lambda: [f.result() for f in add.map([1, 2, 3], [4, 5, 6])]), [5, 7, 9])
        self.assertEqual(in_flow(lambda: [f.result() for f in add.map([[1], [2]], unmapped([9]))]), [[1, 9], [2, 9]])
        self.assertEqual(in_flow(lambda: [f.result() for f in add.map([1, 2], b=10)]), [11, 12])
        with self.assertRaisesRegex(ValueError, "lengths"):
            in_flow(lambda: add.map([1], [2, 3]))

    def test_what_depends_on_a_failure_fails_alike(self):
        def body():
            first = fails.submit()
            second = add.submit(first, 1)
            third = add.submit(1, 1, wait_for=[first])
            wait([second, third])
            return second.state, third.state

        for state in in_flow(body):
            self.assertEqual(state.message, "ValueError: no")
            with self.assertRaises(ValueError):
                state.result()

    def test_retries(self):
        tries = []

        @task(retries=2, retry_delay_seconds=0.01)
        def second():
            tries.append(1)
            if len(tries) < 2:
                raise RuntimeError

        in_flow(second)
        self.assertEqual(len(tries), 2)

    def test_time_limits_on_the_main_thread_and_on_others(self):
        @task(timeout_seconds=0.1)
        def slow():
            end = time.monotonic() + 20
            while time.monotonic() < end:
                time.sleep(0.01)

        for body in (slow, lambda: slow.submit().result()):
            with self.assertRaises(TimedOut):
                in_flow(body)

    def test_many_at_once(self):
        gate = threading.Barrier(8, timeout=20)

        @task
        def meet(n):
            gate.wait()
            return n

        self.assertEqual(in_flow(lambda: [f.result() for f in meet.map(range(8))]), list(range(8)))

    def test_async_tasks(self):
        @task
        async def double(n):
            await asyncio.sleep(0)
            return 2 * n

        @flow
        async def all_of_them():
            return await asyncio.gather(*(double(n) for n in range(3)))

        self.assertEqual(asyncio.run(all_of_them()), [0, 2, 4])
        self.assertEqual(in_flow(lambda: double.submit(4).result()), 8)


if __name__ == "__main__":
    unittest.main()
