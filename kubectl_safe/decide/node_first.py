"""Node first: a node leaves the target groups that register nodes before the first of its pods is touched.

Pods behind such a group get requests through a port of any node, whichever node they run on: a pod that is handed over
changes nothing for it, and a node that is taken away cuts what comes in by it. To a cordon these groups are blind; the
label `node.kubernetes.io/exclude-from-external-load-balancers` has the load balancer controller deregister the node.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kubectl_safe.decide.actions import ExcludeNode
from kubectl_safe.decide.allow import DOWNTIME, UNSEEN_LOAD_BALANCER
from kubectl_safe.decide.deadline import DEREGISTRATION_MARGIN, USUAL_DELAY
from kubectl_safe.decide.decision import Act, Blocked, For, Wait
from kubectl_safe.decide.group_floor import HEALTHY_TARGETS
from kubectl_safe.decide.health import POLL, Wish, both, when_gone
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.settings import Settings
from kubectl_safe.decide.verdict import BLIP
from kubectl_safe.decide.withdrawal import wait_for_time, wait_to_leave
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import EXCLUDE_LABEL, State, Target, TargetGroupBinding, group_name, is_arn
from kubectl_safe.model.workload import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A binding that may register a node with its group."""

    binding: TargetGroupBinding
    target: Target | None
    """What the node is in the group; None where that can't be told."""


def nodes_of(intent: Intent, snapshot: Snapshot) -> list[Node]:
    """Return the nodes that come first, and are still there."""
    return [snapshot.nodes[name] for name in intent.nodes if name in snapshot.nodes]


def memberships(node: Node, snapshot: Snapshot) -> list[Membership]:
    """Return the groups that a node is, or was before it was excluded, a target of.

    Without a node port the controller registers nothing.
    """
    labels = {key: value for key, value in node.labels.items() if key != EXCLUDE_LABEL}
    return [
        Membership(binding=binding, target=_target(node, binding, port))
        for binding in snapshot.bindings
        if binding.registers(labels) and (port := snapshot.node_port_of(binding)) is not None
    ]


def bindings_of(intent: Intent, snapshot: Snapshot) -> list[TargetGroupBinding]:
    """Return the bindings that may register one of the nodes that come first."""
    return [binding for node in nodes_of(intent, snapshot) for binding in _bindings_of(node, snapshot)]


def targets_of(intent: Intent, snapshot: Snapshot) -> frozenset[Target]:
    """Return what has to be asked for the nodes that come first: them, and the others of their groups."""
    return frozenset(
        target
        for node in nodes_of(intent, snapshot)
        for its in memberships(node, snapshot)
        for target in _all(its, snapshot)
    )


def is_to_exclude(node: Node, snapshot: Snapshot) -> bool:
    """Tell whether a node has to be excluded from load balancers, and is not yet."""
    return not node.is_excluded and bool(memberships(node, snapshot))


def blockers(intent: Intent, snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse nodes that nobody can see leave, and to leave a group without a node."""
    allow, nodes = intent.settings.allow, nodes_of(intent, snapshot)
    for node in nodes if UNSEEN_LOAD_BALANCER not in allow else ():
        # What AWS is still to be asked for is asked for before anything is written.
        yield from (_unseen(node, b) for b in _bindings_of(node, snapshot) if not (b.group and node.instance_id))
    if DOWNTIME not in allow:
        yield from _emptied([node for node in nodes if not node.is_excluded], snapshot)


def steps(intent: Intent, snapshot: Snapshot) -> dict[str, Act | Wait]:
    """Return what is to be done with each node (by name) now, or awaited; nothing for those that are out."""
    if snapshot.stale:
        why = f"the watch on {', '.join(sorted(snapshot.stale))} is interrupted; what is known may be over"
        return {name: Wait(on=For.CACHE, why=why) for name in intent.nodes}
    found: dict[str, Act | Wait] = {}
    leaving = set[str]()
    for node in nodes_of(intent, snapshot):
        step = _step(node, snapshot, intent.settings, leaving=leaving)
        if isinstance(step, Act):
            leaving.add(node.name)
        if step is not None:
            found[node.name] = step
    return found


def patience(intent: Intent, snapshot: Snapshot) -> timedelta:
    """Return how long a node may take to leave its groups: what they are known to take, and two minutes."""
    known = snapshot.groups
    arns = {target.group for target in targets_of(intent, snapshot)}
    delays = [known[arn].deregistration_delay if arn in known else USUAL_DELAY for arn in arns]
    settings = intent.settings
    delays += [settings.drain_wait or timedelta(0), settings.settle_for(is_headless=False)]
    return max(delays) + DEREGISTRATION_MARGIN


def wishes(intent: Intent, snapshot: Snapshot) -> dict[str, Wish]:
    """Return what to ask of target groups (by ARN): until a node is excluded of all nodes, from then on of itself."""
    found: dict[str, Wish] = {}
    for node in nodes_of(intent, snapshot):
        for its in memberships(node, snapshot):
            if its.target is None or its.target.group in snapshot.unseen:
                continue
            since = snapshot.excluded_since.get(node.name)
            wish = _wish_before(its, snapshot) if since is None else _wish_after(its.target, since, snapshot)
            known = found.get(its.target.group)
            found[its.target.group] = both(known, wish) if known else wish
    return found


def _bindings_of(node: Node, snapshot: Snapshot) -> list[TargetGroupBinding]:
    return [its.binding for its in memberships(node, snapshot)]


def _step(node: Node, snapshot: Snapshot, settings: Settings, *, leaving: AbstractSet[str]) -> Act | Wait | None:
    """Decide on one node; `leaving` are those that are excluded at this very look."""
    its = memberships(node, snapshot)
    if not node.is_excluded:
        found = (_wait_for_others(node, one, snapshot, settings, leaving=leaving) for one in its)
        wait = next(filter(None, found), None)
        return wait or (Act(action=ExcludeNode(node=node)) if its else None)
    return next(filter(None, (_wait_until_out(node, one, snapshot, settings) for one in its)), None)


def _wait_for_others(
    node: Node, its: Membership, snapshot: Snapshot, settings: Settings, *, leaving: AbstractSet[str]
) -> Wait | None:
    """Keep a healthy target in a group; a node that it is seen to send nothing to may go in any case."""
    target = its.target
    if target is None or DOWNTIME in settings.allow or target.group in snapshot.unseen:
        return None
    health = snapshot.fresh_health(target)
    if health is not None and not health.is_healthy and health.state is not State.UNAVAILABLE:
        return None
    others = _registered(its.binding, snapshot, but={node.name, *leaving})
    healthy = sum(_is_healthy(other, its.binding, snapshot) for other in others)
    needed = _needed(target.group, len(others), snapshot)
    if healthy >= needed:
        return None
    why = f"{healthy} of {needed} other nodes are healthy in target group {group_name(target.group)}"
    trouble = snapshot.stale_health.get(target.group)
    return Wait(on=For.NODE, why=f"{why}: {trouble}" if trouble else why, remedy=_check_of(its.binding))


def _wait_until_out(node: Node, its: Membership, snapshot: Snapshot, settings: Settings) -> Wait | None:
    """Wait until an answer that was asked for after the node was seen excluded says that its target is gone."""
    since = snapshot.excluded_since.get(node.name)
    if its.target is None:
        settle = settings.settle_for(is_headless=False)
        if UNSEEN_LOAD_BALANCER in settings.allow and since is not None and snapshot.at - since >= settle:
            return None
        binding = f"targetgroupbinding {its.binding.namespace}/{its.binding.name}"
        why = f"{binding} can't be asked for node {node.name}; settling for {settle.total_seconds():.0f}s"
        return Wait(on=For.NODE, why=why, until=since + settle if since else None)
    if its.target.group in snapshot.unseen:
        wait = wait_for_time(its.target.group, since, snapshot, settings)
    else:
        wait = wait_to_leave(its.target, since, snapshot, after=f"node {node.name} was excluded")
    if wait is None:
        return None
    is_late = since is not None and snapshot.at - since > BLIP and not wait.until
    return replace(
        wait, on=For.NODE, remedy=_check_of(its.binding) if is_late and _is_kept(its.target, snapshot) else ""
    )


def _is_kept(target: Target, snapshot: Snapshot) -> bool:
    """Tell whether a group still has a node that was excluded, so that its controller has not seen to it."""
    health = snapshot.health.get(target)
    return health is not None and health.state in {State.INITIAL, State.HEALTHY, State.UNHEALTHY}


def _check_of(binding: TargetGroupBinding) -> str:
    return f"see kubectl safe check -n {binding.namespace}"


def _registered(binding: TargetGroupBinding, snapshot: Snapshot, *, but: AbstractSet[str]) -> list[Node]:
    """Return the nodes that are targets of a binding's group and stay there, apart from some (by name)."""
    return [n for n in snapshot.nodes.values() if binding.registers(n.labels) and n.name not in but]


def _needed(group: str, registered: int, snapshot: Snapshot) -> int:
    """Return how many healthy targets a group is to keep of so many that stay registered."""
    known = snapshot.groups.get(group)
    return known.minimum_healthy(registered) if known else HEALTHY_TARGETS


def _is_healthy(node: Node, binding: TargetGroupBinding, snapshot: Snapshot) -> bool:
    """Tell whether a node is a healthy target of a binding's group."""
    port = snapshot.node_port_of(binding)
    target = _target(node, binding, port) if port is not None else None
    health = snapshot.fresh_health(target) if target else None
    return health is not None and health.is_healthy


def _target(node: Node, binding: TargetGroupBinding, port: int) -> Target | None:
    is_told = is_arn(binding.group) and node.instance_id
    return Target(group=binding.group, ip=node.instance_id, port=port) if is_told else None


def _all(its: Membership, snapshot: Snapshot) -> frozenset[Target]:
    """Return a node's target, and those of the other nodes in the group."""
    if its.target is None:
        return frozenset()
    others = _registered(its.binding, snapshot, but=set())
    return frozenset({its.target, *filter(None, (_target(node, its.binding, its.target.port) for node in others))})


def _wish_before(its: Membership, snapshot: Snapshot) -> Wish:
    targets = _all(its, snapshot)
    asked = [health.asked_at + POLL if (health := snapshot.health.get(its)) else snapshot.at for its in targets]
    role = snapshot.roles_by_group.get(its.binding.group)
    return Wish(targets=targets, not_before=min(asked), role=role)


def _wish_after(target: Target, since: datetime, snapshot: Snapshot) -> Wish:
    role = snapshot.roles_by_group.get(target.group)
    return Wish(targets=frozenset({target}), not_before=when_gone(target, since, snapshot), role=role)


def _unseen(node: Node, binding: TargetGroupBinding) -> Blocked:
    subject = f"targetgroupbinding {binding.namespace}/{binding.name}"
    fact = (
        "has neither targetGroupARN nor targetGroupName"
        if not binding.group
        else "registers nodes by their EC2 instances"
    )
    other = "" if node.instance_id else f", and the providerID of node {node.name} names none"
    return Blocked(
        reason=UNSEEN_LOAD_BALANCER,
        why=f"{subject} {fact}{other}: whether node {node.name} has left its target group can't be asked; "
        f"answer for it, with a time that it takes, by --allow {UNSEEN_LOAD_BALANCER} --settle 5m",
    )


def _emptied(nodes: list[Node], snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse to leave a group without the nodes that it needs, telling it once for each group."""
    drained = {node.name for node in nodes}
    told: set[str] = set()
    for node in nodes:
        for its in memberships(node, snapshot):
            stay = len(_registered(its.binding, snapshot, but=drained))
            group = its.target.group if its.target else ""
            needed = _needed(group, stay, snapshot)
            if not group or group in told or stay >= needed:
                continue
            told.add(group)
            left = f"{stay} of the {needed} nodes that it needs" if stay else "no node"
            yield Blocked(
                reason=DOWNTIME,
                why=f"target group {group_name(group)} (targetgroupbinding {its.binding.namespace}/{its.binding.name}) "
                f"would be left with {left}: add nodes, drain fewer of them at once, or answer for it with "
                f"--allow {DOWNTIME}",
            )
