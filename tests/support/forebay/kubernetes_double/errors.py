"""The refusals of an API server, as the Status objects that a real one sends."""


class ApiError(Exception):
    def __init__(self, code: int, reason: str, message: str, details: dict | None = None, headers: dict | None = None):
        super().__init__(f"{code} {reason}: {message}")
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or {}
        self.headers = headers or {}

    def status(self) -> dict:
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message}
        if self.reason:
            status["reason"] = self.reason
        if self.details:
            status["details"] = self.details
        return {**status, "code": self.code}


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def invalid(resource, name: str, field: str, fault: str) -> ApiError:
    """`fault` as in "Required value"."""
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    cause = {"reason": "FieldValueInvalid", "message": fault, "field": field}
    details = {**_details(resource, name), "kind": resource.kind, "causes": [cause]}
    return ApiError(422, "Invalid", f'{kind} "{name}" is invalid: {field}: {fault}', details)


def not_found(resource, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{resource.full_name} "{name}" not found', _details(resource, name))


def already_exists(resource, name: str) -> ApiError:
    return ApiError(409, "AlreadyExists", f'{resource.full_name} "{name}" already exists', _details(resource, name))


def conflict(resource, name: str, why: str) -> ApiError:
    message = f'Operation cannot be fulfilled on {resource.full_name} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(resource, name))


def modified(resource, name: str) -> ApiError:
    return conflict(resource, name, "the object has been modified; please apply your changes to the latest version and try again")


def expired(version: int, oldest: int) -> ApiError:
    return ApiError(410, "Expired", f"too old resource version: {version} ({oldest})")


def forbidden(resource, name: str, user: str, verb: str, subresource: str, namespace: str) -> ApiError:
    what = f'{resource.full_name} "{name}"' if name else resource.full_name
    plural = f"{resource.plural}/{subresource}" if subresource else resource.plural
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    message = f'{what} is forbidden: User "{user}" cannot {verb} resource "{plural}" in API group "{resource.group}" {where}'
    return ApiError(403, "Forbidden", message, _details(resource, name))


def no_such_path() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def _details(resource, name: str) -> dict:
    details = {"name": name, "group": resource.group, "kind": resource.plural}
    return {key: value for key, value in details.items() if value}
