"""The floor: how many other pods must be in service before one may leave."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from kubectl_safe.decide.settings import Settings
from kubectl_safe.decide.verdict import InService, OutOfService, Unknown, Verdict
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import Target, group_name
from kubectl_safe.model.workload import Deployment

HEALTHY_TARGETS = 1
"""Healthy targets that a group keeps, so that its load balancer never fails open."""


def floor(pod: Pod, deployment: Deployment, settings: Settings) -> int:
    """Return how many other pods of the Deployment must be in service while this one leaves.

    The wanted number less `max-unavailable`; or, where fewer were in service when the pod was released, that number
    less `max-unavailable`: what was missing then isn't ours to wait for.
    """
    handoff = pod.handoff
    owed = deployment.replicas if handoff is None else min(deployment.replicas, handoff.in_service)
    return owed - settings.unavailable_of(deployment, is_withdraw_first=handoff is None)


def below_floor(
    pod: Pod,
    deployment: Deployment,
    verdicts: Mapping[str, Verdict],
    *,
    leaving: AbstractSet[str],
    snapshot: Snapshot,
    settings: Settings,
) -> str:
    """Return what is missing before an in-service pod may leave; empty where nothing is.

    `verdicts` has every pod of the Deployment, by UID; `leaving` the UIDs of those that were allowed to leave since the
    snapshot was taken.
    """
    needed = floor(pod, deployment, settings)
    others = [v for uid, v in verdicts.items() if uid != pod.uid and uid not in leaving]
    serving = sum(isinstance(v, InService) for v in others)
    if serving >= needed:
        return _group_below_floor(pod, leaving, snapshot)
    why = next((v.why for v in others if isinstance(v, Unknown)), "") or _first_missing(pod, verdicts, snapshot)
    return f"{serving} of {needed} other pods of deployment {deployment} are in service: {why}"


def _first_missing(pod: Pod, verdicts: Mapping[str, Verdict], snapshot: Snapshot) -> str:
    """Return why the newest pod that could count doesn't: that is most often the replacement."""
    waiting = [
        (other, found.why)
        for uid, found in verdicts.items()
        if isinstance(found, OutOfService)
        and uid != pod.uid
        and not (other := snapshot.pods[uid]).is_withdrawn
        and not other.is_terminating
    ]
    if not waiting:
        return "its replacement is not created yet"
    return max(waiting, key=lambda entry: (str(entry[0].created), entry[0].name))[1]


def _group_below_floor(pod: Pod, leaving: AbstractSet[str], snapshot: Snapshot) -> str:
    for mine in snapshot.targets_of(pod):
        others = sum(
            _is_healthy(target, snapshot)
            for other, target in snapshot.pods_in_group(mine.group)
            if other.uid not in {pod.uid, *leaving} and not other.is_withdrawn and not other.is_terminating
        )
        if others < HEALTHY_TARGETS:
            return f"target group {group_name(mine.group)} would be left without a healthy target"
    return ""


def _is_healthy(target: Target, snapshot: Snapshot) -> bool:
    health = snapshot.health.get(target)
    return bool(health and health.is_healthy and snapshot.at - health.asked_at <= snapshot.health_max_age)
