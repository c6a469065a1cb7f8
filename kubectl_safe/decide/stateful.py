"""What is different with pods that have a name of their own: a StatefulSet creates one anew once its name is free.

While a withdrawn pod is there, its StatefulSet, which may have let go of it, fails to create another by that name, and
tries again after pauses of up to minutes. Any change of the StatefulSet makes it try at once.
"""

from collections.abc import Iterable, Iterator

from kubectl_safe.decide.actions import RemoveWake, Wake
from kubectl_safe.decide.decision import Decision, For, Gone, Wait
from kubectl_safe.decide.health import POLL
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.model.marks import WAKE
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload

REVISION = "controller-revision-hash"
"""The label that tells the template of a pod of a StatefulSet."""


def ordinal(pod: Pod | Planned, workload: Workload) -> int | None:
    """Return a pod's number in its StatefulSet; None where its name has none."""
    prefix, _, number = pod.name.rpartition("-")
    return int(number) if workload.names_its_pods and prefix == workload.name and number.isdecimal() else None


def is_wanted(pod: Pod | Planned, workload: Workload) -> bool:
    """Tell whether a workload is to have a pod of this name: a StatefulSet deletes the others, in service or not."""
    number = ordinal(pod, workload)
    return number is None or 0 <= number - workload.first_ordinal < workload.replicas


def is_pending(pod: Pod, workload: Workload) -> bool:
    """Tell whether a pod has another template than it would be created anew with, and waits for somebody to delete it.

    A controller that updates its pods itself does so in any case. A DaemonSet doesn't tell its newest revision, so that
    any of its pods may be one of the old ones that it counts.
    """
    if workload.strategy != "OnDelete":
        return False
    if not workload.names_its_pods:
        return workload.updated_replicas < workload.replicas
    return pod.labels.get(REVISION, workload.update_revision) != workload.update_revision


def after_it_is_gone(planned: Planned, snapshot: Snapshot) -> Decision:
    """Decide on a pod that is gone: one whose name is its own has to be created anew before it is done with."""
    workload = _waiting(planned, snapshot)
    if workload is None:
        return Gone()
    return Wait(on=For.REPLACEMENT, why=f"{workload.subject} has not created pod {planned.name} anew yet")


def wakes(intent: Intent, snapshot: Snapshot) -> Iterator[Wake]:
    """Return what makes StatefulSets create pods at once whose names are free, again every few seconds."""
    gone = (planned for planned in intent.pods if planned.uid not in snapshot.pods)
    waiting = {its.uid: its for planned in gone if (its := _waiting(planned, snapshot))}
    for workload in waiting.values():
        last = snapshot.woken_at.get((workload.namespace, workload.name))
        if last is None or snapshot.at - last >= POLL:
            yield Wake(workload=workload)


def wakes_to_remove(workloads: Iterable[Workload]) -> Iterator[RemoveWake]:
    """Return what takes our annotation off StatefulSets again."""
    return (RemoveWake(workload=its) for its in workloads if WAKE in its.annotations)


def _waiting(planned: Planned, snapshot: Snapshot) -> Workload | None:
    """Return the StatefulSet that is to create a pod of this name, and has not yet; None where none is."""
    workload = snapshot.workloads.get(planned.workload.uid) if planned.workload else None
    if workload is None or workload.is_terminating:
        return None
    is_owed = ordinal(planned, workload) is not None and is_wanted(planned, workload)
    return workload if is_owed and all(pod.name != planned.name for pod in snapshot.pods_of(workload)) else None
