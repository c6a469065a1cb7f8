"""Whether a replacement lacks the room that its pod has, or that others are about to leave."""

from collections.abc import Sequence

from kubectl_safe.decide.decision import For, Wait
from kubectl_safe.decide.intent import Planned
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload

_FULL = ("Insufficient ", "Too many pods")
"""The scheduler's words for nodes that are full (kubernetes pkg/scheduler/framework/plugins/noderesources/fit.go)."""
_QUOTA = "exceeded quota"
"""Those of the API server (kubernetes plugin/pkg/admission/resourcequota)."""


def room_comes_free(workload: Workload, draining: Sequence[Pod], snapshot: Snapshot) -> bool:
    """Tell whether a replacement lacks room while pods are on their way out: until they are gone it may yet come."""
    return any(
        (pod.namespace == workload.namespace and _lacks_quota(workload, snapshot))
        or (_may_be_used(pod.node, snapshot) and _lacks_node(workload, snapshot))
        for pod in draining
    )


def remedy_for_room(planned: Planned, wait: Wait, snapshot: Snapshot, settings: Settings) -> str:
    """Return what helps a replacement that lacks room; empty where that is not known to help.

    - A pod that withdraws first leaves its part of a quota.
    - It leaves room on its node, too, which is of use unless that is cordoned, as on a drain.
    - The only pod of its workload can't go first.
    """
    workload = snapshot.workloads.get(planned.workload.uid) if planned.workload else None
    if wait.on is not For.REPLACEMENT or workload is None or workload.replicas <= 1:
        return ""
    lacks = _lacks_quota(workload, snapshot)
    lacks = lacks or (_may_be_used(planned.node, snapshot) and _lacks_node(workload, snapshot))
    is_done = settings.surge_of(workload) == 0
    return "; with --max-surge 0 a pod makes room for its replacement first" if lacks and not is_done else ""


def _lacks_quota(workload: Workload, snapshot: Snapshot) -> bool:
    return any(_QUOTA in replica_set.failure for replica_set in snapshot.replica_sets_of(workload))


def _lacks_node(workload: Workload, snapshot: Snapshot) -> bool:
    """Tell whether a pod waits for a node that is not full."""
    found = (pod.conditions.get("PodScheduled") for pod in snapshot.pods_of(workload))
    return any(it is not None and not it.is_true and any(words in it.message for words in _FULL) for it in found)


def _may_be_used(node: str | None, snapshot: Snapshot) -> bool:
    known = snapshot.nodes.get(node) if node else None
    return known is None or not known.is_unschedulable
