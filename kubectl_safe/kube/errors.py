"""What the API server refuses, and what keeps us from it. The kubernetes library's exceptions stay in this package."""

from kubectl_safe.model.errors import KubectlSafeError

_NOT_FOUND = 404
_BUSY = {429, 500, 502, 503, 504}
_LATER = {410, 429, 503}
"""Said of a version that is too old, of a kind whose storage is (re)initializing, and by a server that starts."""
BUDGET_CAUSE = "DisruptionBudget"
"""`details.causes[].reason` of an eviction that a disruption budget refuses; any other 429 is flow control."""


class ConfigError(KubectlSafeError):
    """The kubeconfig, its context or its credentials can't be used."""


class ApiError(KubectlSafeError):
    """An answer of the API server other than the object that was asked for.

    Args:
        message: the server's own words.
        status: the HTTP status; 0 where there was no answer.
        reason: `Status.reason`, such as `Forbidden`.
        causes: the reasons of `Status.details.causes`.
        retry_after: seconds after which the server wants to be asked again.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        reason: str = "",
        causes: tuple[str, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.reason = reason
        self.causes = causes
        self.retry_after = retry_after

    @property
    def is_not_found(self) -> bool:
        """Whether the object is not there: the API server says so itself, where a proxy only finds no page."""
        return self.status == _NOT_FOUND and self.reason == "NotFound"

    @property
    def is_transient(self) -> bool:
        """Whether the same read may succeed in a moment."""
        return self.status in _BUSY and BUDGET_CAUSE not in self.causes

    @property
    def will_pass(self) -> bool:
        """Whether a watch that begins anew is answered before long; what only may pass may be there to stay."""
        return self.status in _LATER and BUDGET_CAUSE not in self.causes


class Unreachable(ApiError):  # noqa: N818 - a state of the server, said as people say it
    """No answer: refused, reset, cut or timed out. Whether a write was done is not known."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=0, reason="Unreachable")

    @property
    def is_transient(self) -> bool:
        """Whether the same read may succeed in a moment."""
        return True

    @property
    def will_pass(self) -> bool:
        """Whether a watch that begins anew is answered before long: a server that answered before is not gone."""
        return True
