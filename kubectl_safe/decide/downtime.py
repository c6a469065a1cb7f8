"""Whether a workload would have a moment with no pod in service, or with a pod stopped that still gets requests."""

from collections.abc import Iterator

from kubectl_safe.decide.allow import DOWNTIME
from kubectl_safe.decide.decision import Blocked, Step
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.labels import labels_to_withdraw
from kubectl_safe.decide.step import release_label, step_of, surge_of
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.volume import ONE_POD
from kubectl_safe.model.workload import Workload

_ITS_OWN_SURGE = "set its updateStrategy.rollingUpdate to maxSurge: 1, maxUnavailable: 0, if two can share a node"


def downtime(workload: Workload, intent: Intent, snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse what would leave nobody in service, or can't be done at all within the numbers that are given."""
    settings = intent.settings
    if workload.replicas == 0 or DOWNTIME in settings.allow:
        return
    unavailable = settings.unavailable_of(workload, is_withdraw_first=True)
    if unavailable == 0 and surge_of(workload, _queued(workload, intent, snapshot), settings, snapshot) == 0:
        can_surge = settings.surge_of(workload) == 0 and not workload.replaces_in_place
        remedy = "--max-surge 1 or --max-unavailable 1" if can_surge else "--max-unavailable 1"
        yield Blocked(
            reason=DOWNTIME,
            why=f"{workload.subject} may run no pod beyond its {workload.replicas} and miss none, so none "
            f"can go: give it {remedy}",
        )
    elif workload.replicas - unavailable >= 1:
        yield from _unleavable(workload, intent, snapshot)
    elif remedy := _remedy(workload, intent, snapshot):
        yield Blocked(
            reason=DOWNTIME,
            why=f"{workload.subject} may run no pod beyond its {workload.replicas}, so none would be in service: "
            f"{remedy}, or answer for it with --allow {DOWNTIME}",
        )


def _remedy(workload: Workload, intent: Intent, snapshot: Snapshot) -> str:
    """Return what lets a second pod run beside the only one; empty where one does in any case."""
    has_surge = intent.settings.surge_of(workload) > 0
    is_inseparable = any(release_label(pod, snapshot) is None for pod in _queued(workload, intent, snapshot))
    remedies = (
        (workload.names_its_pods, "the name of its pod has to be free first; scale it up first"),
        (workload.replaces_in_place, _ITS_OWN_SURGE),
        (
            workload.strategy == "Recreate",
            "its strategy is Recreate, so two pods must never run at once; scale it up first",
        ),
        (workload.exclusive_volume and not has_surge, _remedy_for_volume(workload)),
        (not has_surge, "give it --max-surge 1"),
        (is_inseparable, "its Services use every label that its ReplicaSet selects by; scale it up first"),
    )
    return next((remedy for is_so, remedy in remedies if is_so), "")


def _remedy_for_volume(workload: Workload) -> str:
    """Return what to do about a volume: a second pod on the same node can use all but one kind."""
    volume = workload.exclusive_volume
    if ONE_POD in volume:
        return f"only one pod at a time can use its volume {volume}"
    same_node = "give it --max-surge 1 if its next pod comes to the same node"
    return f"two nodes can't use its volume {volume} at once; {same_node}"


def _unleavable(workload: Workload, intent: Intent, snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse to stop a pod of a DaemonSet while it gets requests, telling one that can't leave its Services first.

    Where a StatefulSet's governing Service keeps its pods in the others, the plan says so.
    """
    if workload.kind != "DaemonSet":
        return
    for pod in _queued(workload, intent, snapshot):
        if labels_to_withdraw(pod, snapshot) is None:
            names = " and ".join(sorted(service.name for service in snapshot.services_to_leave(pod)))
            yield Blocked(
                reason=DOWNTIME,
                why=f"pod {pod} can't leave service {names} without leaving {workload.subject}, as both select by the "
                f"same labels, and another must not come to its node before it is gone: {_ITS_OWN_SURGE}, or have it "
                f"stopped while it gets requests with --allow {DOWNTIME}",
            )
            return


def _queued(workload: Workload, intent: Intent, snapshot: Snapshot) -> list[Pod]:
    """Return the pods of a workload that are still to be handed over."""
    return [p for p in snapshot.pods_of(workload) if p.uid in intent.uids and step_of(p) is Step.QUEUED]
