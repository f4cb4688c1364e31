"""What a server checks of an object beyond its fields' types, and what it fills in."""

import base64
import re

from .. import kubernetes_schema
from .errors import ApiError, bad_request, invalid
from .resources import JOBS, PODS, SECRETS, Resource

SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
LABEL_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
SECRET_KEY = re.compile(r"[-._a-zA-Z0-9]+")
LARGEST_SECRET = 1024 * 1024
LARGEST_ANNOTATIONS = 256 * 1024
SUBDOMAIN_FAULT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end"
    " with an alphanumeric character"
)
POD_DEFAULTS = {
    "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst", "securityContext": {},
    "schedulerName": "default-scheduler",
}  # fmt: skip
CONTAINER_DEFAULTS = {
    "resources": {}, "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
}  # fmt: skip
JOB_DEFAULTS = {
    "parallelism": 1, "completions": 1, "backoffLimit": 6, "manualSelector": False, "completionMode": "NonIndexed",
    "suspend": False, "podReplacementPolicy": "TerminatingOrFailed",
}  # fmt: skip


def check_shape(resource: Resource, item):
    """Unknown fields and wrong types are refused, as a server does that is asked for strict validation."""
    refusal = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: '
    if not isinstance(item, dict):
        raise bad_request(refusal + f"json: cannot unmarshal {type(item).__name__} into Go value of type v1.{resource.kind}")
    if fault := kubernetes_schema.fault_of(item, resource.kind):
        raise bad_request(refusal + fault)
    for field, expected in (("kind", resource.kind), ("apiVersion", resource.api_version)):
        if item.get(field, expected) != expected:
            raise bad_request(f"the {field} in the data ({item[field]}) does not match the expected {field} ({expected})")


def complete(resource: Resource, item: dict):
    """Fills in what a server fills in, and raises ApiError 422 for what it refuses."""
    _check_metadata(resource, item)
    name = item["metadata"]["name"]
    match resource.kind:
        case "Job":
            _complete_job(item, name)
        case "Pod":
            _complete_pod(PODS, name, item.setdefault("spec", {}), "spec")
        case "Secret":
            _complete_secret(item, name)
    for field in kubernetes_schema.missing_fields(item, resource.kind):
        raise invalid(resource, name, field, "Required value")


def _check_metadata(resource: Resource, item: dict):
    metadata = item["metadata"]
    name = metadata["name"]
    if not SUBDOMAIN.fullmatch(name) or len(name) > 253:
        raise invalid(resource, name, "metadata.name", f'Invalid value: "{name}": {SUBDOMAIN_FAULT}')
    check_labels(resource, name, metadata.get("labels") or {}, "metadata.labels")
    if sum(len(key) + len(value) for key, value in (metadata.get("annotations") or {}).items()) > LARGEST_ANNOTATIONS:
        raise invalid(resource, name, "metadata.annotations", f"Too long: may not be more than {LARGEST_ANNOTATIONS} bytes")
    for key in metadata.get("annotations") or {}:
        _check_key(resource, name, key, "metadata.annotations")


def check_labels(resource: Resource, name: str, labels: dict, field: str):
    for key, value in labels.items():
        _check_key(resource, name, key, field)
        if len(value) > 63 or not LABEL_VALUE.fullmatch(value):
            raise invalid(resource, name, field, f'Invalid value: "{value}": a valid label must be an empty string or consist of'
                          " alphanumeric characters, '-', '_' or '.', at most 63 of them")  # fmt: skip


def _check_key(resource: Resource, name: str, key: str, field: str):
    prefix, _, word = key.rpartition("/")
    if (prefix and not SUBDOMAIN.fullmatch(prefix)) or len(word) > 63 or not LABEL_NAME.fullmatch(word):
        raise invalid(resource, name, field, f'Invalid value: "{key}": name part must consist of alphanumeric characters')


def _complete_job(item: dict, name: str):
    spec = item.setdefault("spec", {})
    spec.update({key: value for key, value in JOB_DEFAULTS.items() if spec.get(key) is None})
    if len(name) > 63:
        raise invalid(JOBS, name, "metadata.name", f'Invalid value: "{name}": must be no more than 63 characters')
    for field in ("backoffLimit", "parallelism", "completions", "activeDeadlineSeconds", "ttlSecondsAfterFinished"):
        if (spec.get(field) or 0) < 0:
            raise invalid(JOBS, name, f"spec.{field}", f"Invalid value: {spec[field]}: must be greater than or equal to 0")
    pod = spec.setdefault("template", {}).setdefault("spec", {})
    if pod.get("restartPolicy") not in ("Never", "OnFailure"):
        raise invalid(JOBS, name, "spec.template.spec.restartPolicy", 'Required value: valid values: "OnFailure", "Never"')
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    check_labels(JOBS, name, labels, "spec.template.metadata.labels")
    _complete_pod(JOBS, name, pod, "spec.template.spec")


def _complete_pod(resource: Resource, name: str, spec: dict, path: str):
    spec.update({key: value for key, value in POD_DEFAULTS.items() if spec.get(key) is None})
    if not spec.get("containers"):
        raise invalid(resource, name, f"{path}.containers", "Required value")
    if spec.get("schedulingGates") and spec.get("nodeName") and resource is PODS:
        raise invalid(resource, name, f"{path}.nodeName", "Forbidden: cannot be set until all schedulingGates have been cleared")
    volumes = _unique(resource, name, spec.get("volumes") or [], f"{path}.volumes")
    _unique(resource, name, [*spec["containers"], *(spec.get("initContainers") or [])], f"{path}.containers")
    for kind in ("containers", "initContainers"):
        for number, container in enumerate(spec.get(kind) or []):
            _complete_container(resource, name, container, f"{path}.{kind}[{number}]", volumes)


def _complete_container(resource: Resource, name: str, container: dict, path: str, volumes: set[str]):
    container.update({key: value for key, value in CONTAINER_DEFAULTS.items() if container.get(key) is None})
    if not container.get("image"):
        raise invalid(resource, name, f"{path}.image", "Required value")
    container.setdefault("imagePullPolicy", "IfNotPresent")
    if container["imagePullPolicy"] not in ("Always", "Never", "IfNotPresent"):
        raise invalid(resource, name, f"{path}.imagePullPolicy", f'Unsupported value: "{container["imagePullPolicy"]}"')
    for number, variable in enumerate(container.get("env") or []):
        if variable.get("value") and variable.get("valueFrom"):
            raise invalid(resource, name, f"{path}.env[{number}].valueFrom", "Invalid value: \"\": may not be specified when `value` is not empty")  # fmt: skip
    for number, mount in enumerate(container.get("volumeMounts") or []):
        if mount.get("name") not in volumes:
            raise invalid(resource, name, f"{path}.volumeMounts[{number}].name", f'Not found: "{mount.get("name")}"')


def _unique(resource: Resource, name: str, items: list[dict], path: str) -> set[str]:
    """The names of items, which must be labels and differ."""
    names: set[str] = set()
    for number, item in enumerate(items):
        if not (own := item.get("name")):
            raise invalid(resource, name, f"{path}[{number}].name", "Required value")
        if not LABEL.fullmatch(own) or len(own) > 63:
            raise invalid(resource, name, f"{path}[{number}].name", f'Invalid value: "{own}": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or \'-\'')  # fmt: skip
        if own in names:
            raise invalid(resource, name, f"{path}[{number}].name", f'Duplicate value: "{own}"')
        names.add(own)
    return names


def _complete_secret(item: dict, name: str):
    plain = item.pop("stringData", None) or {}
    data = {**(item.get("data") or {}), **{key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}}
    if data:
        item["data"] = data
    item.setdefault("type", "Opaque")
    for key in data:
        if not SECRET_KEY.fullmatch(key) or len(key) > 253:
            raise invalid(SECRETS, name, f"data[{key}]", f'Invalid value: "{key}": a valid config key must consist of alphanumeric characters, \'-\', \'_\' or \'.\'')  # fmt: skip
    if sum(len(base64.b64decode(value)) for value in data.values()) > LARGEST_SECRET:
        raise invalid(SECRETS, name, "data", f"Too long: may not be more than {LARGEST_SECRET} bytes")


# Of an object that is there, only so much of the spec may be changed; with the words of the refusal.
POD_FORBIDDEN = (
    "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
JOB_CHANGEABLE = {"parallelism", "suspend", "activeDeadlineSeconds", "ttlSecondsAfterFinished", "backoffLimit"}


def check_change(resource: Resource, old: dict, new: dict):
    name = old["metadata"]["name"]
    for field in ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp"):
        if old["metadata"].get(field) != new["metadata"].get(field):
            raise invalid(resource, name, f"metadata.{field}", f'Invalid value: "{new["metadata"].get(field)}": field is immutable')
    if resource is PODS:
        _check_pod_change(old["spec"], new["spec"], name)
    elif resource is JOBS:
        kept = [{key: value for key, value in item["spec"].items() if key not in JOB_CHANGEABLE} for item in (old, new)]
        if kept[0] != kept[1]:
            raise invalid(resource, name, "spec.template", "Invalid value: field is immutable")
    elif resource is SECRETS and old.get("immutable") and old.get("data") != new.get("data"):
        raise ApiError(422, "Invalid", f'Secret "{name}" is invalid: data: Forbidden: field is immutable when `immutable` is set')


def _check_pod_change(old: dict, new: dict, name: str):
    gates = {gate["name"] for gate in old.get("schedulingGates") or []}
    for gate in new.get("schedulingGates") or []:
        if gate["name"] not in gates:
            raise invalid(PODS, name, "spec.schedulingGates", f"Forbidden: only deletion is allowed, but found new scheduling gate '{gate['name']}'")  # fmt: skip
    tolerations = new.get("tolerations") or []
    if any(item not in tolerations for item in old.get("tolerations") or []):
        raise invalid(PODS, name, "spec", POD_FORBIDDEN)
    if _fixed(old) != _fixed(new):
        raise invalid(PODS, name, "spec", POD_FORBIDDEN)


def _fixed(spec: dict) -> dict:
    left = {key: value for key, value in spec.items() if key not in ("schedulingGates", "activeDeadlineSeconds", "tolerations")}
    for kind in ("containers", "initContainers"):
        left[kind] = [{**container, "image": ""} for container in spec.get(kind) or []]
    return left
