"""Which target groups to ask about which targets, and from when on an answer can be news.

The bucket of Describe* calls is the account's, and the load balancer controller suffers when it is empty: nothing is
asked whose answer is known, and a target that drains for five minutes is not asked for until they are nearly over.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import Target

REACTION = timedelta(seconds=1)
"""From a pod's change to its target's: EndpointSlice controller, load balancer controller, AWS."""

POLL = timedelta(seconds=5)
"""The least time between two questions to one target group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A question to one target group."""

    targets: frozenset[Target]
    not_before: datetime
    """An earlier answer can't be news."""


def wishes(workload_pods: Iterable[Pod], *, confirms: bool, snapshot: Snapshot) -> dict[str, Wish]:
    """Return what to ask of each target group (by ARN) for the pods of the workloads that are being handed over.

    Args:
        workload_pods: all their pods, planned or not.
        confirms: whether a pod of theirs still has to be withdrawn, so that the others' health matters.
        snapshot: what is known already.
    """
    asked: dict[str, set[Target]] = {}
    due: dict[str, list[datetime]] = {}
    leaving: dict[str, list[datetime]] = {}
    for pod in workload_pods:
        for target in snapshot.targets_of(pod):
            asked.setdefault(target.group, set()).add(target)
            if pod.is_withdrawn:
                leaving.setdefault(target.group, []).extend(_when_gone(pod, target, snapshot))
            elif confirms and not pod.is_terminating:
                due.setdefault(target.group, []).extend(_when_healthy(pod, target, snapshot))
    found = {}
    for group, targets in asked.items():
        times = due.get(group, []) + _together(leaving.get(group, []))
        if times:
            found[group] = Wish(targets=frozenset(targets), not_before=min(times))
    return found


def _when_gone(pod: Pod, target: Target, snapshot: Snapshot) -> list[datetime]:
    """Return when a withdrawn pod's target can be gone: not before its group's deregistration delay is over."""
    health, since = snapshot.health.get(target), snapshot.withdrawn_since.get(pod.uid, snapshot.at)
    if pod.is_terminating:
        return []
    if health and health.is_gone and health.asked_at > since:
        return [health.asked_at + snapshot.health_max_age / 2]
    group = snapshot.groups.get(target.group)
    return [since + (group.deregistration_delay if group else timedelta(0)) + REACTION]


def _when_healthy(pod: Pod, target: Target, snapshot: Snapshot) -> list[datetime]:
    """Return when a serving pod's target can be found healthy, or has to be seen so again."""
    health = snapshot.health.get(target)
    if health and health.is_healthy:
        return [health.asked_at + snapshot.health_max_age / 2]
    ready = pod.conditions.get("ContainersReady")
    if ready is None or not ready.is_true:
        return []
    group = snapshot.groups.get(target.group)
    return [(ready.since or snapshot.at) + (group.time_to_healthy if group else timedelta(0)) + REACTION]


def _together(times: list[datetime]) -> list[datetime]:
    """Return the first time, put off by less than a poll where one question then answers for several targets."""
    if not times:
        return []
    return [max(t for t in times if t < min(times) + POLL)]
