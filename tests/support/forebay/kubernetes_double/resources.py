"""The resources that the double serves, and what a path means."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Resource:
    group: str
    version: str
    plural: str
    kind: str
    verbs: tuple[str, ...]
    namespaced: bool = True
    subresources: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def full_name(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


ALL = ("create", "get", "list", "watch", "patch", "update", "delete")
JOBS = Resource("batch", "v1", "jobs", "Job", ALL)
PODS = Resource("", "v1", "pods", "Pod", ALL, subresources=("log",))
SECRETS = Resource("", "v1", "secrets", "Secret", ALL)
EVENTS = Resource("", "v1", "events", "Event", ALL)
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", ALL, namespaced=False)
REVIEWS = Resource(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", ("create",), namespaced=False
)
METRICS = Resource("metrics.k8s.io", "v1beta1", "pods", "PodMetrics", ("get", "list"))
RESOURCES = {(r.group, r.version, r.plural): r for r in (JOBS, PODS, SECRETS, EVENTS, NAMESPACES, REVIEWS, METRICS)}


@dataclasses.dataclass(frozen=True)
class Target:
    """What a path names: a resource, or one object of it, or a part of that."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def called(self) -> str:
        """What a test calls it: "jobs", "pods/log", and "pods.metrics.k8s.io" for what is not the Pods themselves."""
        plural = self.resource.full_name if self.resource is METRICS else self.resource.plural
        return f"{plural}/{self.subresource}" if self.subresource else plural


def target_of(path: str) -> Target | None:
    """/api/v1/namespaces/N/pods/P/log and the like; nothing for what is not served."""
    parts = path.strip("/").split("/")
    if parts[:2] == ["api", "v1"]:
        group, version, rest = "", "v1", parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    if not rest or len(rest) > 3 or not all(rest):
        return None
    resource = RESOURCES.get((group, version, rest[0]))
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    if resource is None or (namespace and not resource.namespaced) or (subresource and subresource not in resource.subresources):
        return None
    if name and resource.namespaced and not namespace:
        return None
    return Target(resource, namespace, name, subresource)
