"""The floor of each target group, and of each of its zones: so many healthy targets it keeps, whosoever the pods are.

Other clusters may have targets in the same group: only ours are counted.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from kubectl_safe.decide.allow import ZONE_EMPTY
from kubectl_safe.decide.decision import Blocked, Step
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.service_floor import is_owed
from kubectl_safe.decide.step import release_label, step_of
from kubectl_safe.decide.unseen import bindings_of, gate_of, unconfirmed
from kubectl_safe.decide.verdict import BLIP
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import State, Target, group_name
from kubectl_safe.model.workload import Workload

HEALTHY_TARGETS = 1
"""Healthy targets that any group keeps, so that its load balancer never fails open."""


def group_below_floor(
    pod: Pod, *, leaving: AbstractSet[str], snapshot: Snapshot, allow: AbstractSet[str] = frozenset()
) -> str:
    """Return which target group would be left with too few healthy targets; empty where none would.

    A pod whose containers are not ready counts for none: its load balancer controller takes it out by itself.
    """
    for mine in snapshot.targets_of(pod) if pod.has_ready_containers else ():
        if _is_seen_unhealthy(pod, mine, snapshot):
            continue
        zone = None if ZONE_EMPTY in allow else _zone_in(mine.group, pod, snapshot)
        others = [
            (other, target)
            for other, target in _others(mine.group, pod, zone, snapshot)
            if other.uid not in leaving and _stays_registered(other)
        ]
        missing = _missing(mine.group, others, zone, snapshot)
        if missing:
            return missing
    return ""


def empty_zones(workload: Workload, intent: Intent, snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse to leave a zone without a target whose only one goes before its replacement comes, telling each once."""
    settings = intent.settings
    if not is_owed(workload, settings) or ZONE_EMPTY in settings.allow:
        return
    told: set[tuple[str, str]] = set()
    for pod in snapshot.pods_of(workload):
        if pod.uid not in intent.uids or step_of(pod) is not Step.QUEUED or not pod.is_ready:
            continue
        if settings.surge_of(workload) > 0 and release_label(pod, snapshot) is not None:
            # Its replacement may come to the same zone, and is waited for.
            continue
        for target in snapshot.targets_of(pod):
            zone = _zone_in(target.group, pod, snapshot)
            if zone is None or (target.group, zone) in told:
                continue
            if not any(_stays_registered(other) for other, _ in _others(target.group, pod, zone, snapshot)):
                told.add((target.group, zone))
                yield Blocked(reason=ZONE_EMPTY, why=_why(target, zone, pod))


def _zone_in(group: str, pod: Pod, snapshot: Snapshot) -> str | None:
    """Return the zone whose targets alone get what is sent there; None where those of all zones do.

    Pods of which no zone is told count as being in one of their own.
    """
    known = snapshot.groups.get(group)
    return snapshot.zone_of(pod) if known and known.is_zonal else None


def _others(group: str, pod: Pod, zone: str | None, snapshot: Snapshot) -> Iterator[tuple[Pod, Target]]:
    for other, target in snapshot.pods_in_group(group):
        if other.uid != pod.uid and zone in {None, snapshot.zone_of(other)}:
            yield other, target


def _missing(group: str, others: Sequence[tuple[Pod, Target]], zone: str | None, snapshot: Snapshot) -> str:
    """Return what a group lacks that keeps only these targets; empty where nothing.

    A minimum that was not met before either is not ours to keep: its load balancer fails open already, or other
    clusters meet it. Where a target's health is not known, it may well have been.
    """
    known = snapshot.groups.get(group)
    needed = known.minimum_healthy(len(others)) if known else HEALTHY_TARGETS
    if 1 + sum(not _is_seen_unhealthy(*other, snapshot) for other in others) < needed:
        needed = HEALTHY_TARGETS
    healthy = sum(_is_healthy(*other, snapshot) for other in others)
    if healthy >= needed:
        return ""
    where = "" if zone is None else f" in {_named(zone)}"
    remedy = "" if zone is None else f"; have another one there, or answer for it with --allow {ZONE_EMPTY}"
    if not healthy:
        return f"target group {group_name(group)} would be left without a healthy target{where}{remedy}"
    return (
        f"target group {group_name(group)} would be left with {healthy} of the {needed} healthy targets that it is to "
        f"keep{where} (minimum_healthy_targets){remedy}"
    )


def _stays_registered(pod: Pod) -> bool:
    return pod.has_ready_containers and not pod.is_withdrawn and not pod.is_terminating


def _is_healthy(pod: Pod, target: Target, snapshot: Snapshot) -> bool:
    if target.group in snapshot.unseen:
        return not unconfirmed(pod, target, snapshot)
    health = snapshot.fresh_health(target)
    return health is not None and health.is_healthy


def _is_seen_unhealthy(pod: Pod, target: Target, snapshot: Snapshot) -> bool:
    if target.group in snapshot.unseen:
        return _has_long_been_denied(pod, target, snapshot)
    health = snapshot.fresh_health(target)
    return health is not None and not health.is_healthy and health.state is not State.UNAVAILABLE


def _has_long_been_denied(pod: Pod, target: Target, snapshot: Snapshot) -> bool:
    """Tell whether a gate of an unseen target has been False for longer than its controller takes to look again."""
    gates = (gate_of(pod, binding) for binding in bindings_of(pod, target, snapshot))
    found = (pod.conditions.get(gate) for gate in gates if gate)
    return any(c is not None and not c.is_true and c.since and snapshot.at - c.since > BLIP for c in found)


def _why(target: Target, zone: str, pod: Pod) -> str:
    return (
        f"pod {pod} is the only target of group {group_name(target.group)} in {_named(zone)}, and goes before another "
        "comes: what is sent there goes to targets there alone, as cross-zone load balancing is off; turn that on, "
        f"have a second pod there, or answer for it with --allow {ZONE_EMPTY}"
    )


def _named(zone: str) -> str:
    return f"zone {zone}" if zone else "a zone that its EndpointSlices don't tell"
