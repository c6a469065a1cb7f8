"""Whether a release can be taken back without a pod in service paying for it.

A pod that is given back makes its ReplicaSet one too many, and the ReplicaSet deletes one. It takes pods that are not
Ready before any that is (kubernetes pkg/controller/controller_utils.go, ActivePodsWithRanks), so that it is safe
exactly while at least as many are not Ready as are too many: the replacement that never came, most often.
"""

from collections.abc import Set as AbstractSet

from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import ReplicaSet, Workload


def is_safe_to_undo(pod: Pod, workload: Workload, snapshot: Snapshot, *, undone: AbstractSet[str]) -> bool:
    """Tell whether a released pod can be given back; `undone` are UIDs of those that are given back at this instant."""
    replica_set = _replica_set_of(pod, workload, snapshot)
    if replica_set is None:
        return False
    returning = 1 + sum(
        replica_set.selector.matches(other.original_labels)
        for uid in undone
        if uid != pod.uid and (other := snapshot.pods.get(uid))
    )
    members = [other for other in snapshot.pods.values() if other.uid != pod.uid and _is_member(other, replica_set)]
    surplus = len(members) + returning - replica_set.replicas
    return sum(not other.is_ready for other in members) >= surplus


def _replica_set_of(pod: Pod, workload: Workload, snapshot: Snapshot) -> ReplicaSet | None:
    """Return the ReplicaSet that would adopt the pod by its old labels."""
    return next(
        (
            r
            for r in snapshot.replica_sets.values()
            if r.owner and r.owner.uid == workload.uid and r.selector.matches(pod.original_labels)
        ),
        None,
    )


def _is_member(pod: Pod, replica_set: ReplicaSet) -> bool:
    """Tell whether a ReplicaSet counts the pod, or is about to adopt it."""
    controller = pod.controller
    return (
        pod.namespace == replica_set.namespace
        and replica_set.selector.matches(pod.labels)
        and (controller is None or controller.uid == replica_set.uid)
        and not pod.is_terminating
        and not pod.is_finished
    )
