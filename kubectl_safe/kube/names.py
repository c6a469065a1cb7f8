"""Names of objects, listed once and not watched. It must not decide anything."""

from typing import Any, Protocol

from kubectl_safe.kube.listing import PAGE, limit

_APPS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})
_OF_CLUSTERS = frozenset({"Namespace", "Node"})
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
"""What `kubectl get` prints; without the objects a row takes some hundred bytes, where a node takes 20 kB
(kubernetes.io, API concepts: receiving resources as tables)."""


class _Requests(Protocol):
    def request(self, method: str, path: str, *, query: Any = None, accept: str | None = None) -> dict[str, Any]:
        """Send a request and return the answer's JSON.

        Raises:
            ApiError: the server's refusal.
        """


def names(client: _Requests, kind: str, namespace: str) -> list[str]:
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
    path, query = f"{group}{scope}/{kind.lower()}s", {"includeObject": "None", **limit(PAGE)}
    found: list[str] = []
    token = ""
    while True:
        further = {"continue": token} if token else {}
        table = client.request("GET", path, query={**query, **further}, accept=_TABLE)
        # The first column of all kinds is the name.
        found += [str(row["cells"][0]) for row in table.get("rows") or ()]
        token = (table.get("metadata") or {}).get("continue") or ""
        if not token:
            return found
