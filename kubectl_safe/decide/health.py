"""Which target groups to ask about which targets, and from when on an answer can be news.

The bucket of Describe* calls is the account's, and the load balancer controller suffers when it is empty: nothing is
asked whose answer is known, and a target that drains for five minutes is not asked for until they are nearly over.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import Role, State, Target, is_arn

REACTION = timedelta(milliseconds=300)
"""From a pod's change to its target's: EndpointSlice controller, load balancer controller, AWS."""

POLL = timedelta(seconds=5)
"""The least time between two questions to one target group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A question to one target group."""

    targets: frozenset[Target]
    not_before: datetime
    """An earlier answer can't be news."""
    role: Role | None = None
    """What to ask it with."""
    is_whole: bool = False
    """Whether to ask about all that is registered, without a target to name."""


@dataclass(slots=True)
class _Group:
    """What there is to ask of one group, and when each answer can be news."""

    targets: set[Target] = field(default_factory=set)
    coming: list[datetime] = field(default_factory=list)
    leaving: list[datetime] = field(default_factory=list)
    asked_at: datetime | None = None


def wishes(
    workload_pods: Iterable[Pod], *, confirms: bool, snapshot: Snapshot, undoes: bool = False
) -> dict[str, Wish]:
    """Return what to ask of each target group (by ARN) for the pods of the workloads that are being handed over.

    Args:
        workload_pods: all their pods, planned or not.
        confirms: whether a pod of theirs still has to be withdrawn, so that the others' health matters.
        snapshot: what is known already.
        undoes: whether a release of theirs is to be taken back, so that it matters now whether the others get requests.
    """
    groups: dict[str, _Group] = {}
    for pod in workload_pods:
        for target in snapshot.targets_of(pod):
            if target.group in snapshot.unseen or not is_arn(target.group):
                continue
            group = groups.setdefault(target.group, _Group())
            group.targets.add(target)
            if health := snapshot.health.get(target):
                group.asked_at = max(group.asked_at or health.asked_at, health.asked_at)
            if pod.is_terminating:
                continue
            if pod.is_withdrawn:
                since = snapshot.withdrawn_since.get(pod.uid, snapshot.at)
                group.leaving.append(when_gone(target, since, snapshot))
            elif confirms:
                group.coming.extend(_when_healthy(pod, target, snapshot, undoes=undoes))
    return {
        arn: Wish(
            targets=frozenset(group.targets),
            not_before=_when_to_ask(group),
            role=snapshot.roles_by_group.get(arn),
        )
        for arn, group in groups.items()
        if group.coming or group.leaving
    }


def wishes_to_watch(targets: Iterable[Target], snapshot: Snapshot) -> dict[str, Wish]:
    """Return what somebody asks of each target group (by ARN) who only looks on at these targets.

    What is healthy or drains stays so for long: it is asked for half as often, and still known by the next answer.
    """
    groups: dict[str, set[Target]] = {}
    for target in targets:
        if is_arn(target.group) and target.group not in snapshot.unseen:
            groups.setdefault(target.group, set()).add(target)
    return {arn: _wish_to_watch(arn, its, snapshot) for arn, its in groups.items()}


def _wish_to_watch(arn: str, targets: Iterable[Target], snapshot: Snapshot) -> Wish:
    serving = {its for pod, its in snapshot.pods_in_group(arn) if not (pod.is_terminating or pod.is_withdrawn)}
    known = {target: snapshot.health.get(target) for target in targets}
    lasting = {
        t for t, its in known.items() if its and (its.state is State.DRAINING or (its.is_healthy and t in serving))
    }
    due = (its.asked_at + (2 * POLL if t in lasting else POLL) if its else snapshot.at for t, its in known.items())
    return Wish(targets=frozenset(known), not_before=min(due), role=snapshot.roles_by_group.get(arn))


def both(one: Wish, other: Wish) -> Wish:
    """Return two wishes of one group as one."""
    return replace(one, targets=one.targets | other.targets, not_before=min(one.not_before, other.not_before))


def when_gone(target: Target, since: datetime, snapshot: Snapshot) -> datetime:
    """Return when the target can be gone of a pod that was withdrawn, or of a node that was excluded, at `since`.

    Not before its group's deregistration delay is over; at once where nobody knows that it was ever registered, and
    again and again where nobody knows when its delay began, as that was another process.
    """
    health = snapshot.health.get(target)
    if health and health.is_gone and health.asked_at > since:
        return health.asked_at + snapshot.health_max_age
    if health is None or health.state is State.UNUSED:
        return since + REACTION
    if since == snapshot.began:
        return health.asked_at + POLL
    group = snapshot.groups.get(target.group)
    return since + (group.deregistration_delay if group else timedelta(0)) + REACTION


def _when_healthy(pod: Pod, target: Target, snapshot: Snapshot, *, undoes: bool) -> list[datetime]:
    """Return when a serving pod's target can be found healthy, or has to be seen so again."""
    health = snapshot.health.get(target)
    if health and health.is_healthy:
        return [health.asked_at + snapshot.health_max_age]
    ready = pod.conditions.get("ContainersReady")
    if ready is None or not ready.is_true:
        return []
    if undoes:
        return [health.asked_at + POLL if health else snapshot.at]
    # The API server's instants are cut to whole seconds; what was seen to happen is told more exactly.
    since = snapshot.ready_since.get(pod.uid) or ready.since or snapshot.at
    group = snapshot.groups.get(target.group)
    return [since + (group.time_to_healthy if group else timedelta(0)) + REACTION]


def _when_to_ask(group: _Group) -> datetime:
    """Return when one question answers most.

    A question bars the next one for `POLL`. So what leaves is asked for together with what leaves a little later, and
    never just before a replacement can be healthy: the one costs a wait that nobody feels, the other a batch's.
    """
    coming = min(group.coming, default=None)
    if not group.leaving:
        assert coming is not None
        return coming
    first = min(group.leaving)
    earliest = first if group.asked_at is None else max(first, group.asked_at + POLL)
    together = max(due for due in group.leaving if due < earliest + POLL)
    if coming is None:
        return together
    return coming if coming < together + POLL else together
