"""How long it will take, and what sets that."""

from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from kubectl_safe.decide.health import REACTION
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.node_first import is_to_exclude, memberships, nodes_of
from kubectl_safe.decide.preflight import workloads_of
from kubectl_safe.decide.step import surge_of
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import TargetGroup, group_name
from kubectl_safe.model.workload import Workload

START = timedelta(seconds=30)
"""What a replacement takes to come into service where no pod tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A duration, and the sum that it comes from in words."""

    total: timedelta
    why: str


def estimate(intent: Intent, snapshot: Snapshot) -> Estimate:
    """Estimate a command from the pods that are left: the slowest of its workloads, as they go side by side.

    Before them go the nodes that have to leave target groups.
    """
    found = [_estimate(workload, intent, snapshot) for workload in workloads_of(intent, snapshot)]
    nothing = Estimate(total=timedelta(0), why="no pod has to be handed over")
    pods = max(found, key=lambda e: e.total, default=nothing)
    slowest = _slowest_group_of_nodes(intent, snapshot)
    if slowest is None:
        return pods
    delay = slowest.deregistration_delay
    first = f"{_seconds(delay)} until the nodes have left target group {group_name(slowest.arn)}"
    return Estimate(total=delay + REACTION + pods.total, why=f"{first} + {pods.why}" if found else first)


def _slowest_group_of_nodes(intent: Intent, snapshot: Snapshot) -> TargetGroup | None:
    """Return the group with the longest deregistration delay that a node is still to leave."""
    arns = {
        its.target.group
        for node in nodes_of(intent, snapshot)
        if is_to_exclude(node, snapshot)
        for its in memberships(node, snapshot)
        if its.target
    }
    known = [snapshot.groups[arn] for arn in sorted(arns) if arn in snapshot.groups]
    return max(known, key=lambda group: group.deregistration_delay, default=None)


def _estimate(workload: Workload, intent: Intent, snapshot: Snapshot) -> Estimate:
    pods = [
        pod
        for planned in intent.pods
        if planned.workload and planned.workload.uid == workload.uid and (pod := snapshot.pods.get(planned.uid))
    ]
    to_start = sum(not pod.is_withdrawn and not pod.is_terminating for pod in pods)
    leave, leave_why = _time_to_leave(pods, intent, snapshot)
    start = _time_to_start(workload, snapshot)
    settings = intent.settings
    if not to_start:
        return Estimate(total=leave, why=leave_why)
    surge = surge_of(workload, pods, settings, snapshot)
    if surge == 0:
        side_by_side = max(1, settings.unavailable_of(workload, is_withdraw_first=True))
        batches = -(-to_start // side_by_side)
        return Estimate(
            total=batches * (leave + start),
            why=f"{_batches(batches)} x ({leave_why} + {_seconds(start)} until a replacement is in service)",
        )
    batches = -(-to_start // surge)
    one = Estimate(
        total=batches * start + leave,
        why=f"{_batches(batches)} x {_seconds(start)} until the replacements are in service + {leave_why}",
    )
    if settings.max_draining is None:
        return one
    rounds = -(-len(pods) // settings.max_draining)
    other = Estimate(total=rounds * leave + start, why=f"{_batches(rounds)} x {leave_why}")
    return max(one, other, key=lambda e: e.total)


def _time_to_leave(pods: list[Pod], intent: Intent, snapshot: Snapshot) -> tuple[timedelta, str]:
    """Return the time from withdrawal to eviction: settle, or the longest deregistration delay where that is longer."""
    services = [service for pod in pods for service in snapshot.original_services_of(pod)]
    if not services:
        return timedelta(0), "no Service to leave"
    settle = intent.settings.settle_for(is_headless=any(s.is_headless for s in services))
    arns = {target.group for pod in pods for target in snapshot.targets_of(pod)}
    drain_wait = intent.settings.drain_wait
    if drain_wait and drain_wait > settle and arns & snapshot.unseen:
        # It is never shorter than a delay that is known.
        return drain_wait, f"{_seconds(drain_wait)} --drain-wait"
    groups = [snapshot.groups[arn] for arn in arns if arn in snapshot.groups]
    slowest = max(groups, key=lambda g: g.deregistration_delay, default=None)
    if slowest is None or slowest.deregistration_delay + REACTION <= settle:
        return settle, f"{_seconds(settle)} settle"
    delay = slowest.deregistration_delay
    return delay + REACTION, f"{_seconds(delay)} deregistration delay of {group_name(slowest.arn)}"


def _time_to_start(workload: Workload, snapshot: Snapshot) -> timedelta:
    """Return what the pods that are there now took from creation to Ready, in the median."""
    seen = [
        ready.since - pod.created
        for pod in snapshot.pods_of(workload)
        if pod.created and (ready := pod.conditions.get("Ready")) and ready.is_true and ready.since
    ]
    # A pod that was not Ready for a while long after its start would tell of that while.
    likely = [taken for taken in seen if timedelta(0) <= taken <= workload.progress_deadline]
    if not likely:
        return START
    return timedelta(seconds=median(taken.total_seconds() for taken in likely)) + workload.min_ready


def _batches(count: int) -> str:
    return f"{count} batch{'' if count == 1 else 'es'}"


def _seconds(duration: timedelta) -> str:
    return f"{duration.total_seconds():.0f}s"
