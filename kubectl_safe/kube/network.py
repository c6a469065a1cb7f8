"""Reads what leads requests to pods beside Services: Cilium, and the exports of Services to other clusters."""

from collections.abc import Iterable

from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.serving import Discovery, Groups, read
from kubectl_safe.model.network import EXPORTING, Network

CILIUM = "cilium.io"
_NOT_FOUND = 404


def network_of(client: Discovery, served: Groups, namespace: str | None) -> Network:
    """Return what is known of the network, as far as we may read it.

    Args:
        client: the API server's client.
        served: the API groups that it serves.
        namespace: whose exports to read; None for those of all.
    """
    exported, troubles = set[tuple[str, str]](), list[str]()
    scope = f"/namespaces/{namespace}" if namespace else ""
    for group in EXPORTING:
        if group not in served:
            continue
        try:
            version = read("versions", served[group])[0]["groupVersion"]
            exported.update(_exports(client, f"/apis/{version}{scope}/serviceexports"))
        except ApiError as error:
            # A group may be served without this resource.
            if error.status != _NOT_FOUND:
                troubles.append(error.message)
    return Network(has_cilium=CILIUM in served, exported=frozenset(exported), unlisted_exports="; ".join(troubles))


def _exports(client: Discovery, path: str) -> Iterable[tuple[str, str]]:
    for export in read("items", client.request("GET", path)):
        meta = export["metadata"]
        yield meta["namespace"], meta["name"]
