"""Typed values from JSON, by the type hints of a function. What has the right type already stays as it is."""

from __future__ import annotations

import base64
import collections.abc
import dataclasses
import datetime
import decimal
import enum
import inspect
import pathlib
import typing
import uuid
from typing import Any, Callable, Dict, Literal

from ..errors import ParameterError
from .schema import _DICTS, _SETS, UNIONS, hints_of


def convert_all(fn: Callable[..., Any], parameters: Dict[str, Any]) -> Dict[str, Any]:
    """ParameterError naming the parameter, what it wants and what it got."""
    hints = hints_of(fn)
    kinds = inspect.signature(fn).parameters
    plain = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return {
        name: value if name not in hints or kinds[name].kind in plain else convert(value, hints[name], name)
        for name, value in parameters.items()
    }


def convert(value: Any, hint: Any, place: str) -> Any:
    """`value` as `hint` has it; `place` names it in errors: `a`, `a.b`, `a[0]`."""
    if hint is Any or isinstance(hint, (typing.TypeVar, str)):
        return value
    if hint is None or hint is type(None):
        if value is None:
            return None
        raise _refused(place, "null", value)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hasattr(hint, "__metadata__"):
        return convert(value, arguments[0], place)
    if origin is not None:
        return _convert_generic(value, origin, arguments, place)
    return _convert_class(value, hint, place) if isinstance(hint, type) else value


def _refused(place: str, wanted: str, value: Any) -> ParameterError:
    shown = repr(value)
    return ParameterError(place, wanted, f"{shown if len(shown) <= 80 else shown[:77] + '…'} ({type(value).__name__})")


def _convert_generic(value: Any, origin: Any, arguments: "tuple[Any, ...]", place: str) -> Any:
    if origin in UNIONS:
        return _convert_union(value, arguments, place)
    if origin is Literal:
        if any(value == allowed and type(value) is type(allowed) for allowed in arguments):
            return value
        raise _refused(place, "one of " + ", ".join(repr(allowed) for allowed in arguments), value)
    if origin is tuple:
        return _convert_tuple(value, arguments, place)
    if origin in _DICTS:
        if not isinstance(value, collections.abc.Mapping):
            raise _refused(place, "an object", value)
        return {
            convert(key, arguments[0], place): convert(element, arguments[1], f"{place}.{key}")
            for key, element in value.items()
        }
    if isinstance(origin, type) and issubclass(origin, collections.abc.Iterable):
        return _convert_many(value, origin, arguments, place)
    return value


def _convert_union(value: Any, arguments: "tuple[Any, ...]", place: str) -> Any:
    # The exact type first, so that "1" stays text where text may stand.
    for argument in arguments:
        if isinstance(argument, type) and type(value) is argument:
            return value
    for argument in arguments:
        try:
            return convert(value, argument, place)
        except ParameterError:
            continue
    raise _refused(place, " or ".join(_name_of(argument) for argument in arguments), value)


def _name_of(hint: Any) -> str:
    if hint is type(None):
        return "null"
    return getattr(hint, "__name__", None) or str(hint).replace("typing.", "")


def _convert_tuple(value: Any, arguments: "tuple[Any, ...]", place: str) -> Any:
    if not isinstance(value, (list, tuple)):
        raise _refused(place, "a list", value)
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(convert(element, arguments[0], f"{place}[{index}]") for index, element in enumerate(value))
    if len(value) != len(arguments):
        raise _refused(place, f"a list of {len(arguments)}", value)
    return tuple(
        convert(element, hint, f"{place}[{index}]") for index, (element, hint) in enumerate(zip(value, arguments))
    )


def _convert_many(value: Any, origin: Any, arguments: "tuple[Any, ...]", place: str) -> Any:
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise _refused(place, "a list", value)
    elements = [convert(element, arguments[0], f"{place}[{index}]") for index, element in enumerate(value)]
    if origin in _SETS:
        return frozenset(elements) if origin is frozenset else set(elements)
    return elements


def _convert_class(value: Any, hint: type, place: str) -> Any:
    if isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if issubclass(hint, enum.Enum):
        return _convert_enum(value, hint, place)
    if dataclasses.is_dataclass(hint):
        return _convert_dataclass(value, hint, place)
    if hasattr(hint, "model_validate"):
        try:
            return hint.model_validate(value)
        except ValueError as error:
            raise ParameterError(place, hint.__name__, str(error)) from None
    read = _READERS.get(hint)
    if read is None:
        if hint in (str, int, float, bool, list, dict, tuple, set, bytes):
            raise _refused(place, _WORDS.get(hint, hint.__name__), value)
        return value
    try:
        return read(value)
    except (ValueError, TypeError, ArithmeticError):
        raise _refused(place, _WORDS.get(hint, hint.__name__), value) from None


def _convert_enum(value: Any, hint: Any, place: str) -> Any:
    for member in hint:
        if member.value == value or member.name == value:
            return member
    raise _refused(place, "one of " + ", ".join(repr(member.value) for member in hint), value)


def _convert_dataclass(value: Any, hint: Any, place: str) -> Any:
    if not isinstance(value, collections.abc.Mapping):
        raise _refused(place, f"an object ({hint.__name__})", value)
    hints = hints_of(hint)
    names = [field.name for field in dataclasses.fields(hint) if field.init]
    for name in value:
        if name not in names:
            raise ParameterError(f"{place}.{name}", f"one of {', '.join(names)}", "an unknown name")
    try:
        return hint(
            **{name: convert(element, hints.get(name, Any), f"{place}.{name}") for name, element in value.items()}
        )
    except TypeError as error:
        raise ParameterError(place, hint.__name__, str(error)) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _instant(text: str) -> str:
    # Before 3.11 the standard library does not know the Z.
    return text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text


_READERS: Dict[Any, Callable[[Any], Any]] = {
    datetime.datetime: lambda value: datetime.datetime.fromisoformat(_instant(_text(value))),
    datetime.date: lambda value: datetime.date.fromisoformat(_text(value)),
    datetime.time: lambda value: datetime.time.fromisoformat(_instant(_text(value))),
    datetime.timedelta: lambda value: datetime.timedelta(seconds=float(value)),
    uuid.UUID: lambda value: uuid.UUID(_text(value)),
    pathlib.Path: lambda value: pathlib.Path(_text(value)),
    pathlib.PurePath: lambda value: pathlib.PurePath(_text(value)),
    decimal.Decimal: lambda value: decimal.Decimal(str(value)),
    bytes: lambda value: base64.b64decode(_text(value), validate=True),
    tuple: lambda value: tuple(value) if isinstance(value, list) else tuple(_text(None)),
    set: lambda value: set(value) if isinstance(value, list) else set(_text(None)),
}
_WORDS: Dict[Any, str] = {
    str: "text",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    list: "a list",
    tuple: "a list",
    set: "a list",
    dict: "an object",
    bytes: "base64",
    datetime.datetime: "a date and time like 2026-01-31T12:00:00Z",
    datetime.date: "a date like 2026-01-31",
    datetime.time: "a time like 12:00:00",
    datetime.timedelta: "a number of seconds",
    uuid.UUID: "a UUID",
}
