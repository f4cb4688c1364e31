"""Which fields the objects of the Kubernetes API have, and whether an object has others or wrong ones.

SHAPES was taken from what a real API server says of itself, by shapes_of, and a test compares the two."""

import base64
import binascii
import json
import re

from .process import ROOT

FILE = ROOT / "tests/support/kubernetes/shapes.json"
# The objects that the double knows, and what is sent with a DELETE.
KINDS = {
    "Job": "io.k8s.api.batch.v1.Job", "Pod": "io.k8s.api.core.v1.Pod", "Secret": "io.k8s.api.core.v1.Secret",
    "Event": "io.k8s.api.core.v1.Event", "Namespace": "io.k8s.api.core.v1.Namespace",
    "SelfSubjectAccessReview": "io.k8s.api.authorization.v1.SelfSubjectAccessReview",
    "DeleteOptions": "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
}  # fmt: skip
# Those that JSON writes as something else than an object.
SCALARS = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time", "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "time",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int or string",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "any",
}  # fmt: skip
QUANTITY = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?")
INDEX = re.compile(r"\[\d+\]")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def shapes_of(openapi: dict) -> dict:
    """{type: {field: its type}} of all that KINDS are made of, of an answer to /openapi/v2. A type is the name of another,
    of a scalar, or "[]" or "{}" and the type of what is in the list or map. "required" are the names behind "*"."""
    shapes: dict = {}
    waiting = list(KINDS.values())
    while waiting:
        name = waiting.pop()
        short = _short(name)
        if short in shapes:
            continue
        definition = openapi["definitions"][name]
        required = definition.get("required", [])
        fields = {}
        for field, schema in definition.get("properties", {}).items():
            fields[f"*{field}" if field in required else field] = _type_of(schema, waiting)
        shapes[short] = dict(sorted(fields.items(), key=lambda item: item[0].lstrip("*")))
    return dict(sorted(shapes.items()))


def _short(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _type_of(schema: dict, waiting: list[str]) -> str:
    if reference := schema.get("$ref", "").removeprefix("#/definitions/"):
        if reference in SCALARS:
            return SCALARS[reference]
        waiting.append(reference)
        return _short(reference)
    if schema["type"] == "array":
        return "[]" + _type_of(schema["items"], waiting)
    if schema["type"] == "object":
        return "{}" + _type_of(schema["additionalProperties"], waiting)
    return "bytes" if schema.get("format") == "byte" else schema["type"]


def dump(shapes: dict) -> str:
    """One line a type."""
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(fields)}" for name, fields in shapes.items())
    return f"{{\n{lines}\n}}\n"


SHAPES: dict = json.loads(FILE.read_text()) if FILE.exists() else {}
# How Go calls what JSON calls otherwise; for messages.
GO_NAMES = {"integer": "int32", "boolean": "bool", "string": "string"}


def fault_of(value, shape: str, path: str = "", owner: str = "") -> str:
    """What is wrong with a value of a type, as the server's decoder says it; nothing for a good one. `owner`: the type
    that it is a field of."""
    if value is None:
        return ""
    if shape.startswith("[]"):
        if not isinstance(value, list):
            return _wrong(value, path, owner, f"[]{shape[2:]}")
        return _first(fault_of(item, shape[2:], f"{path}[{n}]", owner) for n, item in enumerate(value))
    if shape.startswith("{}"):
        if not isinstance(value, dict):
            return _wrong(value, path, owner, f"map[string]{shape[2:]}")
        return _first(fault_of(item, shape[2:], path, owner) for item in value.values())
    if shape in SHAPES:
        return _object_fault(value, shape, path, owner)
    return _scalar_fault(value, shape, path, owner)


def missing_fields(value, shape: str, path: str = "") -> list[str]:
    """The paths of fields that must be there and are not."""
    if shape[:2] in ("[]", "{}") and value:
        items = enumerate(value) if shape.startswith("[]") else value.items()
        return [fault for key, item in items for fault in missing_fields(item, shape[2:], f"{path}[{key}]")]
    if shape not in SHAPES or value is None:
        return []
    found = []
    for name, kind in SHAPES[shape].items():
        field = name.lstrip("*")
        here = f"{path}.{field}".lstrip(".")
        if name.startswith("*") and value.get(field) is None:
            found.append(here)
        elif field in value:
            found.extend(missing_fields(value[field], kind, here))
    return found


def _object_fault(value, shape: str, path: str, owner: str) -> str:
    if not isinstance(value, dict):
        return _wrong(value, path, owner, f"v1.{shape}")
    fields = {name.lstrip("*"): kind for name, kind in SHAPES[shape].items()}
    for name, item in value.items():
        here = f"{path}.{name}".lstrip(".")
        if name not in fields:
            return f'strict decoding error: unknown field "{here}"'
        if fault := fault_of(item, fields[name], here, shape):
            return fault
    return ""


def _scalar_fault(value, shape: str, path: str, owner: str) -> str:
    match shape:
        case "string":
            fine = isinstance(value, str)
        case "integer":
            fine = isinstance(value, int) and not isinstance(value, bool)
        case "boolean":
            fine = isinstance(value, bool)
        case "time":
            fine = isinstance(value, str) and TIME.fullmatch(value) is not None
        case "bytes":
            fine = isinstance(value, str) and _is_base64(value)
        case "quantity":
            if isinstance(value, str) and not QUANTITY.fullmatch(value):
                return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            fine = isinstance(value, (str, int, float)) and not isinstance(value, bool)
        case "int or string":
            fine = isinstance(value, (str, int)) and not isinstance(value, bool)
        case _:
            fine = shape == "any"
    return "" if fine else _wrong(value, path, owner, GO_NAMES.get(shape, shape))


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _first(faults) -> str:
    return next(filter(None, faults), "")


def _wrong(value, path: str, owner: str, kind: str) -> str:
    names = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object"}
    field = f"{owner}.{INDEX.sub('', path)}"
    return f"json: cannot unmarshal {names[type(value)]} into Go struct field {field} of type {kind}"
