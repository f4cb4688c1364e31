"""Label and field selectors, as far as a real server takes them of clients."""

import re

from .errors import bad_request

NAME = r"[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?"
SETS = re.compile(rf"({NAME})\s+(in|notin)\s+\(([^()]*)\)")
EQUALITY = re.compile(rf"({NAME})\s*(==|=|!=)\s*({NAME})?")
PRESENCE = re.compile(rf"(!?)\s*({NAME})")
FIELDS = {
    "pods": {"metadata.name", "metadata.namespace", "spec.nodeName", "spec.restartPolicy", "spec.schedulerName",
             "spec.serviceAccountName", "spec.hostNetwork", "status.phase", "status.podIP", "status.nominatedNodeName"},
    "events": {"metadata.name", "metadata.namespace", "involvedObject.kind", "involvedObject.namespace",
               "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion", "involvedObject.resourceVersion",
               "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type"},
    "jobs": {"metadata.name", "metadata.namespace", "status.successful"},
    "secrets": {"metadata.name", "metadata.namespace", "type"},
    "namespaces": {"metadata.name", "status.phase"},
}  # fmt: skip


def label_selector(text: str):
    """A function that says whether an object has such labels; ApiError for what is no selector."""
    conditions = [_label_condition(part) for part in re.split(r",(?![^(]*\))", text) if part.strip()]
    return lambda item: all(condition(item["metadata"].get("labels") or {}) for condition in conditions)


def _label_condition(part: str):
    part = part.strip()
    if match := SETS.fullmatch(part):
        key, negative = match.group(1), match.group(3) == "notin"
        values = {value.strip() for value in match.group(4).split(",")}
        return lambda labels: (labels.get(key) in values) != negative
    if match := EQUALITY.fullmatch(part):
        key, operator, value = match.group(1), match.group(3), match.group(4) or ""
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if match := PRESENCE.fullmatch(part):
        negative, key = bool(match.group(1)), match.group(2)
        return lambda labels: (key in labels) != negative
    raise bad_request(f"unable to parse requirement: {part!r}")


def field_selector(plural: str, text: str):
    conditions = [_field_condition(plural, part) for part in text.split(",") if part]
    return lambda item: all(condition(item) for condition in conditions)


def _field_condition(plural: str, part: str):
    match = re.fullmatch(r"([^=!]+)(==|=|!=)(.*)", part)
    if match is None:
        raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
    field, operator, value = match.groups()
    if field not in FIELDS[plural]:
        raise bad_request(f"field label not supported: {field}")
    return lambda item: (_value(item, field) == value) != (operator == "!=")


def _value(item: dict, field: str) -> str:
    found = item
    for name in field.split("."):
        found = (found or {}).get(name)
    return "" if found is None else str(found)
