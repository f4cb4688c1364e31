"""Who calls, and what they may do."""

import dataclasses

from .errors import ApiError, forbidden
from .resources import Target

ANONYMOUS = "system:anonymous"


class Access:
    """Everybody who is known may do everything, until a test says what of it somebody may do."""

    def __init__(self):
        # token -> user
        self.tokens: dict[str, str] = {}
        # user -> what it may do; for who is not in it there are no bounds.
        self._bounds: dict[str, list] = {}

    def confine(self, user: str, rules: list, namespaces: tuple[str, ...] = ("*",)):
        """From now on nothing but what the rules (kubernetes_client.Rule) say, in these namespaces."""
        self._bounds.setdefault(user, []).extend((rule, namespaces) for rule in rules)

    def user_of(self, authorization: str, certificate: dict | None) -> str:
        """By the header of that name, else by a client's certificate. ApiError 401 for a token that is not known."""
        if authorization:
            user = self.tokens.get(authorization.removeprefix("Bearer "))
            if user is None:
                raise ApiError(401, "Unauthorized", "Unauthorized")
            return user
        for part in (certificate or {}).get("subject", ()):
            for key, value in part:
                if key == "commonName":
                    return value
        return ANONYMOUS

    def allows(self, user: str, verb: str, group: str, resource: str, namespace: str) -> bool:
        """`resource` with its subresource: pods/log."""
        if user == ANONYMOUS:
            return False
        if user not in self._bounds:
            return True
        return any(
            rule.group in ("*", group) and _has(rule.resources, resource) and _has(rule.verbs, verb)
            and ("*" in namespaces or namespace in namespaces)
            for rule, namespaces in self._bounds[user]
        )  # fmt: skip

    def check(self, user: str, verb: str, target: Target):
        resource = target.resource
        whole = f"{resource.plural}/{target.subresource}" if target.subresource else resource.plural
        if not self.allows(user, verb, resource.group, whole, target.namespace):
            raise forbidden(resource, target.name, user, verb, target.subresource, target.namespace)


def _has(names: list[str], name: str) -> bool:
    return "*" in names or name in names


@dataclasses.dataclass(frozen=True)
class Call:
    """One that the double has had."""

    verb: str
    # "jobs", "pods/log"
    resource: str
    namespace: str
    name: str
    user: str
    query: dict
    body: object
    headers: dict
