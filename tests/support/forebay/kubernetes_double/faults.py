"""What goes wrong on the way between a client and the double, as a test says."""

import dataclasses
import threading

from .errors import ApiError


@dataclasses.dataclass
class Fault:
    """Happens to so many `times` of the calls that do `verb` to `resource` ("pods/log" for logs); "*" is any."""

    verb: str
    resource: str
    times: int
    # Held up by so many seconds, and until a test lets it go on.
    seconds: float = 0.0
    released: threading.Event | None = None
    # Done, as if nothing were wrong; then the answer below.
    acts: bool = False
    # Answered so; or the connection is cut, when there is none and it is not just held up.
    answer: ApiError | None = None
    cuts: bool = False
    # A call has come that it happens to.
    arrived: threading.Event = dataclasses.field(default_factory=threading.Event)

    def fits(self, verb: str, resource: str) -> bool:
        return self.times > 0 and self.verb in ("*", verb) and self.resource in ("*", resource)


class Faults:
    """Thread-safe. Of several that fit, the one told first is taken, until it has happened its times."""

    def __init__(self):
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def refuse(self, verb: str, resource: str, code: int, reason: str = "", message: str = "", *, times: int = 1,
               retry_after: int | None = None, acts: bool = False) -> Fault:  # fmt: skip
        """Answers with a Status of that code; with `acts` after it has done what was asked."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        error = ApiError(code, reason or REASONS.get(code, "InternalError"), message or f"told to answer {code}", headers=headers)
        return self._add(Fault(verb, resource, times, acts=acts, answer=error))

    def lose(self, verb: str, resource: str, times: int = 1) -> Fault:
        """Does what was asked, and cuts the connection instead of answering."""
        return self._add(Fault(verb, resource, times, acts=True, cuts=True))

    def cut(self, verb: str, resource: str, times: int = 1) -> Fault:
        """Cuts the connection, and does nothing."""
        return self._add(Fault(verb, resource, times, cuts=True))

    def slow(self, verb: str, resource: str, seconds: float, times: int = 1_000_000) -> Fault:
        """Does what was asked, and answers, so much later."""
        return self._add(Fault(verb, resource, times, seconds=seconds))

    def hold(self, verb: str, resource: str, times: int = 1) -> Fault:
        """Does nothing before `released` of what is returned is set; `arrived` says that a call is held."""
        return self._add(Fault(verb, resource, times, released=threading.Event()))

    def clear(self):
        with self._lock:
            for fault in self._faults:
                if fault.released is not None:
                    fault.released.set()
            self._faults.clear()

    def _add(self, fault: Fault) -> Fault:
        with self._lock:
            self._faults.append(fault)
        return fault

    def take(self, verb: str, resource: str) -> Fault | None:
        """The one that happens to this call."""
        with self._lock:
            for fault in self._faults:
                if fault.fits(verb, resource):
                    fault.times -= 1
                    fault.arrived.set()
                    return fault
        return None


REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 410: "Expired",
    422: "Invalid", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout",
}  # fmt: skip
