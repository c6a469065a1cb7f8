"""The targets by which requests get to pods in groups that register nodes: a pod has none of its own there.

They are for those who look on. A handoff changes nothing of them: whatever node a request comes in by, it gets to a pod
that the Service selects.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kubectl_safe.decide.local_traffic import EXTERNAL
from kubectl_safe.decide.target_words import state_of
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import EXCLUDE_LABEL, Target, TargetGroupBinding, is_arn
from kubectl_safe.model.workload import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTarget:
    """What a pod's node is in a target group that leads to the pod."""

    target: Target
    """With the node's name for an address where nobody knows its instance."""
    unknown: str
    """Why AWS can't be asked for it; empty where it can."""
    is_only_way: bool
    """Whether no other node sends requests to the pod."""


def node_targets_of(pod: Pod, snapshot: Snapshot) -> tuple[NodeTarget, ...]:
    """Return what a pod's node is in the groups that lead to the pod now; one that is not registered is nothing."""
    if not snapshot.has_groups_of_nodes or not pod.node:
        return ()
    return tuple(sorted(_found(pod, pod.node, snapshot), key=lambda its: its.target))


def asked_for(pods: Iterable[Pod], snapshot: Snapshot) -> frozenset[Target]:
    """Return the targets of the nodes of pods that AWS can be asked for."""
    found = (its for pod in pods for its in node_targets_of(pod, snapshot))
    return frozenset(its.target for its in found if not its.unknown and is_arn(its.target.group))


def lacks_nodes(pods: Iterable[Pod], snapshot: Snapshot) -> bool:
    """Tell whether requests get to pods by nodes that nobody has looked at."""
    return snapshot.has_groups_of_nodes and any(
        pod.node not in snapshot.nodes for pod in pods if pod.node and any(_bindings(pod, snapshot))
    )


def not_led_to(pods: Iterable[Pod], snapshot: Snapshot) -> Mapping[str, str]:
    """Return why requests don't get to pods (by UID) by nodes, where that is so and can be seen.

    - Where a node asks its own pods only, that node has to be healthy.
    - Otherwise one of the nodes of these pods: each of them leads to all.
    """
    ways = [(pod, its) for pod in pods for its in node_targets_of(pod, snapshot)]
    healthy = {its.target for _, its in ways if _is_healthy(its.target, snapshot)}
    reached = {target.group for target in healthy}
    return {
        pod.uid: f"target {its.target} (node {pod.node}) {_state_of(its.target, snapshot)}"
        for pod, its in reversed(ways)
        if not its.unknown
        and its.target.group not in snapshot.unseen
        and its.target not in healthy
        and (its.is_only_way or its.target.group not in reached)
    }


def _found(pod: Pod, name: str, snapshot: Snapshot) -> Iterator[NodeTarget]:
    node = snapshot.nodes.get(name)
    for binding in _bindings(pod, snapshot):
        port = snapshot.node_port_of(binding)
        if port is None or (node and not binding.registers(_labels_before(node))):
            continue
        service = snapshot.service(binding.namespace, binding.service)
        yield NodeTarget(
            target=Target(group=binding.group, ip=(node.instance_id if node else "") or name, port=port),
            unknown=_why_unknown(name, node),
            is_only_way=service is not None and EXTERNAL in service.local_policies,
        )


def _bindings(pod: Pod, snapshot: Snapshot) -> Iterator[TargetGroupBinding]:
    """Yield the bindings of nodes whose Service selects the pod now: a withdrawn one gets nothing by its node."""
    selecting = {service.name for service in snapshot.services_of(pod)}
    return (its for its in snapshot.bindings_of(pod) if its.is_of_nodes and its.group and its.service in selecting)


def _labels_before(node: Node) -> Mapping[str, str]:
    # A node that was excluded lately is a target for as long as it drains.
    return {key: value for key, value in node.labels.items() if key != EXCLUDE_LABEL}


def _why_unknown(name: str, node: Node | None) -> str:
    if node is None:
        return f"node {name} is not seen"
    return "" if node.instance_id else f"the providerID of node {name} names no instance"


def _is_healthy(target: Target, snapshot: Snapshot) -> bool:
    health = snapshot.fresh_health(target)
    return health is not None and health.is_healthy


def _state_of(target: Target, snapshot: Snapshot) -> str:
    health, trouble = snapshot.fresh_health(target), snapshot.stale_health.get(target.group)
    if health is None:
        return f"has no fresh health{f': {trouble}' if trouble else ' yet'}"
    return f"is {state_of(health, snapshot.groups.get(target.group))}"
