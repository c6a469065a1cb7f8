"""From withdrawal to eviction: when a pod that gets no new requests may be stopped."""

from datetime import datetime

from kubectl_safe.decide.actions import Evict, Withdraw
from kubectl_safe.decide.decision import Act, Decision, For, Wait
from kubectl_safe.decide.labels import labels_to_withdraw
from kubectl_safe.decide.selectorless import described
from kubectl_safe.decide.settings import RETRY, Settings, go_duration
from kubectl_safe.model.governing import governing_service_of, is_governing
from kubectl_safe.model.pod import OwnerReference, Pod
from kubectl_safe.model.service import Endpoint
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import State, Target, TargetHealth, group_name


def withdraw(pod: Pod, snapshot: Snapshot, settings: Settings, *, owner: OwnerReference, in_service: int) -> Decision:
    """Withdraw a pod that may leave; one that no Service leads to, and no target group knows, has nothing to leave.

    One that can't leave is evicted as it is.
    """
    drop, targets = labels_to_withdraw(pod, snapshot), snapshot.targets_of(pod)
    if drop is None:
        return evict(pod, snapshot, settings)
    if not drop and not targets:
        return evict_when_out(pod, snapshot, settings)
    return Act(action=Withdraw(pod=pod, drop=drop, targets=targets, owner=owner, in_service=in_service))


def finish(pod: Pod, snapshot: Snapshot, settings: Settings, *, owner: OwnerReference | None) -> Decision:
    """Evict a withdrawn pod once it is out; where a Service was changed to select it, it has to leave that first."""
    drop = labels_to_withdraw(pod, snapshot)
    if not drop:
        return evict_when_out(pod, snapshot, settings)
    in_service = pod.handoff.in_service if pod.handoff else 0
    targets = snapshot.targets_of(pod)
    return Act(action=Withdraw(pod=pod, drop=drop, targets=targets, owner=owner, in_service=in_service))


def evict_when_out(pod: Pod, snapshot: Snapshot, settings: Settings) -> Decision:
    """Decide on a withdrawn pod, or one that no Service selects: evict it once every way to it is seen closed.

    That is when

    - it has been in no EndpointSlice for the settle time, without a break, and
    - each of its targets is `unused` with `Target.NotRegistered`, by an answer that was asked for after its withdrawal
      and its absence were seen; or, in a group that can't be asked, `--drain-wait` has passed since then, and
    - no budget refused its eviction in the last seconds.
    """
    return (
        _wait_for_slices(pod, snapshot, settings)
        or _wait_for_targets(pod, snapshot, settings)
        or evict(pod, snapshot, settings)
    )


def evict(pod: Pod, snapshot: Snapshot, settings: Settings) -> Decision:
    """Evict a pod, or delete it, which no budget is asked for and so none is charged if it has changed meanwhile."""
    deletes = settings.disable_eviction
    pins = deletes or not is_under_budget(pod, snapshot)
    return wait_after_answer(pod, snapshot) or Act(
        action=Evict(pod=pod, pins_resource_version=pins, is_deletion=deletes)
    )


def is_under_budget(pod: Pod, snapshot: Snapshot) -> bool:
    """Tell whether a disruption budget selects the pod as it is now."""
    return any(budget.selects(pod.namespace, pod.labels) for budget in snapshot.budgets)


def wait_after_answer(pod: Pod, snapshot: Snapshot) -> Wait | None:
    """Return the wait after the Eviction API has answered for the pod; None where it may be asked."""
    answer = snapshot.answers.get(pod.uid)
    if answer is None:
        return None
    if answer.is_allowed:
        accepted = Wait(on=For.TERMINATION, why=f"the end of pod {pod} was accepted; it is about to terminate")
        return None if answer.is_dry_run else accepted
    if snapshot.at - answer.at >= RETRY:
        return None
    return Wait(on=For.BUDGET, why=answer.message, until=answer.at + RETRY)


def _wait_for_slices(pod: Pod, snapshot: Snapshot, settings: Settings) -> Wait | None:
    places = [place for place in snapshot.endpoints_by_pod.get(pod.uid, ()) if _is_to_leave(pod, place, snapshot)]
    if places:
        return Wait(on=For.ENDPOINTS, why=f"pod {pod} is still in {described(places[0], snapshot)}")
    since, withdrawn = snapshot.absent_since.get(pod.uid), snapshot.withdrawn_since.get(pod.uid)
    if not pod.is_withdrawn:
        # Without a Service it was never in a slice; unless the Service went away while we looked.
        if since is None or since == snapshot.began:
            return None
        withdrawn = since
    if since is None or withdrawn is None:
        return Wait(on=For.ENDPOINTS, why=f"pod {pod} was not yet seen absent from every EndpointSlice")
    since = max(since, withdrawn)
    kept = governing_service_of(pod, snapshot.workloads)
    left = (service for service in snapshot.original_services_of(pod) if service.name != kept)
    settle = settings.settle_for(is_headless=any(service.is_headless for service in left))
    if snapshot.at - since >= settle:
        return None
    seconds = settle.total_seconds()
    return Wait(
        on=For.SETTLE, why=f"pod {pod} left every EndpointSlice; settling for {seconds:.0f}s", until=since + settle
    )


def _is_to_leave(pod: Pod, place: Endpoint, snapshot: Snapshot) -> bool:
    is_borne = (place.namespace, place.slice) in snapshot.kept_slices
    return not is_borne and not is_governing(place, pod, snapshot.workloads)


def _wait_for_targets(pod: Pod, snapshot: Snapshot, settings: Settings) -> Wait | None:
    withdrawn, absent = snapshot.withdrawn_since.get(pod.uid), snapshot.absent_since.get(pod.uid)
    if withdrawn and absent:
        # One that came back to a slice meanwhile was registered anew.
        withdrawn = max(withdrawn, absent)
    for target in snapshot.targets_of(pod):
        if target.group in snapshot.unseen:
            wait = wait_for_time(target.group, withdrawn, snapshot, settings)
        else:
            wait = wait_to_leave(target, withdrawn, snapshot, after="the withdrawal")
        if wait:
            return wait
    return None


def wait_to_leave(target: Target, since: datetime | None, snapshot: Snapshot, *, after: str) -> Wait | None:
    """Return the wait for a target that is to leave its group since then; `after` says in words since when."""
    health = snapshot.health.get(target)
    if health is None or since is None or health.asked_at <= since:
        why = f"target {target} was not asked for since {after}"
    elif not health.is_gone:
        why = _why_not_gone(target, health, snapshot)
    elif snapshot.at - health.asked_at > snapshot.health_max_age:
        why = f"target {target} was gone, but that answer is old"
    else:
        return None
    # Why there is no newer answer, where its group could not be asked again.
    trouble = snapshot.stale_health.get(target.group)
    return Wait(on=For.TARGETS, why=f"{why}: {trouble}" if trouble else why)


def wait_for_time(group: str, withdrawn: datetime | None, snapshot: Snapshot, settings: Settings) -> Wait | None:
    """Return the wait for a target of a group that can't be asked; None once it is taken to have drained."""
    name, drain_wait = group_name(group), settings.drain_wait
    if withdrawn is None or drain_wait is None:
        return Wait(on=For.TARGETS, why=f"target group {name} can't be asked, and the withdrawal was not seen yet")
    if snapshot.at - withdrawn >= drain_wait:
        return None
    # A wait for time, not for AWS: the deadline of targets is not for it.
    why = f"target group {name} can't be asked; waiting --drain-wait {go_duration(drain_wait)}"
    return Wait(on=For.SETTLE, why=why, until=withdrawn + drain_wait)


def _why_not_gone(target: Target, health: TargetHealth, snapshot: Snapshot) -> str:
    if health.state in {State.HEALTHY, State.UNHEALTHY, State.INITIAL}:
        return f"target {target} is still {health}: the load balancer controller has not deregistered it yet"
    return f"target {target} is {health}{_delay(target.group, snapshot)}"


def _delay(group: str, snapshot: Snapshot) -> str:
    known = snapshot.groups.get(group)
    if known is None:
        return ""
    return f" (deregistration delay of {group_name(group)}: {known.deregistration_delay.total_seconds():.0f}s)"
