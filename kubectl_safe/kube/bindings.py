"""Which APIs have TargetGroupBindings, and which of them a cluster serves."""

from collections.abc import Mapping
from typing import Final

from kubectl_safe.kube.serving import Discovery, Groups, read
from kubectl_safe.model.target import AUTO_MODE_API, CONTROLLER_API

RESOURCE: Final = "targetgroupbindings"

BINDING_APIS: Mapping[str, str] = {
    CONTROLLER_API: f"/apis/{CONTROLLER_API}/v1beta1",
    AUTO_MODE_API: f"/apis/{AUTO_MODE_API}/v1",
}
"""The path of each API that has them, by its group."""


def served_bindings(client: Discovery, groups: Groups) -> tuple[str, ...]:
    """Return the groups of the APIs by which the cluster has TargetGroupBindings.

    Raises:
        ApiError: it doesn't say.
    """
    # That a group is not among those that are served is a statement; that its page is not found may be a proxy's.
    return tuple(
        group
        for group, path in BINDING_APIS.items()
        if group in groups
        and any(its.get("name") == RESOURCE for its in read("resources", client.request("GET", path)))
    )
