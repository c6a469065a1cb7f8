"""What a pod is to its clients at one instant, read off a snapshot for people to see.

Whether a pod is in service is `decide`'s answer. Where that is "unknown", what was seen last is shown: a picture may be
of a moment ago, a decision may not.
"""

from collections.abc import Iterable
from datetime import datetime

from kubectl_safe.decide.verdict import InService, OutOfService, Unknown, verdict
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import State, Target
from kubectl_safe.model.workload import Workload
from kubectl_safe.render.timeline import IN_SERVICE, Health, Phase

IN_USE = IN_SERVICE | {Phase.ARRIVING, Phase.CUT_OFF}
"""A pod that arrives already answers on some of its ways in."""

NEW = frozenset({Phase.STARTING, Phase.ARRIVING})

WORST = (Health.DRAINING, Health.LEAVING, Health.UNHEALTHY, Health.INITIAL, Health.HEALTHY)
"""Of a pod in several target groups, the first one is shown."""

KNOWN = {
    State.INITIAL: Health.INITIAL,
    State.HEALTHY: Health.HEALTHY,
    State.UNHEALTHY: Health.UNHEALTHY,
    State.UNHEALTHY_DRAINING: Health.DRAINING,
    State.DRAINING: Health.DRAINING,
}


def phase_of(pod: Pod, workload: Workload | None, snapshot: Snapshot, before: Phase | None, *, is_old: bool) -> Phase:
    """Return what a pod is to its clients.

    Args:
        pod: as the snapshot has it.
        workload: whose pod it is; None where it has none, or its workload is gone.
        snapshot: what is known.
        before: what it was when it was looked at last; None the first time.
        is_old: whether it was there before the first look, so that it isn't starting now.
    """
    if pod.is_terminating:
        is_served = bool(snapshot.original_services_of(pod))
        return Phase.CUT_OFF if before in IN_USE and is_served else Phase.STOPPING
    if pod.is_withdrawn:
        return Phase.WITHDRAWN
    if _is_in_service(pod, workload, snapshot, before):
        return Phase.RELEASED if pod.is_released else Phase.SERVING
    if before in NEW or (before is None and not is_old):
        return Phase.ARRIVING if pod.has_ready_containers else Phase.STARTING
    return Phase.FAILING


def health_of(targets: Iterable[Target], snapshot: Snapshot, *, pod: Pod | None) -> Health | None:
    """Return the worst health of a pod's targets by the last answers; None where no group knows them.

    Nobody asks about a withdrawn pod's targets until its deregistration delay is nearly over: what was healthy before
    says nothing of what it is since. Of a pod that is gone (None) every answer counts.
    """
    since = snapshot.withdrawn_since.get(pod.uid) if pod else None
    found = set()
    for target in targets:
        health = snapshot.health.get(target)
        known = KNOWN.get(health.state) if health else None
        if health and known:
            is_old = since is not None and health.asked_at < since
            found.add(Health.LEAVING if is_old and known is Health.HEALTHY else known)
    return next((state for state in WORST if state in found), None)


def is_listed(pod: Pod, snapshot: Snapshot) -> bool:
    """Tell whether an EndpointSlice lists the pod as ready."""
    return any(endpoint.is_ready for endpoint in snapshot.endpoints_by_pod.get(pod.uid, ()))


def is_still_a_target(targets: Iterable[Target], snapshot: Snapshot, *, gone: datetime) -> bool:
    """Tell whether a target group still has the address of a pod that is gone, by an answer that came since then."""
    known = [snapshot.health.get(target) for target in targets]
    return any(health and health.asked_at >= gone and health.state in KNOWN for health in known)


def _is_in_service(pod: Pod, workload: Workload | None, snapshot: Snapshot, before: Phase | None) -> bool:
    if workload is None:
        return pod.is_ready
    match verdict(pod, workload, snapshot):
        case InService():
            return True
        case OutOfService():
            return False
        case Unknown():
            return before in IN_SERVICE
