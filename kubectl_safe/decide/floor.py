"""The floor: how many other pods must be in service before one may leave."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from kubectl_safe.decide.service_floor import is_owed, service_below_floor
from kubectl_safe.decide.settings import Settings
from kubectl_safe.decide.unseen import bindings_of, gate_of, unconfirmed
from kubectl_safe.decide.verdict import BLIP, InService, OutOfService, Unknown, Verdict
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import State, Target, group_name
from kubectl_safe.model.workload import Workload

HEALTHY_TARGETS = 1
"""Healthy targets that a group keeps, so that its load balancer never fails open."""


def floor(pod: Pod, workload: Workload, settings: Settings) -> int:
    """Return how many other pods of the workload must be in service while this one leaves.

    The wanted number less `max-unavailable`; or, where fewer were in service when the pod was released, that number:
    what was missing then isn't ours to wait for. `max-unavailable` is not taken off that again, or each release would
    count what the one before it took away as missing, and lower the floor further.
    """
    handoff = pod.handoff
    is_withdraw_first = handoff is None or workload.replaces_in_place
    needed = workload.replicas - settings.unavailable_of(workload, is_withdraw_first=is_withdraw_first)
    return needed if handoff is None else min(needed, handoff.in_service)


def below_floor(
    pod: Pod,
    workload: Workload,
    verdicts: Mapping[str, Verdict],
    *,
    leaving: AbstractSet[str],
    snapshot: Snapshot,
    settings: Settings,
) -> str:
    """Return what is missing before a pod may leave; empty where nothing is.

    `verdicts` has every pod of the workload, by UID; `leaving` the UIDs of those that were allowed to leave since the
    snapshot was taken.
    """
    needed = floor(pod, workload, settings)
    others = [v for uid, v in verdicts.items() if uid != pod.uid and uid not in leaving]
    serving = sum(isinstance(v, InService) for v in others)
    if serving >= needed:
        # Of a workload that was scaled to nothing, nothing is owed to a target group or a Service either.
        if not is_owed(workload, settings):
            return ""
        missing = group_below_floor(pod, leaving=leaving, snapshot=snapshot)
        return missing or service_below_floor(pod, leaving=leaving, snapshot=snapshot)
    why = next((v.why for v in others if isinstance(v, Unknown)), "") or _first_missing(
        pod, workload, verdicts, snapshot
    )
    return f"{serving} of {needed} other pods of {workload.subject} are in service: {why}"


def _first_missing(pod: Pod, workload: Workload, verdicts: Mapping[str, Verdict], snapshot: Snapshot) -> str:
    """Return why the newest pod that could count doesn't, which is most often the replacement; or why there is none."""
    waiting = [
        (other, found.why)
        for uid, found in verdicts.items()
        if isinstance(found, OutOfService)
        and uid != pod.uid
        and not (other := snapshot.pods[uid]).is_withdrawn
        and not other.is_terminating
    ]
    # A pod that can't be created shows nowhere else, while one that is not ready can be looked at.
    failed = next((r for r in snapshot.replica_sets_of(workload) if r.failure), None)
    if failed:
        return f"replicaset {failed.name} can't create a pod: {failed.failure}"
    if not waiting:
        return "its replacement is not created yet"
    return max(waiting, key=lambda entry: (str(entry[0].created), entry[0].name))[1]


def group_below_floor(pod: Pod, *, leaving: AbstractSet[str], snapshot: Snapshot) -> str:
    """Return which target group would be left without a healthy target; empty where none would.

    A pod whose containers are not ready counts for none: its load balancer controller takes it out by itself.
    """
    for mine in snapshot.targets_of(pod) if pod.has_ready_containers else ():
        if _is_seen_unhealthy(pod, mine, snapshot):
            continue
        others = sum(
            _is_healthy(other, target, snapshot)
            for other, target in snapshot.pods_in_group(mine.group)
            if other.uid not in {pod.uid, *leaving} and _stays_registered(other)
        )
        if others < HEALTHY_TARGETS:
            return f"target group {group_name(mine.group)} would be left without a healthy target"
    return ""


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
