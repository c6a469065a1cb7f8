"""Whether a replacement lacks the room that its pod has, and would get it where that goes first."""

from kubectl_safe.decide.decision import For, Wait
from kubectl_safe.decide.intent import Planned
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot

_FULL = ("Insufficient ", "Too many pods")
"""The scheduler's words for nodes that are full (kubernetes pkg/scheduler/framework/plugins/noderesources/fit.go)."""
_QUOTA = "exceeded quota"
"""Those of the API server (kubernetes plugin/pkg/admission/resourcequota)."""


def remedy_for_room(planned: Planned, wait: Wait, snapshot: Snapshot) -> str:
    """Return what helps a replacement that lacks room; empty where that is not known to help.

    - A pod that withdraws first leaves its part of a quota.
    - It leaves room on its node, too, which is of use unless that is cordoned, as on a drain.
    - The only pod of its Deployment can't go first.
    """
    deployment = snapshot.deployments.get(planned.workload.uid) if planned.workload else None
    if wait.on is not For.REPLACEMENT or deployment is None or deployment.replicas <= 1:
        return ""
    lacks = any(_QUOTA in replica_set.failure for replica_set in snapshot.replica_sets_of(deployment))
    node = snapshot.nodes.get(planned.node)
    if node is None or not node.is_unschedulable:
        lacks = lacks or any(_finds_nodes_full(pod) for pod in snapshot.pods_of(deployment))
    return "; with --max-surge 0 a pod makes room for its replacement first" if lacks else ""


def _finds_nodes_full(pod: Pod) -> bool:
    scheduled = pod.conditions.get("PodScheduled")
    return scheduled is not None and not scheduled.is_true and any(words in scheduled.message for words in _FULL)
