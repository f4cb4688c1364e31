"""The JSON Schema of a function's parameters. Only keywords that the server knows: type, enum, const, properties,
required, additionalProperties, items, uniqueItems, minItems, maxItems, anyOf, default, title, description, format."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import inspect
import json
import pathlib
import types
import typing
import uuid
from typing import Any, Callable, Dict, List, Literal, Union

from ..errors import ForebayError
from . import docstrings

Schema = Dict[str, Any]
_PLAIN: Dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    bytes: {"type": "string", "format": "byte"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
    datetime.time: {"type": "string", "format": "time"},
    datetime.timedelta: {"type": "number", "description": "seconds"},
    uuid.UUID: {"type": "string", "format": "uuid"},
    decimal.Decimal: {"type": ["string", "number"]},
    pathlib.Path: {"type": "string", "format": "path"},
    pathlib.PurePath: {"type": "string", "format": "path"},
}
_LISTS = (list, set, frozenset, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection)
_SETS = (set, frozenset, collections.abc.Set)
_DICTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
UNIONS = (Union, getattr(types, "UnionType", Union))


def hints_of(fn: Callable[..., Any]) -> Dict[str, Any]:
    """Type hints by parameter; what cannot be resolved counts as unknown."""
    try:
        return typing.get_type_hints(fn, include_extras=True)
    except Exception:
        return {}


def of(fn: Callable[..., Any]) -> Schema:
    hints, told = hints_of(fn), docstrings.parameters(fn)
    properties: Dict[str, Schema] = {}
    required: List[str] = []
    open_ended = False
    for name, parameter in inspect.signature(fn).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            open_ended = True
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise ForebayError(
                f"parameter `{name}` of {fn.__name__} can only be given by position; parameters of flows are given by name",
                "NOT_A_FLOW",
            )
        field = {"title": name, **for_type(hints.get(name, Any))}
        if name in told:
            field["description"] = told[name]
        if parameter.default is parameter.empty:
            required.append(name)
        else:
            field["default"] = to_json(parameter.default, name)
        properties[name] = field
    schema: Schema = {"type": "object", "title": "Parameters", "properties": properties}
    if required:
        schema["required"] = required
    if not open_ended:
        schema["additionalProperties"] = False
    return schema


def for_type(hint: Any) -> Schema:
    if hint is Any or hint is inspect.Parameter.empty or isinstance(hint, typing.TypeVar):
        return {}
    if hint is None:
        hint = type(None)
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is not None:
        return _for_generic(hint, origin, arguments)
    if isinstance(hint, type):
        return _for_class(hint)
    return {}


def _for_generic(hint: Any, origin: Any, arguments: "tuple[Any, ...]") -> Schema:
    if origin in UNIONS:
        return {"anyOf": [for_type(argument) for argument in arguments]}
    if origin is Literal:
        return {"enum": [to_json(argument, "Literal") for argument in arguments]}
    if hasattr(hint, "__metadata__"):
        schema = for_type(arguments[0])
        words = [word for word in hint.__metadata__ if isinstance(word, str)]
        return {**schema, "description": words[0]} if words else schema
    if origin is tuple:
        return _for_tuple(arguments)
    if origin in _DICTS:
        return {"type": "object", "additionalProperties": for_type(arguments[1])}
    if origin in _LISTS or origin in _SETS:
        schema = {"type": "array", "items": for_type(arguments[0])}
        return {**schema, "uniqueItems": True} if origin in _SETS else schema
    return {}


def _for_tuple(arguments: "tuple[Any, ...]") -> Schema:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return {"type": "array", "items": for_type(arguments[0])}
    count = 0 if arguments == ((),) else len(arguments)
    return {
        "type": "array",
        "items": [for_type(argument) for argument in arguments[:count]],
        "minItems": count,
        "maxItems": count,
    }


def _for_class(hint: type) -> Schema:
    if issubclass(hint, enum.Enum):
        return {"title": hint.__name__, "enum": [to_json(member.value, hint.__name__) for member in hint]}
    if dataclasses.is_dataclass(hint):
        return _for_dataclass(hint)
    if hasattr(hint, "model_json_schema"):
        return dict(_without_unknown(hint.model_json_schema()))
    if issubclass(hint, _DICTS):
        return {"type": "object"}
    if issubclass(hint, (list, tuple, set, frozenset)):
        return {"type": "array"}
    return {}


def _for_dataclass(hint: type) -> Schema:
    hints = hints_of(hint)
    fields = [field for field in dataclasses.fields(hint) if field.init]
    properties = {field.name: for_type(hints.get(field.name, Any)) for field in fields}
    missing = dataclasses.MISSING
    required = [field.name for field in fields if field.default is missing and field.default_factory is missing]
    schema: Schema = {"type": "object", "title": hint.__name__, "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


_POINTERS = ("$defs", "definitions", "properties")
_KNOWN = {
    "type", "enum", "const", "properties", "patternProperties", "additionalProperties", "propertyNames", "required",
    "minProperties", "maxProperties", "items", "minItems", "maxItems", "uniqueItems", "pattern", "minLength", "maxLength",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "anyOf", "oneOf", "allOf", "not", "title",
    "description", "default", "examples", "format",
}  # fmt: skip


def _without_unknown(schema: Any, definitions: Any = None, depth: int = 0) -> Any:
    """pydantic's schema with its references written out and without keywords that the server does not know."""
    if not isinstance(schema, dict) or depth > 20:
        return {} if isinstance(schema, dict) else schema
    definitions = definitions or schema.get("$defs", {})
    if "$ref" in schema:
        return _without_unknown(definitions.get(schema["$ref"].rpartition("/")[2], {}), definitions, depth + 1)

    def inner(value: Any) -> Any:
        if isinstance(value, list):
            return [inner(element) for element in value]
        return _without_unknown(value, definitions, depth + 1) if isinstance(value, dict) else value

    kept = {name: value for name, value in schema.items() if name in _KNOWN}
    for name in ("default", "examples", "enum", "const"):
        kept.pop(name, None)
    result = {
        name: {key: inner(element) for key, element in value.items()} if name in _POINTERS else inner(value)
        for name, value in kept.items()
    }
    return {**result, **{name: schema[name] for name in ("default", "examples", "enum", "const") if name in schema}}


def to_json(value: Any, parameter: str) -> Any:
    """The value as it travels. DEFAULT_NOT_JSON when there is no way."""
    if isinstance(value, enum.Enum):
        return to_json(value.value, parameter)
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, (uuid.UUID, pathlib.PurePath, decimal.Decimal)):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_json(dataclasses.asdict(value), parameter)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(key): to_json(element, parameter) for key, element in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_json(element, parameter) for element in value]
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise ForebayError(
            f"the value {value!r} of `{parameter}` cannot be written as JSON; give the parameter a default that can, or None",
            "DEFAULT_NOT_JSON",
            metadata={"field": parameter},
        ) from None
    return value
