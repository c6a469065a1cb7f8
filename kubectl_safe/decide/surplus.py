"""What a ReplicaSet counts as its pods, and which of them it is about to delete.

One that has too many takes pods that are not Ready before any that is (kubernetes pkg/controller/controller_utils.go,
ActivePodsWithRanks), as it sees them by then: between a scale-down and what goes for it is the lag of two controllers.
"""

from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import ReplicaSet, Workload


def is_member(pod: Pod, owner: ReplicaSet | Workload) -> bool:
    """Tell whether a controller counts the pod, or is about to adopt it."""
    controller = pod.controller
    return (
        pod.namespace == owner.namespace
        and owner.selector.matches(pod.labels)
        and (controller is None or controller.uid == owner.uid)
        and not pod.is_terminating
        and not pod.is_finished
    )


def surplus(workload: Workload, snapshot: Snapshot) -> str:
    """Return which ReplicaSet of a workload is about to delete pods, and how many it keeps; empty where none is.

    Nobody knows which: one that is not Ready may be at the next moment, and another go in its place.
    """
    for owner in snapshot.replica_sets_of(workload):
        kept = min(owner.replicas, workload.replicas)
        count = sum(_may_count(pod, owner) for pod in snapshot.pods_of(workload))
        if count > kept:
            what = f"{owner.kind.lower()} {owner.name}"
            return f"{what} has {count} pods and is to keep {kept}; which of them it deletes shows then"
    return ""


def _may_count(pod: Pod, owner: ReplicaSet) -> bool:
    """Tell whether a ReplicaSet may count a pod: also one that lost its labels, until it was seen to let go of that."""
    controller = pod.controller
    is_its = controller is not None and controller.uid == owner.uid and not pod.is_terminating and not pod.is_finished
    return is_its or is_member(pod, owner)
