"""What a ReplicaSet counts as its pods, and which of them it is about to delete.

One that has too many takes pods that are not Ready before any that is (kubernetes pkg/controller/controller_utils.go,
ActivePodsWithRanks). Between a scale-down and what is deleted for it lies the lag of two controllers.
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


def ready_too_many(workload: Workload, snapshot: Snapshot) -> int:
    """Return how many Ready pods of a workload its ReplicaSets are about to delete; nobody knows which."""
    return sum(_ready_too_many(its, workload, snapshot) for its in snapshot.replica_sets_of(workload))


def _ready_too_many(owner: ReplicaSet, workload: Workload, snapshot: Snapshot) -> int:
    ready = sum(pod.is_ready and _may_count(pod, owner) for pod in snapshot.pods_of(workload))
    return max(0, ready - min(owner.replicas, workload.replicas))


def _may_count(pod: Pod, owner: ReplicaSet) -> bool:
    """Tell whether a ReplicaSet may count a pod: also one that lost its labels, until it was seen to let go of that."""
    controller = pod.controller
    is_its = controller is not None and controller.uid == owner.uid and not pod.is_terminating
    return is_its or is_member(pod, owner)
