"""The StatefulSet that a pod has its name from, and the Service by which its others find it there: that it keeps."""

from collections.abc import Mapping

from kubectl_safe.model.pod import Pod
from kubectl_safe.model.service import Endpoint
from kubectl_safe.model.workload import Workload

POD_NAME = "statefulset.kubernetes.io/pod-name"
IDENTITY = frozenset({POD_NAME, "apps.kubernetes.io/pod-index"})
"""Labels that a StatefulSet gives each pod beside those of its template: its name and its number."""


def governing_service_of(pod: Pod, workloads: Mapping[str, Workload]) -> str:
    """Return the name of the Service by which the other pods of its StatefulSet find a pod; empty for none."""
    owners = [workloads.get(owner.uid) for owner in pod.owners] or [lost_by(pod, workloads)]
    return next((its.governing_service for its in owners if its and its.governing_service), "")


def is_governing(place: Endpoint, pod: Pod, workloads: Mapping[str, Workload]) -> bool:
    """Tell whether a pod's place is in the Service by which its StatefulSet's pods find each other: it stays there."""
    governing = governing_service_of(pod, workloads)
    return bool(governing) and place.service == governing


def lost_by(pod: Pod, workloads: Mapping[str, Workload]) -> Workload | None:
    """Return the StatefulSet whose name a handed over pod bears that nobody owns.

    A StatefulSet that lets go of a pod deletes the reference with its UID from it, also where that is the plain one
    that the withdrawal has left there.
    """
    if pod.owners or not pod.is_released or pod.is_terminating:
        return None
    prefix, _, number = pod.name.rpartition("-")
    return next(
        (
            its
            for its in workloads.values()
            if its.names_its_pods
            and (its.namespace, its.name) == (pod.namespace, prefix)
            and number.isdecimal()
            and its.selector.matches(pod.original_labels)
        ),
        None,
    )
