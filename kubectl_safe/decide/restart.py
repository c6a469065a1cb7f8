"""Which pods a restart moves, and which workloads it refuses."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from kubectl_safe.decide.intent import Planned
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.model.marks import Operation
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import ReplicaSet, Workload

LATELY = timedelta(hours=1)
"""A restart that was begun so lately, and lacks but its last writes, is not done again by the same command."""


def refusal(workload: Workload, snapshot: Snapshot) -> str:
    """Return why a workload can't be restarted now, with the remedy; empty where it can.

    `kubectl rollout restart` refuses a paused Deployment too. In the middle of a rollout its controller is replacing
    the same pods, and two would work against each other.
    """
    name = workload.subject
    if workload.is_terminating:
        return f"{name} is being deleted"
    if workload.is_paused:
        return f"{name} is paused: resume it first (kubectl rollout resume {workload.named})"
    old = [r for r in _replica_sets(workload, snapshot) if r.replicas > 0]
    is_behind = workload.observed_generation < workload.generation
    if is_behind or len(old) > 1 or _is_rolling(workload):
        return f"{name} is in the middle of a rollout: wait for it (kubectl rollout status {workload.named})"
    return ""


def _is_rolling(workload: Workload) -> bool:
    """Tell whether its controller replaces pods by itself; with a partition or OnDelete, old ones may stay."""
    if workload.strategy == "OnDelete" or workload.partition:
        return False
    if workload.names_its_pods:
        return workload.current_revision != workload.update_revision
    return workload.updated_replicas < workload.status_replicas


def under_way(workloads: Iterable[Workload], options: str, snapshot: Snapshot) -> Mapping[str, Operation]:
    """Return the restarts that a command on these Deployments goes on with, by the Deployment's UID.

    A restart is under way while a pod of its plan is there. One whose pods are all gone is over, whatever its record
    says; but it is not to be done again where

    - it was begun by one command with another that is under way, or
    - it was begun lately with these options, and its process was killed right before it could say so. Then the others
      of its command are over, too, that have no record any more.
    """
    known = {w.uid: (w, record, record.operation) for w in workloads if (record := recorded(w, snapshot))}
    going_on, ending = set[str](), dict[str, Operation]()
    for workload, record, operation in known.values():
        if operation is None:
            continue
        if any(operation.plans(pod.uid) for pod in snapshot.pods_of(workload)):
            going_on.add(operation.id)
        elif operation.options == options and record.replicas and _is_of_late(operation, snapshot.at):
            ending[operation.id] = operation
    found = {uid: it for uid, (_, _, it) in known.items() if it and it.id in going_on | ending.keys()}
    over = [it for number, it in ending.items() if number not in going_on]
    without = {w.uid: it for w in workloads for it in over if w.uid not in known and w.name in it.deployments}
    return found | without


def _is_of_late(operation: Operation, at: datetime) -> bool:
    try:
        return abs(at - datetime.fromisoformat(operation.started)) <= LATELY
    except (ValueError, TypeError):
        # Somebody has changed it: no moment, or one without a time zone.
        return False


def plan_restart(workload: Workload, operation: Operation | None, snapshot: Snapshot) -> tuple[Planned, ...]:
    """Return the pods to move: those of the restart that is under way, or else all that are there now."""
    return tuple(
        Planned(
            uid=pod.uid,
            namespace=pod.namespace,
            name=pod.name,
            node=pod.node or "",
            workload=reference_to(workload),
        )
        for pod in snapshot.pods_of(workload)
        if not pod.is_finished and (operation is None or operation.plans(pod.uid) or pod.is_released)
    )


def recorded(workload: Workload, snapshot: Snapshot) -> ReplicaSet | Workload | None:
    """Return what carries the record of a restart: what controls the pods; of several ReplicaSets that with pods.

    It stands on the ReplicaSet because the Deployment controller copies a Deployment's annotations to its ReplicaSets,
    and takes none off again.
    """
    if workload.controls_its_pods:
        now = snapshot.workloads.get(workload.uid, workload)
        return now if now.operation is not None else None
    known = [r for r in _replica_sets(workload, snapshot) if r.operation is not None]
    return max(known, key=lambda r: r.replicas, default=None)


def left_behind(workload: Workload, snapshot: Snapshot) -> ReplicaSet | None:
    """Return the ReplicaSet with the record of a restart whose Deployment was deleted without it (--cascade=orphan)."""
    orphans = (r for r in snapshot.replica_sets.values() if r.owner is None and r.namespace == workload.namespace)
    wanted = workload.selector.match_labels.items()
    return next((r for r in orphans if r.operation and wanted <= r.selector.match_labels.items()), None)


def bearer_of(workload: Workload, snapshot: Snapshot) -> ReplicaSet | Workload | None:
    """Return what is to carry the record: what controls the pods; of a Deployment the ReplicaSet that has them.

    None for a workload that is scaled to nothing.
    """
    if workload.controls_its_pods:
        now = snapshot.workloads.get(workload.uid, workload)
        return now if now.replicas else None
    return next((r for r in _replica_sets(workload, snapshot) if r.replicas > 0), None)


def _replica_sets(workload: Workload, snapshot: Snapshot) -> list[ReplicaSet]:
    owned = (r for r in snapshot.replica_sets.values() if r.owner and r.owner.uid == workload.uid)
    return sorted(owned, key=lambda r: r.name)


def uid_prefixes(pods: Iterable[Pod | Planned]) -> frozenset[str]:
    """Return what an operation record notes of its pods."""
    return frozenset(pod.uid[:8] for pod in pods)
