"""Whether a replacement lacks the room that its pod has, or that others are about to leave."""

from collections.abc import Sequence

from kubectl_safe.decide.decision import For, Wait
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload

_FULL = (
    "Insufficient ",
    "Too many pods",
    "exceed max volume count",
    "didn't have free ports for the requested pod ports",
    "didn't match pod anti-affinity rules",
    "didn't satisfy existing pods anti-affinity rules",
)
"""The scheduler's words for nodes where a pod that leaves makes room (kubernetes pkg/scheduler/framework/plugins)."""
_UNEVEN = "didn't match pod topology spread constraints"
"""Its words for nodes with more such pods than others have, cordoned ones among them (podtopologyspread/plugin.go)."""
_QUOTA = "exceeded quota"
"""Those of the API server (kubernetes plugin/pkg/admission/resourcequota)."""


def room_comes_free(workload: Workload, draining: Sequence[Pod], snapshot: Snapshot) -> bool:
    """Tell whether a replacement lacks room while pods are on their way out: until they are gone it may yet come."""
    return any(
        (pod.namespace == workload.namespace and _lacks_quota(workload, snapshot))
        or (_may_be_used(pod.node, snapshot) and _lacks_node(workload, snapshot, *_FULL, _UNEVEN))
        for pod in draining
    )


def remedy_for_room(planned: Planned, wait: Wait, snapshot: Snapshot, intent: Intent) -> str:
    """Return what helps a replacement that lacks room; empty where that is not known to help.

    - A pod that withdraws first leaves its part of a quota.
    - It leaves room on its node, too. Where that is cordoned, as on a drain, it is of no use; but the pods can go
      without their replacements, which come once a node takes them.
    - Topology spread constraints count a cordoned node, unless they are told not to, and the emptier it is, the fewer
      pods may come to the others.
    - The only pod of its workload can't go first, nor can all of them; and one that was not released does already.
    """
    workload = snapshot.workloads.get(planned.workload.uid) if planned.workload else None
    pod = snapshot.pods.get(planned.uid)
    if wait.on is not For.REPLACEMENT or workload is None or pod is None or not pod.is_released:
        return ""
    if intent.settings.surge_of(workload) == 0:
        return ""
    is_usable, is_full = _may_be_used(planned.node, snapshot), _lacks_node(workload, snapshot, *_FULL)
    if workload.replicas > 1 and (_lacks_quota(workload, snapshot) or (is_usable and is_full)):
        return "with --max-surge 0 a pod makes room for its replacement first"
    return "" if is_usable else _beside_a_cordon(workload, snapshot, intent, is_full=is_full)


def _beside_a_cordon(workload: Workload, snapshot: Snapshot, intent: Intent, *, is_full: bool) -> str:
    """Return what helps where the room that a pod leaves is on a cordoned node."""
    if not is_full:
        remedy = (
            "its topology spread constraints count the cordoned node, where no pod may come: with nodeTaintsPolicy: "
            f"Honor in the template of {workload.subject} they do not"
        )
        return remedy if _lacks_node(workload, snapshot, _UNEVEN) else ""
    ours = (
        its.workload is not None and its.workload.uid == workload.uid for its in intent.pods if its.uid in snapshot.pods
    )
    if (going := sum(ours)) >= workload.replicas:
        return ""
    missing = f" --max-unavailable {going}" if going > 1 else ""
    return f"with --max-surge 0{missing} it goes first, and its replacement comes once a node has room for it"


def _lacks_quota(workload: Workload, snapshot: Snapshot) -> bool:
    return any(_QUOTA in replica_set.failure for replica_set in snapshot.replica_sets_of(workload))


def _lacks_node(workload: Workload, snapshot: Snapshot, *words: str) -> bool:
    """Tell whether the scheduler says one of these words of a pod that waits for a node."""
    found = (pod.conditions.get("PodScheduled") for pod in snapshot.pods_of(workload))
    return any(it is not None and not it.is_true and any(its in it.message for its in words) for it in found)


def _may_be_used(node: str | None, snapshot: Snapshot) -> bool:
    known = snapshot.nodes.get(node) if node else None
    return known is None or not known.is_unschedulable
