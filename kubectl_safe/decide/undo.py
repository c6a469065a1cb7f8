"""Whether a release can be taken back without a pod in service paying for it.

A pod that is given back makes its ReplicaSet one too many, and the ReplicaSet deletes one. It takes pods that are not
Ready before any that is (kubernetes pkg/controller/controller_utils.go, ActivePodsWithRanks), so that it is safe
exactly while at least as many are not Ready as are too many: the replacement that never came, most often. A DaemonSet
keeps the oldest pod of each node, which is the one that is given back (pkg/controller/daemon/daemon_controller.go,
podsShouldBeOnNode): it is safe while none of the younger ones is Ready.

A load balancer asks nobody whether a pod is Ready. It sends requests to a target as soon as that passes its health
checks, and the pod's readiness gate becomes True up to 15 s later, or never where another gate is missing. So those
that are not Ready must be seen to get nothing from there either.

What is known may be behind by the lag of an event. So whoever gives a pod back reads the ones that are not Ready once
more, right before.
"""

from collections.abc import Set as AbstractSet
from datetime import timedelta

from kubectl_safe.decide.actions import Undo
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.surplus import is_member
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import State, Target
from kubectl_safe.model.workload import ReplicaSet, Workload

_JUST_NOW = timedelta(seconds=1)
"""So old may an answer be: no target that fails its health checks, or is not registered yet, gets requests sooner."""


def safe_undo(pod: Pod, workload: Workload, snapshot: Snapshot, *, undone: AbstractSet[str]) -> Undo | None:
    """Return what gives a released pod back; None where it can't be.

    `undone` are UIDs of those that are given back at this instant.
    """
    idle = _idle_instead(pod, workload, snapshot, undone)
    return None if idle is None else Undo(pod=pod, owner=reference_to(workload), idle=idle)


def _idle_instead(pod: Pod, workload: Workload, snapshot: Snapshot, undone: AbstractSet[str]) -> tuple[Pod, ...] | None:
    """Return as many pods that are not Ready as go for one that is given back; None where others may go."""
    if workload.replaces_in_place:
        # It was not released: there is but a note to take off, of a withdrawal that somebody took back.
        return None if pod.controller is None else ()
    owner = _adopter_of(pod, workload, snapshot)
    if owner is None:
        return None
    is_daemon = owner.kind == "DaemonSet"
    others = [o for o in snapshot.pods.values() if o.uid != pod.uid and (o.node == pod.node or not is_daemon)]
    returning = 1 + sum(owner.selector.matches(other.original_labels) for other in others if other.uid in undone)
    members = [other for other in others if is_member(other, owner)]
    surplus = len(members) + returning - (1 if is_daemon else owner.replicas)
    if surplus <= 0:
        return ()
    idle = tuple(other for other in members if not other.is_ready)
    is_safe = len(idle) >= surplus and not any(_may_be_sent_requests(other, snapshot) for other in idle)
    return idle[:surplus] if is_safe else None


def _may_be_sent_requests(pod: Pod, snapshot: Snapshot) -> bool:
    """Tell whether a load balancer may send requests to a pod that is not Ready.

    One whose containers are not ready is registered nowhere. For a group that can't be asked its gate stands, as the
    reader allowed.
    """
    targets = snapshot.targets_of(pod) if pod.has_ready_containers else ()
    return any(target.group not in snapshot.unseen and not _is_out(target, snapshot) for target in targets)


def _is_out(target: Target, snapshot: Snapshot) -> bool:
    """Tell whether a target was just seen to get no requests; one that is `initial` may do so the next moment."""
    health = snapshot.health.get(target)
    if health is None or snapshot.at - health.asked_at > _JUST_NOW:
        return False
    return health.state in {State.UNUSED, State.UNHEALTHY}


def _adopter_of(pod: Pod, workload: Workload, snapshot: Snapshot) -> ReplicaSet | Workload | None:
    """Return what would adopt the pod by its old labels: a ReplicaSet, or a DaemonSet."""
    known = (workload,) if workload.kind == "DaemonSet" else snapshot.replica_sets_of(workload)
    return next((owner for owner in known if owner.selector.matches(pod.original_labels)), None)
