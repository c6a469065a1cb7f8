"""Which APIs have TargetGroupBindings, and which of them a cluster serves."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.watch import UNREADABLE
from kubectl_safe.model.target import AUTO_MODE_API, CONTROLLER_API

RESOURCE: Final = "targetgroupbindings"

BINDING_APIS: Mapping[str, str] = {
    CONTROLLER_API: f"/apis/{CONTROLLER_API}/v1beta1",
    AUTO_MODE_API: f"/apis/{AUTO_MODE_API}/v1",
}
"""The path of each API that has them, by its group."""


class Discovery(Protocol):
    """What tells which resources a cluster serves."""

    def request(self, method: str, path: str) -> dict[str, Any]:
        """Send a request and return the answer's JSON.

        Raises:
            ApiError: the server's refusal.
        """


def served_bindings(client: Discovery) -> tuple[str, ...]:
    """Return the groups of the APIs by which the cluster has TargetGroupBindings.

    Raises:
        ApiError: it doesn't say.
    """
    # That a group is not among those that are served is a statement; that its page is not found may be a proxy's.
    served = {its.get("name") for its in _read("groups", client.request("GET", "/apis"))}
    return tuple(
        group
        for group, path in BINDING_APIS.items()
        if group in served
        and any(its.get("name") == RESOURCE for its in _read("resources", client.request("GET", path)))
    )


def _read(field: str, answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the list in an answer about what is served.

    Raises:
        ApiError: there is none.
    """
    try:
        return list(answer[field])
    except UNREADABLE as error:
        raise ApiError(f"the API server doesn't say which {field} it serves: {error!r}", status=0) from error
