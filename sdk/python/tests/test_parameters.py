"""Schemas from signatures, and typed values from JSON."""

import dataclasses
import datetime
import decimal
import enum
import json
import pathlib
import unittest
import uuid
from typing import Any, Dict, List, Literal, Optional, Set, Tuple, Union

from forebay.errors import ForebayError, ParameterError
from forebay.parameters import docstrings, schema, values


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Point:
    x: int
    y: float = 0.5


CASES = [
    # hint, JSON value, Python value
    (str, "a", "a"),
    (int, 3, 3),
    (float, 3, 3.0),
    (bool, True, True),
    (Optional[int], None, None),
    (Optional[datetime.date], "2026-02-28", datetime.date(2026, 2, 28)),
    (Union[int, str], "1", "1"),
    (datetime.datetime, "2026-02-28T10:00:00Z", datetime.datetime(2026, 2, 28, 10, tzinfo=datetime.timezone.utc)),
    (datetime.time, "10:30:00", datetime.time(10, 30)),
    (datetime.timedelta, 90, datetime.timedelta(seconds=90)),
    (uuid.UUID, "0190a6b0-0000-7000-8000-000000000001", uuid.UUID("0190a6b0-0000-7000-8000-000000000001")),
    (pathlib.Path, "/a/b", pathlib.Path("/a/b")),
    (decimal.Decimal, "1.10", decimal.Decimal("1.10")),
    (bytes, "aGk=", b"hi"),
    (Colour, "blue", Colour.BLUE),
    (Literal["a", 1], 1, 1),
    (Point, {"x": 1}, Point(1, 0.5)),
    (List[Point], [{"x": 1, "y": 2}], [Point(1, 2.0)]),
    (Dict[str, datetime.date], {"k": "2026-01-01"}, {"k": datetime.date(2026, 1, 1)}),
    (Set[int], [1, 2, 2], {1, 2}),
    (Tuple[int, str], [1, "a"], (1, "a")),
    (Tuple[int, ...], [1, 2, 3], (1, 2, 3)),
    (Any, {"free": [1]}, {"free": [1]}),
]
WRONG = [
    (int, "1", "p", "an integer"),
    (int, True, "p", "an integer"),
    (int, 1.5, "p", "an integer"),
    (str, 1, "p", "text"),
    (List[int], [1, "x"], "p[1]", "an integer"),
    (Dict[str, int], {"k": "x"}, "p.k", "an integer"),
    (Colour, "green", "p", "one of 'red', 'blue'"),
    (Literal["a"], "b", "p", "one of 'a'"),
    (datetime.date, "tomorrow", "p", "a date like"),
    (Point, {"z": 1}, "p.z", "one of x, y"),
    (Point, {"x": "1"}, "p.x", "an integer"),
    (Tuple[int, int], [1], "p", "a list of 2"),
    (Optional[int], "x", "p", "int or null"),
    (uuid.UUID, "x", "p", "a UUID"),
]


class Values(unittest.TestCase):
    def test_conversions(self):
        for hint, given, wanted in CASES:
            with self.subTest(hint=hint):
                converted = values.convert(given, hint, "p")
                self.assertEqual(converted, wanted)
                self.assertIs(type(converted), type(wanted))
                # What is typed already stays, and goes back to the JSON it came from.
                self.assertEqual(values.convert(converted, hint, "p"), wanted)
                json.dumps(schema.to_json(converted, "p")) if hint is not bytes else None

    def test_refusals_name_place_and_wish(self):
        for hint, given, place, wanted in WRONG:
            with self.subTest(hint=hint), self.assertRaises(ParameterError) as refused:
                values.convert(given, hint, "p")
            self.assertEqual(refused.exception.parameter, place)
            self.assertIn(wanted, refused.exception.wanted)


class Schemas(unittest.TestCase):
    def test_a_signature(self):
        def fn(
            name: str, when: Optional[datetime.date] = None, *, colour: Colour = Colour.RED, points: List[Point] = []
        ):  # noqa: B006
            """Does.

            Args:
                name: whom
                    it is for
                colour (Colour): how
            """

        made = schema.of(fn)
        self.assertEqual(made["required"], ["name"])
        self.assertIs(made["additionalProperties"], False)
        properties = made["properties"]
        self.assertEqual(properties["name"], {"title": "name", "type": "string", "description": "whom it is for"})
        self.assertEqual(properties["colour"]["default"], "red")
        self.assertEqual(properties["points"]["items"]["required"], ["x"])
        json.dumps(made)

    def test_keywords_leave_it_open_and_positions_are_refused(self):
        def open_ended(a, **more):
            pass

        def by_position(*many):
            pass

        self.assertNotIn("additionalProperties", schema.of(open_ended))
        with self.assertRaisesRegex(ForebayError, "only be given by position"):
            schema.of(by_position)

    def test_a_default_that_is_no_json(self):
        def fn(a=object()):  # noqa: B008
            pass

        with self.assertRaisesRegex(ForebayError, "`a` cannot be written as JSON"):
            schema.of(fn)

    def test_docstring_styles(self):
        def sphinx():
            """Does.

            :param int a: the first
               and more
            :param b: the second
            """

        def numpy():
            """Does.

            Parameters
            ----------
            a : int
                the first
                and more
            b
                the second

            Returns
            -------
            c
                no parameter
            """

        def google():
            """Does.

            Args:
                a (int): the first
                    and more
                b: the second

            Returns:
                c: no parameter
            """

        for fn in (sphinx, numpy, google):
            self.assertEqual(docstrings.parameters(fn), {"a": "the first and more", "b": "the second"}, fn.__name__)


if __name__ == "__main__":
    unittest.main()
