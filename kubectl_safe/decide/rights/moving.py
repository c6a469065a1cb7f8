"""The rights that commands need which move pods: all that they read, and all that `actions` lets them write.

A run without one of them would get stuck half-way, with pods that are withdrawn and can't be evicted.
"""

from collections.abc import Iterable, Mapping

from kubectl_safe.decide.rights.pieces import (
    NETWORK_POLICIES,
    NODE_LEASES,
    READ,
    REPLICATION_CONTROLLERS,
    STATEFUL_SETS,
    SWEEP,
    daemon_sets,
    leases,
    optional,
    reading,
    tried,
    writing,
)
from kubectl_safe.decide.rights.right import Needs, Right
from kubectl_safe.model.pod import Pod

_UNSEEN_PEERS = "policies of other namespaces can't be seen that name pods of this one as peers"
_WAKE = Right(verb="patch", group="apps", resource="statefulsets")
_OF_DRAINS: Mapping[Right, str] = {
    _WAKE: "StatefulSets can't be woken, and may take minutes to create a pod anew",
    SWEEP: "the Leases of dead drains stay behind, run out",
}
"""What drains do better with."""


def to_restart(namespace: str | None, *, kind: str = "Deployment", writes: bool, nudges: bool) -> Needs:
    """Return what a restart needs: all of it in the one namespace of its workloads, which are of one kind.

    Without a namespace it is what restarts need wherever they are.
    """
    itself = "" if kind == "Deployment" else f"{kind.lower()}s"
    required = [*reading(namespace, *READ, *([("apps", itself)] if itself else []))]
    if writes:
        bearer = itself or "replicasets"
        required += writing(namespace)
        required.append(Right(verb="patch", group="apps", resource=bearer, namespace=namespace))
    peers = reading(None, NETWORK_POLICIES) if namespace else ()
    return Needs(
        required=tuple(required),
        optional=optional(namespace, nudges=writes and nudges),
        tried={**dict.fromkeys(peers, _UNSEEN_PEERS), **tried(namespace)},
        command="restart",
    )


def to_drain(nodes: Iterable[str], *, writes: bool, nudges: bool, deletes: bool = False) -> Needs:
    """Return what a drain needs: to read everything everywhere, and to write to its nodes and to their pods.

    One that deletes pods does not evict them.
    """
    names = tuple(dict.fromkeys(nodes))
    required = [Right(verb=verb, resource="nodes") for verb in ("list", "watch")]
    required += reading(None, *READ, STATEFUL_SETS, REPLICATION_CONTROLLERS)
    if writes:
        required += [Right(verb="patch", resource="nodes", name=name) for name in names]
        required += leases(NODE_LEASES)
    return Needs(
        required=tuple(required),
        of_pods=(*(writing(None, deletes=deletes) if writes else ()), daemon_sets(None)),
        optional={**optional(None, nudges=writes and nudges), **(_OF_DRAINS if writes else {})},
        tried=tried(None),
        nodes=names,
        command="drain",
    )


def to_abort(nodes: Iterable[str], kinds: Iterable[str], namespace: str | None) -> Needs:
    """Return what ending drains of nodes needs, and restarts of kinds in a namespace: what they need themselves.

    What only decides whether a handoff may begin is of no interest to its end.
    """
    names = tuple(nodes)
    restarts = [to_restart(namespace, kind=kind, writes=True, nudges=False) for kind in kinds]
    drains = [to_drain(names, writes=True, nudges=False)] if names else []
    every = [*drains, *restarts]
    return Needs(
        required=tuple(dict.fromkeys(right for needs in every for right in needs.required)),
        of_pods=tuple(right for needs in drains for right in needs.of_pods),
        optional=every[0].optional if every else {},
        nodes=names,
        command="abort",
    )


def to_uncordon(nodes: Iterable[str]) -> Needs:
    """Return what it needs to take back the cordon of nodes."""
    names = tuple(dict.fromkeys(nodes))
    rights = (Right(verb=verb, resource="nodes", name=name) for name in names for verb in ("get", "patch"))
    return Needs(required=tuple(rights), nodes=names, command="uncordon")


def on_pods(pods: Iterable[Pod], *, deletes: bool = False) -> tuple[Right, ...]:
    """Return what a drain needs in each namespace where it may not do everything everywhere, by the pods of its nodes.

    A pod of a DaemonSet stays, and so does a mirror pod: nothing is written in a namespace that has no others.
    """
    moved, kept = set(), set()
    for pod in pods:
        is_kept = pod.controller is not None and pod.controller.kind == "DaemonSet"
        if is_kept:
            kept.add(pod.namespace)
        if not pod.is_mirror and (not is_kept or pod.is_finished):
            moved.add(pod.namespace)
    written = (right for namespace in sorted(moved) for right in writing(namespace, deletes=deletes))
    return (*written, *(daemon_sets(namespace) for namespace in sorted(kept)))
