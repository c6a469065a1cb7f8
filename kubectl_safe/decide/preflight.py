"""What can be seen to be impossible before the first write."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from kubectl_safe.decide import node_first
from kubectl_safe.decide.adoption import adoptions
from kubectl_safe.decide.allow import PENDING_REVISION, UNSEEN_TARGETS
from kubectl_safe.decide.data_plane import data_planes
from kubectl_safe.decide.decision import Blocked
from kubectl_safe.decide.downtime import downtime
from kubectl_safe.decide.group_floor import empty_zones
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.local_traffic import local_traffic_policies
from kubectl_safe.decide.mesh import meshes
from kubectl_safe.decide.policies import policy_changes
from kubectl_safe.decide.selectorless import selectorless_services
from kubectl_safe.decide.service_floor import last_endpoints
from kubectl_safe.decide.settings import go_duration
from kubectl_safe.decide.stateful import is_pending
from kubectl_safe.decide.unseen import gate_of
from kubectl_safe.decide.ways_in import unseen_load_balancers, unseen_senders
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import GroupName, Target, TargetGroupBinding, group_name, is_arn
from kubectl_safe.model.workload import Workload

HEALTH_ACTION = "elasticloadbalancing:DescribeTargetHealth"
INJECT = "pod-readiness-gate-inject=enabled"
"""The label of a namespace whose pods get their gates as they are created, in the API group of the bindings."""


def blockers(intent: Intent, snapshot: Snapshot) -> list[Blocked]:
    """Return everything that forbids to begin, each with its remedy."""
    found: dict[str, Blocked] = {}
    for workload in workloads_of(intent, snapshot):
        for blocked in (
            *(list(downtime(workload, intent, snapshot)) or last_endpoints(workload, intent, snapshot)),
            *adoptions(workload, intent, snapshot),
            *_pending_revision(workload, intent, snapshot),
            *unseen_load_balancers(workload, snapshot),
            *empty_zones(workload, intent, snapshot),
            *_unconfirmable(workload, snapshot),
        ):
            found.setdefault(blocked.why, blocked)
    for blocked in (
        *unseen_senders(intent, snapshot),
        *selectorless_services(intent, snapshot),
        *meshes(intent, snapshot),
        *data_planes(intent, snapshot),
        *local_traffic_policies(intent, snapshot),
        *_undrained(intent, snapshot),
        *node_first.blockers(intent, snapshot),
        *policy_changes(intent, snapshot),
        *_two_budgets(intent, snapshot),
    ):
        found.setdefault(blocked.why, blocked)
    return list(found.values())


def workloads_of(intent: Intent, snapshot: Snapshot) -> list[Workload]:
    """Return the workloads whose pods are planned, in the order of the plan."""
    uids = dict.fromkeys(planned.workload.uid for planned in intent.pods if planned.workload)
    return [snapshot.workloads[uid] for uid in uids if uid in snapshot.workloads]


def targets_of(intent: Intent, snapshot: Snapshot) -> dict[str, frozenset[Target]]:
    """Return the targets that a plan is about, by target group (ARN).

    Those are of the planned pods and of the other pods of their workloads, and of the nodes that come first.
    """
    pods = _pods_of(intent, snapshot)
    targets = {target for pod in pods for target in snapshot.targets_of(pod) if is_arn(target.group)}
    targets |= node_first.targets_of(intent, snapshot)
    return by_group(targets)


def by_group(targets: Iterable[Target]) -> dict[str, frozenset[Target]]:
    """Return targets by their target group (ARN)."""
    found: dict[str, set[Target]] = {}
    for target in targets:
        found.setdefault(target.group, set()).add(target)
    return {arn: frozenset(its) for arn, its in found.items()}


def groups_of_nodes(intent: Intent, snapshot: Snapshot) -> frozenset[str]:
    """Return the target groups (ARNs) through whose nodes requests come to planned pods."""
    bindings = (binding for pod in _pods_of(intent, snapshot) for binding in snapshot.bindings_of(pod))
    return frozenset(its.group for its in bindings if its.is_of_nodes and is_arn(its.group))


def sought_by(intent: Intent, snapshot: Snapshot) -> dict[GroupName, TargetGroupBinding]:
    """Return what AWS has to be asked for before these targets are known, and a binding that names it."""
    bindings = [binding for pod in _pods_of(intent, snapshot) for binding in snapshot.bindings_of(pod)]
    bindings += node_first.bindings_of(intent, snapshot)
    by_key = {binding.key: binding for binding in bindings}
    return {sought: binding for binding in by_key.values() if (sought := binding.sought)}


def _pods_of(intent: Intent, snapshot: Snapshot) -> list[Pod]:
    planned = [pod for its in intent.pods if (pod := snapshot.pods.get(its.uid))]
    return planned + [pod for workload in workloads_of(intent, snapshot) for pod in snapshot.pods_of(workload)]


def _two_budgets(intent: Intent, snapshot: Snapshot) -> Iterator[Blocked]:
    """Name the budgets of pods that have several, for which the Eviction API has no answer but an error.

    Source: kubernetes pkg/registry/core/pod/storage/eviction.go. A pod that is withdrawn may have left some of them.
    """
    if intent.settings.disable_eviction:
        return
    for planned in intent.pods:
        pod = snapshot.pods.get(planned.uid)
        if pod is None or pod.phase != "Running" or pod.is_withdrawn or pod.is_terminating:
            continue
        names = sorted(budget.name for budget in snapshot.budgets_of(pod))
        if len(names) > 1:
            yield Blocked(
                reason="two-budgets",
                why=f"{_subject(planned)} is under the disruption budgets {' and '.join(names)}, and the "
                "Eviction API takes pods of one budget only: let one of them select its pods no more "
                f"(kubectl edit pdb {names[-1]} -n {pod.namespace})",
            )


def _subject(planned: Planned) -> str:
    owner = planned.workload
    return f"{owner.kind.lower()} {planned.namespace}/{owner.name}" if owner else f"pod {planned}"


def _pending_revision(workload: Workload, intent: Intent, snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse to replace pods by such of another template, where nobody has asked for that yet, telling one of them."""
    if PENDING_REVISION in intent.settings.allow:
        return
    for pod in snapshot.pods_of(workload):
        if pod.uid in intent.uids and is_pending(pod, workload):
            yield Blocked(
                reason=PENDING_REVISION,
                why=f"pod {pod} would come back with another template than it has, as {workload.subject} was changed "
                f"and its updateStrategy is {workload.strategy}: answer for it with --allow {PENDING_REVISION}",
            )
            return


def _unconfirmable(workload: Workload, snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse to go by gates that pods don't have, telling one pod of each binding."""
    told: set[TargetGroupBinding] = set()
    for pod in snapshot.pods_of(workload):
        if pod.is_withdrawn or pod.is_terminating or pod.is_finished:
            continue
        for binding in snapshot.bindings_of(pod):
            if binding.is_of_nodes:
                continue
            if binding.group in snapshot.unseen and binding not in told and gate_of(pod, binding) is None:
                told.add(binding)
                yield Blocked(
                    reason=UNSEEN_TARGETS,
                    why=f"pod {pod} has no readiness gate of binding {binding.name}, and its target group can't be "
                    f"asked: nothing could confirm its replacement; have {HEALTH_ACTION} allowed, or label namespace "
                    f"{pod.namespace} {binding.api}/{INJECT} and create its pods anew",
                )


def _undrained(intent: Intent, snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse a `--drain-wait` that is known to end before targets have drained."""
    arns = targets_of(intent, snapshot).keys()
    for arn in sorted(arns & snapshot.unseen & snapshot.groups.keys()):
        delay, wait = snapshot.groups[arn].deregistration_delay, intent.settings.drain_wait or timedelta(0)
        if wait < delay:
            yield Blocked(
                reason=UNSEEN_TARGETS,
                why=f"target group {group_name(arn)} drains for {go_duration(delay)} (deregistration delay), "
                f"longer than --drain-wait {go_duration(wait)}: give it --drain-wait {go_duration(delay)}",
            )
