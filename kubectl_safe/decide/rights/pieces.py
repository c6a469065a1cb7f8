"""What the needs of commands are made of: kinds that are read, as (group, resource), and rights that go together."""

from collections.abc import Iterable

from kubectl_safe.decide.rights.right import Right
from kubectl_safe.model.network import EXPORTING
from kubectl_safe.model.policy import POLICY_KINDS
from kubectl_safe.model.target import AUTO_MODE_API, CONTROLLER_API

NODE_LEASES = "kube-node-lease"
"""The namespace that holds the Lease of a node's drain."""
CONTROLLER_HOME = "kube-system"
"""The namespace that the AWS Load Balancer Controller is installed in, where nobody chose another."""
EVERY_NODE = ("",)
"""In the place of nodes' names: whichever they are, as the right to one then names none."""

NETWORK_POLICIES = ("networking.k8s.io", "networkpolicies")
OF_PODS = (
    ("", "pods"),
    ("", "services"),
    ("discovery.k8s.io", "endpointslices"),
    ("apps", "replicasets"),
)
"""Where pods are, and what leads requests to them."""
READ = (
    *OF_PODS,
    ("apps", "deployments"),
    ("policy", "poddisruptionbudgets"),
    NETWORK_POLICIES,
    (CONTROLLER_API, "targetgroupbindings"),
    (AUTO_MODE_API, "targetgroupbindings"),
)
"""What a handoff reads."""
STATEFUL_SETS = ("apps", "statefulsets")
REPLICATION_CONTROLLERS = ("", "replicationcontrollers")
NODES = ("", "nodes")
REPLICA_SETS = ("apps", "replicasets")
LEASE_GROUP = "coordination.k8s.io"
_LEASE_VERBS = ("get", "create", "update", "delete")
SWEEP = Right(verb="list", group=LEASE_GROUP, resource="leases")
"""To find the Leases that dead runs left."""

_UNSEEN_POLICIES = "where the cluster serves them, what takes labels off pods is refused (policy-change)"
_UNSEEN_EXPORTS = "where the cluster serves them, pods behind Services are refused (unseen-load-balancer)"


def reading(namespace: str | None, *kinds: tuple[str, str]) -> Iterable[Right]:
    """Yield the rights to list and to watch some kinds, or all that a handoff reads."""
    for group, resource in kinds or READ:
        for verb in ("list", "watch"):
            yield Right(verb=verb, group=group, resource=resource, namespace=namespace)


def bindings(namespace: str | None) -> list[Right]:
    """Return the rights to read TargetGroupBindings."""
    return [right for right in reading(namespace, *READ) if right.is_of_bindings]


def writing(namespace: str | None, *, deletes: bool = False) -> Iterable[Right]:
    """Yield what it takes to hand pods over: to read, patch and evict or delete them, and to hold Leases."""
    yield Right(verb="get", resource="pods", namespace=namespace)
    yield Right(verb="patch", resource="pods", namespace=namespace)
    if deletes:
        yield Right(verb="delete", resource="pods", namespace=namespace)
    else:
        yield Right(verb="create", resource="pods", subresource="eviction", namespace=namespace)
    yield from leases(namespace)


def leases(namespace: str | None) -> list[Right]:
    """Return what it takes to hold Leases."""
    return [Right(verb=verb, group=LEASE_GROUP, resource="leases", namespace=namespace) for verb in _LEASE_VERBS]


def daemon_sets(namespace: str | None) -> Right:
    """Return the right to read a DaemonSet by its name."""
    return Right(verb="get", group="apps", resource="daemonsets", namespace=namespace)


def tried(namespace: str | None) -> dict[Right, str]:
    """Return the rights to kinds that few clusters serve: policies apply across namespaces, exports are of one."""
    policies = ((group, resource) for group, resources in POLICY_KINDS.items() for resource in resources)
    exports = (Right(verb="list", group=api, resource="serviceexports", namespace=namespace) for api in EXPORTING)
    return {**dict.fromkeys(reading(None, *policies), _UNSEEN_POLICIES), **dict.fromkeys(exports, _UNSEEN_EXPORTS)}


def optional(namespace: str | None, *, nudges: bool) -> dict[Right, str]:
    """Return what a handoff does better with, each with what is lost without it."""
    patches = (
        Right(verb="patch", group=group, resource="targetgroupbindings", namespace=namespace)
        for group in (CONTROLLER_API, AUTO_MODE_API)
    )
    events = Right(verb="list", resource="events", namespace=namespace)
    lost = dict.fromkeys(patches, "bindings can't be nudged, which costs up to 15s a batch") if nudges else {}
    claims = [Right(verb=verb, resource="persistentvolumeclaims", namespace=namespace) for verb in ("list", "watch")]
    lost |= dict.fromkeys(claims, "each volume is taken for one that two pods can't share: its pod goes first")
    return {**lost, events: "failures can't be told in the words of their events"}
