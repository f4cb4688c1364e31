"""The kinds of PATCH: merge patches (RFC 7386), JSON patches (RFC 6902), and strategic ones as far as they are the same."""

import copy
import json

from .errors import ApiError

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
REJECTED = "the server rejected our request due to an error in our request"


def patched(item: dict, kind: str, patch) -> dict:
    """A new object; ApiError when the patch is none, or does not fit."""
    if kind == JSON_PATCH:
        return _json_patched(item, patch)
    if kind not in (MERGE_PATCH, STRATEGIC):
        raise ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type")
    if not isinstance(patch, dict):
        raise ApiError(400, "BadRequest", "json: cannot unmarshal the patch into a map")
    if kind == STRATEGIC and (path := _list_of_objects(patch)):
        raise ApiError(422, "Invalid", f"this double merges no lists: {path}")
    return _merged(item, patch)


def _merged(item, patch):
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(item) if isinstance(item, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result


def _list_of_objects(patch, path: str = "") -> str:
    if isinstance(patch, list):
        return path if any(isinstance(item, dict) for item in patch) else ""
    if isinstance(patch, dict):
        return next(filter(None, (_list_of_objects(value, f"{path}.{key}") for key, value in patch.items())), "")
    return ""


def _json_patched(item: dict, operations) -> dict:
    if not isinstance(operations, list):
        raise ApiError(400, "BadRequest", "json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    result = copy.deepcopy(item)
    for operation in operations:
        try:
            _apply(result, operation)
        except (KeyError, IndexError, ValueError, TypeError):
            raise ApiError(422, "Invalid", REJECTED) from None
    return result


def _apply(document: dict, operation: dict):
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    parent = document
    for part in way:
        parent = parent[int(part)] if isinstance(parent, list) else parent[part]
    at: int | str = last
    if isinstance(parent, list):
        at = len(parent) if last == "-" else int(last)
    match operation["op"]:
        case "test":
            if json.dumps(parent[at], sort_keys=True) != json.dumps(operation["value"], sort_keys=True):
                raise ValueError("it is another value")
        case "remove":
            del parent[at]
        case "replace":
            parent[at]  # Must be there.
            parent[at] = operation["value"]
        case "add" if isinstance(parent, list):
            if at > len(parent):
                raise IndexError(at)
            parent.insert(at, operation["value"])
        case "add":
            parent[at] = operation["value"]
        case other:
            raise ValueError(other)
