"""Which pods an abort ends: those whose handoff is under way, whoever began it."""

from collections.abc import Iterable

from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.pod import OwnerReference, Pod
from kubectl_safe.model.snapshot import Snapshot

WHY = "aborted"


def plan_abort(pods: Iterable[Pod], snapshot: Snapshot, settings: Settings) -> Intent:
    """Return the intent to end the handoffs of pods: released ones are given back, withdrawn ones finished."""
    planned = tuple(
        Planned(uid=pod.uid, namespace=pod.namespace, name=pod.name, node=pod.node or "", workload=owner)
        for pod in pods
        if (handoff := pod.handoff) and ((owner := _workload(pod, snapshot)) or handoff.is_alone)
    )
    return Intent(pods=planned, settings=settings, given_up={pod.uid: WHY for pod in planned})


def _workload(pod: Pod, snapshot: Snapshot) -> OwnerReference | None:
    """Return the workload whose pod it is; one that is gone is known by the plain reference that the release left."""
    workload = snapshot.workload_of(pod)
    if workload is not None:
        return reference_to(workload)
    return next((owner for owner in pod.owners if not owner.is_controller), None)
