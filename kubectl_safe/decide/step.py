"""Where one pod is on its way from queued to gone, as it is read off the pod and its controller."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from kubectl_safe.decide.decision import For, Skipped, Step, Wait
from kubectl_safe.decide.labels import label_to_release
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload


def step_of(pod: Pod | None) -> Step:
    """Return where a pod is on its way."""
    if pod is None:
        return Step.GONE
    if pod.is_terminating:
        return Step.TERMINATING
    if pod.is_withdrawn:
        return Step.WITHDRAWN
    return Step.RELEASED if pod.is_released else Step.QUEUED


def stopping(pod: Pod) -> Wait:
    """Return the wait for a pod that is on its way out."""
    return Wait(on=For.TERMINATION, why=f"pod {pod} is stopping (grace period {pod.grace_period_seconds}s)")


def skipped(pod: Pod, longest: timedelta | None, at: datetime) -> Skipped | None:
    """Return that a pod is not waited for as it terminates for too long; None for one that is.

    Source: k8s.io/kubectl/pkg/drain/filters.go (shouldSkipPod), which counts whole seconds from the deletionTimestamp.
    """
    if longest is None or pod.deletion_timestamp is None:
        return None
    whole = (at - pod.deletion_timestamp) // timedelta(seconds=1)
    limit = int(longest.total_seconds())
    if whole <= limit:
        return None
    return Skipped(why=f'pod "{pod.name}" has DeletionTimestamp older than {limit} seconds, skipping')


def by_force(pod: Pod) -> str:
    """Return what to do about a pod that its node does not end: the API server keeps it until the node says so."""
    return (
        f"node {pod.node} has not ended it; if that node is gone for good, "
        f"kubectl delete pod {pod.name} -n {pod.namespace} --force"
    )


def release_label(pod: Pod, snapshot: Snapshot) -> str | None:
    """Return the label whose loss takes the pod from its controller alone; None where there is none."""
    selector = snapshot.selector_of(pod)
    return label_to_release(pod, selector, snapshot) if selector else None


def surge_of(workload: Workload, pods: Iterable[Pod], settings: Settings, snapshot: Snapshot) -> int:
    """Return how many of these pods may serve beyond the wanted number.

    None, where no label takes one of them from its controller alone: it leaves its Services first.
    """
    can_be_released = all(release_label(pod, snapshot) for pod in pods if step_of(pod) is Step.QUEUED)
    return settings.surge_of(workload) if can_be_released else 0
