"""The floor of each Service: the last pod that it leads to stays, whosoever the pods are that it selects."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from kubectl_safe.decide.allow import DOWNTIME
from kubectl_safe.decide.decision import Blocked, Step
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.settings import Settings
from kubectl_safe.decide.step import release_label, step_of
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.selector import Labels
from kubectl_safe.model.service import Service
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload


def is_owed(workload: Workload, settings: Settings) -> bool:
    """Tell whether there is to be a pod in service at any moment: not of a workload that was scaled to nothing."""
    return workload.replicas > 0 and DOWNTIME not in settings.allow


def service_below_floor(pod: Pod, *, leaving: AbstractSet[str], snapshot: Snapshot) -> str:
    """Return which Service would be left without a ready endpoint; empty where none would.

    Enough pods of the workload in service say nothing of a Service that selects only some of them, such as the one
    that is labelled as their leader.
    """
    for service in snapshot.services_to_leave(pod):
        ready = {place.pod_uid for place in snapshot.endpoints_of(service) if place.is_ready}
        others = (snapshot.pods.get(uid) for uid in ready - {pod.uid} - leaving)
        if pod.uid in ready and not any(other and _stays_in(service, other) for other in others):
            return f"service {service.namespace}/{service.name} would be left without a ready endpoint"
    return ""


def last_endpoints(workload: Workload, intent: Intent, snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse to take the last pod from a Service that no replacement would be in, or not in time, telling each once."""
    if not is_owed(workload, intent.settings):
        return
    told: set[str] = set()
    for pod in snapshot.pods_of(workload):
        if pod.uid not in intent.uids or step_of(pod) is not Step.QUEUED or not pod.is_ready:
            continue
        is_first = intent.settings.surge_of(workload) > 0 and release_label(pod, snapshot) is not None
        for service in snapshot.services_to_leave(pod):
            lacking = _lacking(service, pod, snapshot)
            is_replaced = is_first and not lacking
            if service.name not in told and not is_replaced and not _others_stay(service, pod, intent, snapshot):
                told.add(service.name)
                yield Blocked(reason=DOWNTIME, why=_why(service, pod, workload, lacking))


def _stays_in(service: Service, pod: Pod) -> bool:
    return service.selects(pod.namespace, pod.labels) and not (pod.is_terminating or pod.is_finished)


def _others_stay(service: Service, pod: Pod, intent: Intent, snapshot: Snapshot) -> bool:
    """Tell whether a Service keeps another pod, or one that will have come for it."""
    return any(
        other.uid != pod.uid
        and _stays_in(service, other)
        and (other.uid not in intent.uids or not _lacking(service, other, snapshot))
        for other in snapshot.pods.values()
    )


def _lacking(service: Service, pod: Pod, snapshot: Snapshot) -> Labels:
    """Return what a Service selects by that the pod's replacement will not be created with."""
    template = snapshot.template_of(pod)
    if template is None:
        return {}
    return {key: value for key, value in service.selector.items() if template.get(key) != value}


def _why(service: Service, pod: Pod, workload: Workload, lacking: Labels) -> str:
    named = f"service {service.namespace}/{service.name}"
    if not lacking:
        return (
            f"{named} leads to pod {pod.name} alone, and would lead nowhere while it is replaced: answer for it with "
            f"--allow {DOWNTIME}"
        )
    wanted = ",".join(f"{key}={value}" for key, value in sorted(lacking.items()))
    return (
        f"{named} would lead nowhere: it selects pod {pod.name} by {wanted}, which new pods of {workload.subject} do "
        f"not have; label one that stays so first, or answer for it with --allow {DOWNTIME}"
    )
