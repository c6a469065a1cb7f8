"""What commands that only look take: workloads, pods and nodes, by type and name."""

from collections.abc import Sequence

from kubectl_safe.cli.drain import KINDS as NODE_KINDS
from kubectl_safe.cli.names import kind_and_name
from kubectl_safe.cli.rollout import KINDS as WORKLOADS
from kubectl_safe.model.errors import UsageError

KINDS = {
    **WORKLOADS,
    "ReplicaSet": frozenset({"replicaset", "replicasets", "rs", "replicaset.apps", "replicasets.apps"}),
    "ReplicationController": frozenset({"replicationcontroller", "replicationcontrollers", "rc"}),
    "Pod": frozenset({"pod", "pods", "po"}),
    "Node": NODE_KINDS,
}
"""What kubectl calls them."""


def named_resources(resources: Sequence[str], *, to: str) -> dict[str, tuple[str, ...]]:
    """Return names by kind in `TYPE/NAME...`.

    Args:
        resources: the arguments.
        to: what is done with them, such as `checked`.

    Raises:
        UsageError: they are put in another way, or of another kind.
    """
    found: dict[str, list[str]] = {}
    for resource in resources:
        text, name = kind_and_name(resource)
        if not text:
            raise UsageError(f"arguments must be of the form TYPE/NAME, such as deployment/web: {resource!r}")
        found.setdefault(kind_of(text, to=to), []).append(name)
    return {kind: tuple(dict.fromkeys(names)) for kind, names in found.items()}


def kind_of(text: str, *, to: str) -> str:
    """Return the kind that kubectl calls so.

    Raises:
        UsageError: it is another one.
    """
    for kind, names in KINDS.items():
        if text.lower() in names:
            return kind
    raise UsageError(
        f"{text!r} can't be {to}: name a deployment, a statefulset, a daemonset, a replicaset, "
        "a replicationcontroller, a pod or a node"
    )
