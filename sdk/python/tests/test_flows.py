"""Flows that are called: results, retries, time limits, hooks, prints, runtime."""

import asyncio
import contextlib
import io
import time
import unittest

from forebay import Flow, flow, get_run_logger, runtime
from forebay.errors import ForebayError, TimedOut


def quiet():
    """What a run writes on standard error, kept."""
    return contextlib.redirect_stderr(io.StringIO())


class Calling(unittest.TestCase):
    def test_the_result_and_the_name(self):
        @flow
        def add_up(a: int, b: int = 2) -> int:
            """Adds."""
            return a + b

        self.assertEqual(add_up(1), 3)
        self.assertEqual((add_up.name, add_up.description), ("add-up", "Adds."))
        self.assertIsInstance(add_up, Flow)

    def test_an_exception_passes_and_a_state_holds_it(self):
        @flow
        def broken():
            raise ValueError("no")

        with quiet(), self.assertRaisesRegex(ValueError, "no"):
            broken()
        with quiet():
            state = broken(return_state=True)
        self.assertTrue(state.is_failed())
        self.assertEqual(state.message, "ValueError: no")
        self.assertIsInstance(state.result(raise_on_failure=False), ValueError)

    def test_retries_with_their_delays(self):
        times = []

        @flow(retries=2, retry_delay_seconds=[0.01, 0.05])
        def third():
            times.append((time.monotonic(), runtime.flow_run.attempt))
            if len(times) < 3:
                raise RuntimeError("not yet")
            return "done"

        with quiet():
            self.assertEqual(third(), "done")
        self.assertEqual([attempt for _, attempt in times], [1, 2, 3])
        self.assertGreaterEqual(times[2][0] - times[1][0], 0.05)

    def test_a_time_limit(self):
        @flow(timeout_seconds=0.1)
        def slow():
            time.sleep(30)

        with quiet(), self.assertRaisesRegex(TimedOut, "flow slow ran longer"):
            slow()

    def test_async(self):
        @flow
        async def inner(n):
            await asyncio.sleep(0)
            return n * 2

        @flow(timeout_seconds=5)
        async def outer(n):
            return await inner(n) + 1

        self.assertEqual(asyncio.run(outer(4)), 9)

    def test_an_async_time_limit(self):
        @flow(timeout_seconds=0.05)
        async def slow():
            await asyncio.sleep(30)

        with quiet(), self.assertRaises(TimedOut):
            asyncio.run(slow())

    def test_hooks(self):
        seen = []

        def hook(which):
            return lambda flow, run, state: seen.append((which, flow.name, state.type))

        def bad_hook(*_):
            raise RuntimeError("hooks do not decide")

        @flow(on_completion=[bad_hook, hook("c")], on_failure=[hook("f")])
        def either(fails: bool):
            if fails:
                raise ValueError

        with quiet():
            either(False)
            either(True, return_state=True)
        self.assertEqual(seen, [("c", "either", "COMPLETED"), ("f", "either", "FAILED")])

    def test_nested_flows_know_their_parent(self):
        @flow
        def child():
            return runtime.flow_run.parent_flow_run_id, runtime.flow_run.id

        @flow(flow_run_name="for-{who}")
        def parent(who):
            return child(), runtime.flow_run.id, runtime.flow_run.name

        (above, own), parents, name = parent("ada")
        self.assertEqual(above, parents)
        self.assertNotEqual(own, parents)
        self.assertEqual(name, "for-ada")

    def test_prints_and_logs_go_to_the_log(self):
        @flow(log_prints=True)
        def talks():
            print("printed", 1, sep="-")
            get_run_logger().warning("logged")

        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            talks()
            print("outside")
        self.assertIn("printed-1", err.getvalue())
        self.assertIn("logged", err.getvalue())
        self.assertEqual(out.getvalue(), "outside\n")

    def test_outside_of_a_run(self):
        self.assertIsNone(runtime.flow_run.id)
        self.assertEqual(runtime.flow_run.tags, [])
        with self.assertRaises(AttributeError):
            runtime.flow_run.colour
        with self.assertRaises(RuntimeError):
            get_run_logger()

    def test_options(self):
        @flow
        def base():
            return 1

        named = base.with_options(name="Other_Name", retries=3)
        self.assertEqual((named.name, named.retries, base.name), ("other-name", 3, "base"))
        for wrong in (
            {"retries": -1},
            {"timeout_seconds": 0},
            {"retry_delay_seconds": -1},
            {"retry_delay_seconds": "x"},
        ):
            with self.assertRaises(ValueError):
                flow(**wrong)(lambda: None)
        with self.assertRaises(TypeError):
            flow(3)

    def test_entrypoints_of_lambdas_and_nested_functions_are_refused(self):
        def nested():
            pass

        for fn in (nested, lambda: None):
            with self.assertRaisesRegex(ForebayError, "top of a file"):
                flow(fn).entrypoint()


if __name__ == "__main__":
    unittest.main()
