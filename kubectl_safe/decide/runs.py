"""The runs of this tool that are under way: who is at work, since when, and what each of their pods waits for.

Another run's flags are known as far as its record tells them; the others are taken to be the defaults. What a run has
seen and nobody else has, such as since when a pod has been out of its slices, is not known here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kubectl_safe.decide.actions import AskEviction, Evict
from kubectl_safe.decide.allow import ALLOWABLE
from kubectl_safe.decide.budgets import exhausted_budget
from kubectl_safe.decide.check.leftovers import age_of, is_alive, operation_of
from kubectl_safe.decide.decision import Act, Blocked, Decision, For, Step, Wait
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.leasing import RENEW_EVERY
from kubectl_safe.decide.next import next_actions
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.remedies import check_of
from kubectl_safe.decide.settings import Settings
from kubectl_safe.decide.step import step_of
from kubectl_safe.model.lease import Holder, Lease, LeaseName, lease_of_node, lease_of_workload
from kubectl_safe.model.marks import Operation
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import group_name
from kubectl_safe.model.workload import Workload

_OPTION = re.compile(r"--(max-surge|max-draining|max-unavailable)=(\d+%?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run that is under way."""

    holder: Holder
    nodes: tuple[str, ...]
    """Those that it drains."""
    intent: Intent
    """Its pods that are there."""
    decisions: Mapping[str, Decision]
    """By UID."""
    unheard: timedelta | None = None
    """Since when it has renewed none of its Leases; None where they don't tell."""

    @property
    def is_silent(self) -> bool:
        """Whether a renewal is overdue: it may have been killed.

        Leases that are renewed every 10 s are read every 5 s, so that those of a living run are seldom 15 s old.
        """
        return self.unheard is not None and self.unheard > 2 * RENEW_EVERY


def runs(snapshot: Snapshot, leases: Iterable[Lease], at: datetime) -> tuple[Run, ...]:
    """Return the runs that hold these Leases, as of an instant of the server's clock."""
    by_holder: dict[str, list[Lease]] = {}
    for lease in leases:
        if is_alive(lease, at):
            by_holder.setdefault(lease.holder, []).append(lease)
    workloads = {lease_of_workload(w.kind, w.namespace, w.name): w for w in snapshot.workloads.values()}
    nodes = {lease_of_node(name): name for name in _nodes(snapshot)}
    return tuple(
        replace(_run(its, workloads, nodes, snapshot), unheard=_unheard(its, at)) for its in by_holder.values()
    )


def _unheard(leases: Iterable[Lease], at: datetime) -> timedelta | None:
    ages = [age for lease in leases if (age := age_of(lease, at)) is not None]
    return timedelta(seconds=max(0, min(ages))) if ages else None


def _nodes(snapshot: Snapshot) -> set[str]:
    return {pod.node for pod in snapshot.pods.values() if pod.node} | set(snapshot.nodes)


def _run(
    leases: list[Lease], workloads: Mapping[LeaseName, Workload], nodes: Mapping[LeaseName, str], snapshot: Snapshot
) -> Run:
    drained = [name for lease in leases for name in (*lease.nodes, nodes.get(lease.name)) if name]
    held = [workloads[lease.name] for lease in leases if lease.name in workloads]
    restarts = {w.uid: its for w in held if (its := operation_of(w, snapshot))}
    found = {pod.uid: pod for pod in _drained(frozenset(drained), snapshot)}
    if not drained:
        found |= {pod.uid: pod for w in held for pod in _restarted(w, restarts.get(w.uid), snapshot)}
    options = next((its.options for its in restarts.values()), "")
    intent = Intent(
        pods=tuple(_planned(pod, snapshot) for pod in sorted(found.values(), key=lambda p: (p.namespace, p.name))),
        settings=_settings(options),
        nodes=tuple(dict.fromkeys(drained)),
    )
    decisions = next_actions(snapshot, intent).decisions
    return Run(
        holder=min(leases, key=lambda lease: lease.since).held_by,
        nodes=intent.nodes,
        intent=intent,
        decisions={its.uid: _as_seen(its, decisions[its.uid], snapshot) for its in intent.pods},
    )


def _drained(nodes: frozenset[str], snapshot: Snapshot) -> Iterator[Pod]:
    """Return the pods of nodes that a drain moves, as far as that can be told without its flags."""
    for pod in snapshot.pods.values():
        is_kept = pod.is_mirror or pod.is_finished or any(owner.kind == "DaemonSet" for owner in pod.owners)
        if pod.node in nodes and not is_kept:
            yield pod


def _restarted(workload: Workload, operation: Operation | None, snapshot: Snapshot) -> Iterator[Pod]:
    for pod in snapshot.pods_of(workload):
        if pod.is_released or (operation and operation.plans(pod.uid)):
            yield pod


def _planned(pod: Pod, snapshot: Snapshot) -> Planned:
    workload = snapshot.workload_of(pod)
    owner = reference_to(workload) if workload else None
    return Planned(uid=pod.uid, namespace=pod.namespace, name=pod.name, node=pod.node or "", workload=owner)


def _settings(options: str) -> Settings:
    """Return what a record's options say (`Settings.fingerprint`); what was allowed is not told there."""
    told = {name: value if value.endswith("%") else int(value) for name, value in _OPTION.findall(options)}
    cap = told.get("max-draining")
    return Settings(
        # Since when a pod has been out of its slices is not known here: what else it waits for is told first.
        settle=timedelta(0),
        max_surge=told.get("max-surge"),
        max_unavailable=told.get("max-unavailable"),
        max_draining=cap if isinstance(cap, int) else None,
        allow=frozenset(ALLOWABLE),
    )


def _as_seen(planned: Planned, decision: Decision, snapshot: Snapshot) -> Decision:
    """Return a decision without what only its run can know."""
    pod = snapshot.pods[planned.uid]
    unseen = next((t.group for t in snapshot.targets_of(pod) if t.group in snapshot.unseen), None)
    match decision:
        case Wait(on=For.TARGETS | For.SETTLE) if unseen:
            return Wait(on=For.TARGETS, why=f"target group {group_name(unseen)} can't be asked from here")
        case Act(action=AskEviction()) if budget := exhausted_budget(pod, snapshot):
            # Its run asks again and again, and alone knows the answers.
            why = f"budget {budget.namespace}/{budget.name} allows no disruption now, by its status"
            return Wait(on=For.BUDGET, why=why, remedy=check_of(planned))
        case Act(action=Evict()):
            why = f"pod {planned} left every EndpointSlice and target group; it settles, or is evicted next"
            return Wait(on=For.SETTLE, why=why)
        case Act() | Blocked() if step_of(pod) is Step.QUEUED:
            # Its run has begun, so that nothing forbids it: its turn has not come, or comes this moment.
            return Wait(on=For.SURGE, why=f"pod {planned} is in the queue")
        case _:
            return decision
