"""What became of a write: a closed union, and how the API server's refusals map to it."""

from dataclasses import dataclass

from kubectl_safe.kube.errors import BUDGET_CAUSE, ApiError, Unreachable


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """It was done, or was so already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The object is gone, or another has its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """The object is not what was decided on any more: look again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A disruption budget refuses an eviction, in the server's words."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """The server can't for the moment, or did not answer; it is not known whether the write was done."""

    message: str
    retry_after: float
    """Seconds after which to try again: the server's wish, or ours where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """It is not allowed, or not valid; trying again changes nothing."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """It was accepted, and what came back doesn't show it: something in the cluster changed it on the way."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Untried:
    """A dry run could not be made, which says nothing about the write."""

    message: str


Result = Done | Gone | Conflict | Refused | Busy | Denied | Undone | Untried

RETRY_SECONDS = 1.0

_MANY_BUDGETS = "more than one PodDisruptionBudget"
_NO_DRY_RUN = "does not support dry run"
_NAMESPACE_TERMINATING = "NamespaceTerminating"
_NOT_FOUND, _CONFLICT, _TOO_MANY, _SERVER_ERROR, _TIMEOUT, _FORBIDDEN = 404, 409, 429, 500, 408, 403


def result_of(error: ApiError, *, is_dry_run: bool) -> Result:
    """Return what a refusal means.

    Sources: kubernetes pkg/registry/core/pod/storage/eviction.go for the answers of the Eviction API;
    k8s.io/apiserver/pkg/admission/plugin/webhook/errors for the dry run.
    """
    if is_dry_run and _NO_DRY_RUN in error.message:
        return Untried(message=error.message)
    if error.is_not_found:
        return Gone()
    if error.status == _CONFLICT:
        return Conflict()
    if error.status == _TOO_MANY and BUDGET_CAUSE in error.causes:
        return Refused(message=error.message)
    if _is_passing(error):
        return Busy(message=error.message, retry_after=error.retry_after or RETRY_SECONDS)
    return Denied(message=error.message)


def _is_passing(error: ApiError) -> bool:
    """Tell whether time alone may cure it.

    - No answer, flow control, or an error of the server; but not that several budgets select a pod.
    - A path that is not found, of whose object nothing is said: a proxy, or an API server that has only begun.
    - A namespace that terminates forbids evictions until the pod itself is deleted (kubectl tries again, too).
    """
    if isinstance(error, Unreachable) or error.status in {_TOO_MANY, _TIMEOUT, _NOT_FOUND}:
        return True
    if error.status == _FORBIDDEN:
        return _NAMESPACE_TERMINATING in error.causes
    return error.status >= _SERVER_ERROR and _MANY_BUDGETS not in error.message
