"""Who owns a pod, and whether its owner is one whose pods can be handed over."""

from kubectl_safe.decide.allow import UNKNOWN_OWNER
from kubectl_safe.decide.decision import Blocked
from kubectl_safe.model.pod import OwnerReference, Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload


def without_handoff(pod: Pod) -> bool:
    """Tell whether no replacement is owed to a pod: it is finished, bare, or of a Job or a DaemonSet."""
    controller, handoff = pod.controller, pod.handoff
    if pod.is_finished:
        return True
    if controller is None:
        return handoff is None or handoff.is_alone
    return (controller.api_version, controller.kind) in {("batch/v1", "Job"), ("apps/v1", "DaemonSet")}


def workload_of(pod: Pod, snapshot: Snapshot) -> OwnerReference | Blocked:
    """Return the workload whose pod it is, as an owner reference; or why its owner can't be told to replace it."""
    workload = snapshot.workload_of(pod)
    if workload is not None:
        return reference_to(workload)
    owner = pod.controller or next(iter(pod.owners), None)
    if owner is None:
        return Blocked(
            reason=UNKNOWN_OWNER,
            why=f"pod {pod} was cut off from a Deployment that was deleted without its pods (--cascade=orphan); "
            f"{by_hand(pod)}",
        )
    named = f"{owner.kind} {owner.name}"
    return Blocked(
        reason=UNKNOWN_OWNER,
        why=f"pod {pod} is owned by {named}, of which is not known how it replaces its pods: answer for it with "
        f"--allow {UNKNOWN_OWNER}, and it leaves its Services and is evicted, whether another serves by then or not",
    )


def by_hand(pod: Pod) -> str:
    """Return what to do about a pod that no controller will ever replace or delete."""
    return f"once nobody needs it: kubectl delete pod {pod.name} -n {pod.namespace}"


def reference_to(workload: Workload) -> OwnerReference:
    """Return a plain owner reference to a workload."""
    api_version = "v1" if workload.kind == "ReplicationController" else "apps/v1"
    return OwnerReference(api_version=api_version, kind=workload.kind, name=workload.name, uid=workload.uid)
