"""Names of objects, listed once and not watched. It must not decide anything."""

from kubectl_safe.kube.listing import Requests, listed

_APPS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})
_OF_CLUSTERS = frozenset({"Namespace", "Node"})


def names(client: Requests, kind: str, namespace: str) -> list[str]:
    """Return the names of all objects of a kind; of those that namespaces have, in one namespace.

    Args:
        client: of the cluster.
        kind: one of apps/v1 or v1, whose plural is its singular with an `s`.
        namespace: is left out of account where objects are the cluster's.

    Raises:
        ApiError: they can't be listed.
    """
    group = "/apis/apps/v1" if kind in _APPS else "/api/v1"
    scope = "" if kind in _OF_CLUSTERS else f"/namespaces/{namespace}"
    return [found["metadata"]["name"] for found in listed(client, f"{group}{scope}/{kind.lower()}s")]
