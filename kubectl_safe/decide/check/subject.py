"""What a finding is about."""

from dataclasses import dataclass

from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The object that a finding is about."""

    kind: str
    """As kubectl takes it, in lower case and with its group where it has one: `deployment.apps`."""
    name: str
    namespace: str = ""
    """Empty for what is in none, such as nodes."""

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def of_workload(workload: Workload) -> Subject:
    """Return a workload as the object of a finding; what makes a ReplicaSet in its place, as it would undo changes."""
    if owner := workload.owner:
        group = f".{owner.api_version.partition('/')[0]}" if "/" in owner.api_version else ""
        return Subject(kind=f"{owner.kind.lower()}{group}", name=owner.name, namespace=workload.namespace)
    group = "" if workload.kind == "ReplicationController" else ".apps"
    return Subject(kind=f"{workload.kind.lower()}{group}", name=workload.name, namespace=workload.namespace)


def of_pod(pod: Pod, snapshot: Snapshot) -> Subject:
    """Return the workload of a pod, by which its fault is remedied; the pod itself where it has none that is known."""
    workload = snapshot.workload_of(pod)
    return of_workload(workload) if workload else Subject(kind="pod", name=pod.name, namespace=pod.namespace)
