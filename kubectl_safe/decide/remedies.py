"""What helps against a wait that does not end by itself, as a command mostly; the fact is in the reason of the wait.

A pod that only starts, or drains, needs nobody: what takes no longer than usual has no remedy.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from kubectl_safe.decide.decision import Decision, For, Wait
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.room import remedy_for_room
from kubectl_safe.decide.verdict import BLIP, OutOfService, Unknown, Verdict
from kubectl_safe.model.pod import OwnerReference, Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import State
from kubectl_safe.model.workload import Workload

_CRASHES = frozenset({"CrashLoopBackOff", "Error", "OOMKilled", "Completed"})
"""Why the kubelet waits with a container that ran already, and has a log to show."""
_REGISTERED = frozenset({State.INITIAL, State.HEALTHY, State.UNHEALTHY})


def check(namespace: str, workload: OwnerReference | Workload) -> str:
    """Return the command that looks at a workload, and at all that leads requests to its pods."""
    return f"see kubectl safe check {workload.kind.lower()}/{workload.name} -n {namespace}"


def check_of(planned: Planned) -> str:
    """Return the command that looks at what leads requests to a planned pod, and at what keeps it from leaving."""
    if planned.workload is None:
        return f"see kubectl safe check pod/{planned.name} -n {planned.namespace}"
    return check(planned.namespace, planned.workload)


def to_mend(pod: Pod, workload: Workload, snapshot: Snapshot) -> str:
    """Return what helps a pod that is not in service; empty where nothing has to be done, as for one that starts."""
    if pod.is_terminating or pod.is_withdrawn or pod.is_finished:
        return ""
    if not pod.has_ready_containers:
        return _to_start(pod, snapshot)
    if _has_unhealthy_target(pod, snapshot):
        return check(pod.namespace, workload)
    ready = pod.conditions.get("Ready" if pod.is_ready else "ContainersReady")
    is_new = ready is not None and _is_new(ready.since, snapshot, _usual_time(pod, workload, snapshot))
    return "" if is_new else check(pod.namespace, workload)


def for_replacement(workload: Workload, verdicts: Mapping[str, Verdict], snapshot: Snapshot) -> str:
    """Return what helps where pods of a workload are missing: the newest one that could count, if there is any."""
    if any(isinstance(found, Unknown) for found in verdicts.values()):
        return ""
    failed = next((its for its in snapshot.replica_sets_of(workload) if its.failure), None)
    if failed:
        return f"see kubectl events -n {failed.namespace} --for replicaset/{failed.name}"
    missing = [snapshot.pods[uid] for uid, found in verdicts.items() if isinstance(found, OutOfService)]
    missing = [pod for pod in missing if not (pod.is_terminating or pod.is_withdrawn)]
    if not missing:
        return check(workload.namespace, workload)
    return to_mend(max(missing, key=lambda pod: (str(pod.created), pod.name)), workload, snapshot)


def with_remedy(
    planned: Planned, decision: Decision, snapshot: Snapshot, intent: Intent, *, rooms: dict[tuple[str, str], str]
) -> Decision:
    """Return a decision with what helps against its wait.

    Args:
        planned: the pod that it is about.
        decision: what was decided.
        snapshot: what is known.
        intent: what the run is about.
        rooms: what makes room for replacements, by the UID of their workload and the node, as far as that was found
            for other released pods: each takes a look at all pods of the workload.
    """
    if not isinstance(decision, Wait):
        return decision
    if not decision.remedy:
        return replace(decision, remedy=_of_one(planned, decision, snapshot))
    pod = snapshot.pods.get(planned.uid)
    if planned.workload is None or pod is None or not pod.is_released or decision.on is not For.REPLACEMENT:
        return decision
    key = planned.workload.uid, planned.node
    if key not in rooms:
        rooms[key] = remedy_for_room(planned, decision, snapshot, intent)
    return replace(decision, remedy=rooms[key] or decision.remedy)


def _of_one(planned: Planned, wait: Wait, snapshot: Snapshot) -> str:
    if wait.on in {For.BUDGET, For.UNDO} and wait.until:
        # The Eviction API was asked; what is only to be counted anew needs nobody.
        return check_of(planned)
    if wait.on is For.LEASE and planned.workload:
        return f"see kubectl safe status {planned.workload.kind.lower()}/{planned.workload.name} -n {planned.namespace}"
    withdrawn = snapshot.withdrawn_since.get(planned.uid)
    if wait.on not in {For.ENDPOINTS, For.TARGETS} or withdrawn is None or _is_new(withdrawn, snapshot):
        return ""
    if wait.on is For.ENDPOINTS:
        return f"see kubectl safe status pod/{planned.name} -n {planned.namespace}"
    pod = snapshot.pods.get(planned.uid)
    return check_of(planned) if pod and _is_registered(pod, snapshot) else ""


def _to_start(pod: Pod, snapshot: Snapshot) -> str:
    """Return what helps a pod whose containers are not ready: one that fails, that no node takes, or that is slow."""
    if pod.waiting_reason in _CRASHES:
        return f"see kubectl logs {pod.name} -n {pod.namespace} --previous, while it is there"
    scheduled, containers = pod.conditions.get("PodScheduled"), pod.conditions.get("ContainersReady")
    since = containers.since if containers and containers.since else pod.created
    is_unscheduled = scheduled is not None and not scheduled.is_true
    if pod.waiting_reason or is_unscheduled or not _is_new(since, snapshot):
        # Unlike the pod itself, they are still there once it was given up.
        return f"see kubectl events -n {pod.namespace} --for pod/{pod.name}"
    return ""


def _usual_time(pod: Pod, workload: Workload, snapshot: Snapshot) -> timedelta:
    """Return how long it may take from ready containers to service: by its workload, and by health checks."""
    groups = (snapshot.groups.get(target.group) for target in snapshot.targets_of(pod))
    return max([workload.min_ready, *(group.time_to_healthy for group in groups if group)]) + BLIP


def _has_unhealthy_target(pod: Pod, snapshot: Snapshot) -> bool:
    found = (snapshot.fresh_health(target) for target in snapshot.targets_of(pod))
    return any(health is not None and health.state is State.UNHEALTHY for health in found)


def _is_registered(pod: Pod, snapshot: Snapshot) -> bool:
    """Tell whether a target group still sends requests to a pod that has left it, or is about to."""
    found = (snapshot.health.get(target) for target in snapshot.targets_of(pod))
    return any(health is not None and health.state in _REGISTERED for health in found)


def _is_new(since: datetime | None, snapshot: Snapshot, usual: timedelta = BLIP) -> bool:
    """Tell whether something is so for no longer than it usually takes to change."""
    return since is not None and snapshot.at - since <= usual
