"""What the API server answers instead of an object: its codes, reasons, messages and causes, word for word."""

from collections.abc import Sequence
from typing import Any

from kubectl_safe.sandbox.cluster.objects import Json


class RefusalError(Exception):
    """A request that is refused; `status` is the Status object that goes back."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: Json | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or {}

    @property
    def status(self) -> Json:
        """The Status object."""
        body: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "code": self.code,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details:
            body["details"] = self.details
        return body

    @property
    def retry_after(self) -> int | None:
        """Seconds after which to ask again."""
        seconds: int | None = self.details.get("retryAfterSeconds")
        return seconds


def _named(group: str, plural: str, name: str, **further: Any) -> Json:
    return {"name": name, **({"group": group} if group else {}), "kind": plural, **further}


def qualified(group: str, plural: str) -> str:
    """Return a resource as messages name it."""
    return f"{plural}.{group}" if group else plural


def not_found(group: str, plural: str, name: str) -> RefusalError:
    """Return that there is no such object."""
    message = f'{qualified(group, plural)} "{name}" not found'
    return RefusalError(404, "NotFound", message, details=_named(group, plural, name))


def no_such_path() -> RefusalError:
    """Return that there is no such resource."""
    return RefusalError(404, "NotFound", "the server could not find the requested resource")


def already_exists(group: str, plural: str, name: str) -> RefusalError:
    """Return that the name is taken."""
    message = f'{qualified(group, plural)} "{name}" already exists'
    return RefusalError(409, "AlreadyExists", message, details=_named(group, plural, name))


def conflict(group: str, plural: str, name: str, why: str = "") -> RefusalError:
    """Return that a precondition doesn't hold."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {qualified(group, plural)} "{name}": {why}'
    return RefusalError(409, "Conflict", message, details=_named(group, plural, name))


def invalid(group: str, kind: str, name: str, causes: Sequence[tuple[str, str, str]]) -> RefusalError:
    """Return that an object is not valid; a cause is a field, a reason and a text."""
    texts = [f"{field}: {text}" for field, _reason, text in causes]
    whole = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    message = f'{qualified(group, kind)} "{name}" is invalid: {whole}'
    told = [{"reason": reason, "message": text, "field": field} for field, reason, text in causes]
    return RefusalError(422, "Invalid", message, details=_named(group, kind, name, causes=told))


def bad_request(message: str) -> RefusalError:
    """Return that a request makes no sense."""
    return RefusalError(400, "BadRequest", message)


def forbidden(message: str, group: str, plural: str, name: str = "") -> RefusalError:
    """Return that a request is not permitted."""
    details = _named(group, plural, name) if name else _named(group, plural, "") | {}
    if not name:
        details.pop("name")
    return RefusalError(403, "Forbidden", message, details=details)


def over_budget(why: str, *, retry_after: int = 0) -> RefusalError:
    """Return that a disruption budget allows no eviction."""
    details: Json = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    if retry_after:
        details["retryAfterSeconds"] = retry_after
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    return RefusalError(429, "TooManyRequests", message, details=details)


def expired(message: str) -> RefusalError:
    """Return that a version or a page is too old."""
    return RefusalError(410, "Expired", message)


def unsupported_media(content_type: str, supported: str) -> RefusalError:
    """Return that a body's type is not known here."""
    message = (
        f"the body of the request was in an unknown format - accepted media types include: {supported}"
        if content_type
        else "no content type"
    )
    return RefusalError(415, "UnsupportedMediaType", message)
